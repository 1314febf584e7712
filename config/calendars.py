"""Days and hours that others fix: public holidays of a country, events of an iCalendar file.

Knows dates in the switch's zone.  Both libraries are imported where they are first needed.
"""

import datetime as dt
from collections.abc import Container
from functools import lru_cache
from pathlib import Path
from typing import Any


class Events:
    """What stands in an iCalendar file (RFC 5545), repetitions included.

    Two are equal where their files say the same.
    """

    def __init__(self, text: str) -> None:
        """Raises ValueError where `text` is no calendar."""
        import icalendar
        import recurring_ical_events

        self._text = text
        self._query: Any = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
        self._latest: tuple[dt.datetime, bool] | None = None

    @classmethod
    def read(cls, path: Path) -> "Events":
        """Raises ValueError with the reason."""
        try:
            return cls(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror or error})") from None
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"{path} is no iCalendar file: {error}") from None

    def holds(self, moment: dt.datetime) -> bool:
        """Whether an event lasts in the minute of `moment`; the minute it ends it is over.

        Every call asks, and the library takes up to a millisecond, so a minute is asked once.
        """
        minute = moment.replace(second=0, microsecond=0)
        if self._latest is None or self._latest[0] != minute:
            lasts = any(not _cancelled(event) for event in self._query.at(minute))
            self._latest = minute, lasts
        return self._latest[1]

    def edges(self, begin: dt.datetime, end: dt.datetime) -> set[dt.datetime]:
        """When events begin and end between the two."""
        found = self._query.between(begin, end)
        return {_moment(at, begin) for event in found for at in (event.start, event.end)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Events) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _moment(at: dt.date | dt.datetime, near: dt.datetime) -> dt.datetime:
    """Whole days begin at midnight in the zone of `near`, and so do times without a zone."""
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time())
    return at.astimezone(near.tzinfo) if at.tzinfo else at.replace(tzinfo=near.tzinfo)


@lru_cache(maxsize=64)
def public_holidays(code: str) -> Container[dt.date]:
    """Every public holiday of `RU` or `US-CA`, whatever the year.  Raises ValueError."""
    import holidays

    country, _, part = code.partition("-")
    try:
        found: Container[dt.date] = holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        raise ValueError(f'the holidays of "{code}" are not known') from None
    return found
