"""Day, night, lunch: which mode the office is in, by the calendar or by hand (P23, P24)."""

from __future__ import annotations

import datetime as dt

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


def current(settings: Settings, state: State, now: float) -> str:
    """The mode at `now` (epoch seconds): set by hand while that lasts, else the calendar's."""
    moment = dt.datetime.fromtimestamp(now, settings.switch.zone)
    by_hand = state.get(SPACE, KEY)
    if by_hand is not None and (by_hand["until"] is None or now < by_hand["until"]):
        return str(by_hand["mode"])
    return by_calendar(settings, moment)
