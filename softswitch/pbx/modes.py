"""Day, night, lunch: which mode the office is in, by the calendar or by hand (P23, P24)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from config.modes import OTHERWISE
from config.settings import Settings
from softswitch.store.state import State

SPACE, KEY = "mode", "by-hand"


def by_calendar(settings: Settings, moment: dt.datetime) -> str:
    """Of the modes that hold `moment`, the last one written; `night` where none does."""
    chosen = OTHERWISE
    for name, mode in settings.modes.items():
        if any(hours.holds(moment) for hours in mode.hours) or moment.date() in mode.dates:
            chosen = name
    return chosen


class ByHand(NamedTuple):
    """A mode that somebody set, until an epoch second or, with None, until further notice."""

    mode: str
    until: float | None


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
    chosen = by_hand(state, now)
    if chosen is not None:
        return chosen.mode
    return by_calendar(settings, dt.datetime.fromtimestamp(now, settings.switch.zone))
