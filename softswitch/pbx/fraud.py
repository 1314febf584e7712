"""Guard against stolen accounts: few calls at once, and a day, to expensive destinations.

Counts begun calls by extension and day of the switch's zone; the count outlives a restart.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from softswitch.calls.causes import FORBIDDEN
from softswitch.calls.errors import Refused
from softswitch.pbx.classes import Payer

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

SPACE = "expensive-calls"


def check(switch: Switch, payer: Payer, destination: str | None) -> None:
    """Count one more call of `payer` there; Refused, and an alarm, where it is one too many."""
    allowed = payer.class_
    if destination is None or destination not in allowed.expensive:
        return
    if switch.trunks.expensive_of(payer.name) >= allowed.expensive_calls:
        _stop(switch, payer, f"{allowed.expensive_calls} calls at once to {destination}")
    today = dt.datetime.now(switch.settings.switch.zone).date().isoformat()
    kept = switch.store.state.get(SPACE, payer.name) or {}
    calls = kept.get("calls", 0) if kept.get("day") == today else 0
    if calls == 0:
        switch.alarms.clear(_alarm(payer))
    if calls >= allowed.expensive_daily:
        _stop(switch, payer, f"{allowed.expensive_daily} calls a day to {destination}")
    switch.store.state.set(SPACE, payer.name, {"day": today, "calls": calls + 1})


def _stop(switch: Switch, payer: Payer, limit: str) -> None:
    sentence = f"{payer.name} wants more than its {limit}; somebody may have its password"
    switch.alarms.raise_(_alarm(payer), sentence)
    raise Refused(FORBIDDEN, sentence)


def _alarm(payer: Payer) -> str:
    return f"expensive:{payer.name}"
