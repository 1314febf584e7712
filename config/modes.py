"""`[modes]`: day, night, lunch.  Of the modes whose hours hold a moment, the last one written wins.

Where none holds it is `night`.  A mode may also be set by hand, until a given time or the next
change by the calendar.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, PrivateAttr, model_validator
from pydantic_core import CoreSchema, core_schema

from config.base import FilePath, Number, Table, matching
from config.calendars import Events, public_holidays

OTHERWISE = "night"
"""The mode of every moment that no other one holds."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = "|".join(DAYS)
_HOURS = re.compile(
    rf"^(?P<days>(?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*)?"
    r"\s*(?:(?P<from>\d\d?:\d\d)-(?P<to>\d\d?:\d\d))?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hours:
    """`Mon-Fri 09:00-18:00`: days (0 is Monday) and minutes of the day, the end not included.

    An end before the begin reaches into the next day: `Fri 22:00-06:00` ends on Saturday.
    """

    days: frozenset[int]
    start: int
    end: int

    @classmethod
    def parse(cls, text: object) -> Self:
        found = _HOURS.match(str(text).strip())
        if not found or not str(text).strip():
            raise ValueError(f'"{text}" is no time; write it as Mon-Fri 09:00-18:00')
        days = _days(found["days"]) if found["days"] else frozenset(range(7))
        start = _minutes(found["from"] or "00:00", str(text))
        return cls(days, start, _minutes(found["to"] or "24:00", str(text)))

    def holds(self, moment: dt.datetime) -> bool:
        """Whether `moment` (in the switch's zone) lies within."""
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        tail = (day - 1) % 7 in self.days and minute < self.end
        return tail or (day in self.days and minute >= self.start)

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {_clock(self.start)}-{_clock(self.end)}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.to_string_ser_schema(),
        )


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.title().partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days |= {day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))}
    return frozenset(days)


def _minutes(clock: str, text: str) -> int:
    hours, minutes = (int(part) for part in clock.split(":"))
    if hours * 60 + minutes > 24 * 60 or minutes > 59:
        raise ValueError(f'"{text}": {clock} is no time of day')
    return hours * 60 + minutes


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _as_list(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


HoursList = Annotated[tuple[Hours, ...], BeforeValidator(_as_list)]


class Mode(Table):
    """`[modes.NAME]`; `NAME = "Mon-Fri 09:00-18:00"` is short for its `hours` alone."""

    hours: HoursList = ()
    dates: tuple[dt.date, ...] = ()
    """Whole days: `[2027-01-01, 2027-01-07]`."""
    holidays: (
        Annotated[str, matching(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", "a country: RU, or US-CA")] | None
    ) = None
    """Every public holiday of a country: `RU`, `US-CA`."""
    calendar: FilePath | None = None
    """An iCalendar file; the mode holds while one of its events lasts.  Read at each reload."""
    code: Number | None = None
    """What is dialled to set this mode by hand, and again to return to the calendar."""
    expires: Annotated[float, Field(gt=0)] | None = None
    """Hours after which a mode set by hand ends; absent: with the calendar's next change."""

    _events: Events | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _calendars_are_there(self) -> Self:
        if self.holidays is not None:
            public_holidays(self.holidays)
        if self.calendar is not None:
            self._events = Events.read(self.calendar)
        return self

    def holds(self, moment: dt.datetime) -> bool:
        """Whether the calendar sets this mode at `moment` (in the switch's zone)."""
        day = moment.date()
        return (
            any(hours.holds(moment) for hours in self.hours)
            or day in self.dates
            or (self.holidays is not None and day in public_holidays(self.holidays))
            or (self._events is not None and self._events.holds(moment))
        )

    def edges(self, begin: dt.datetime, end: dt.datetime) -> set[dt.datetime]:
        """Moments between the two at which it may begin or end, midnights apart."""
        days = (end.date() - begin.date()).days + 1
        minutes = {minute for hours in self.hours for minute in (hours.start, hours.end)}
        midnights = [begin.date() + dt.timedelta(days=day) for day in range(days)]
        clocks = [dt.time(minute // 60, minute % 60) for minute in minutes if minute < 24 * 60]
        found = {dt.datetime.combine(day, at, begin.tzinfo) for day in midnights for at in clocks}
        return found | (self._events.edges(begin, end) if self._events is not None else set())
