"""Day, night, lunch: which mode the office is in, by the calendar or by hand (P23, P24)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from config.modes import OTHERWISE
from config.settings import Settings
from softswitch.store.state import State

SPACE, KEY = "mode", "by-hand"
FORESIGHT = dt.timedelta(days=15)
"""How far the calendar is searched for its next change."""
HOUR = 3600.0


def by_calendar(settings: Settings, moment: dt.datetime) -> str:
    """Of the modes that hold `moment`, the last one written; `night` where none does."""
    chosen = OTHERWISE
    for name, mode in settings.modes.items():
        if mode.holds(moment):
            chosen = name
    return chosen


def next_change(settings: Settings, now: float) -> float | None:
    """When (epoch seconds) the calendar will next set another mode; None: not soon."""
    begin = dt.datetime.fromtimestamp(now, settings.switch.zone)
    end, present = begin + FORESIGHT, by_calendar(settings, begin)
    midnight = dt.datetime.combine(begin.date(), dt.time(), begin.tzinfo)
    edges = {midnight + dt.timedelta(days=day) for day in range(FORESIGHT.days + 1)}
    for mode in settings.modes.values():
        edges |= mode.edges(begin, end)
    for moment in sorted(edge for edge in edges if begin < edge <= end):
        if by_calendar(settings, moment) != present:
            return moment.timestamp()
    return None


class ByHand(NamedTuple):
    """A mode that somebody set, until an epoch second or, with None, until further notice."""

    mode: str
    until: float | None


def chosen(settings: Settings, name: str, now: float) -> ByHand:
    """Mode `name` set by hand at `now`: for its `expires`, else until the calendar changes."""
    mode = settings.modes.get(name)
    if mode is not None and mode.expires is not None:
        return ByHand(name, now + mode.expires * HOUR)
    return ByHand(name, next_change(settings, now))


def by_hand(state: State, now: float) -> ByHand | None:
    """What was set by hand and still holds at `now` (epoch seconds)."""
    found = state.get(SPACE, KEY)
    if found is None or (found["until"] is not None and now >= found["until"]):
        return None
    return ByHand(found["mode"], found["until"])


def set_by_hand(state: State, wish: ByHand | None) -> None:
    """Set a mode over the calendar's; None lets the calendar decide again."""
    if wish is None:
        state.remove(SPACE, KEY)
    else:
        state.set(SPACE, KEY, wish._asdict())


def current(settings: Settings, state: State, now: float) -> str:
    """The mode at `now` (epoch seconds): set by hand while that lasts, else the calendar's."""
    kept = by_hand(state, now)
    if kept is not None and kept.mode in settings.mode_names:  # a reload may have taken it away
        return kept.mode
    return by_calendar(settings, dt.datetime.fromtimestamp(now, settings.switch.zone))
