"""A PIN that opens what an extension's class bars (P31), and a bound on guessing it.

Wrong PINs are counted by extension and day over all its calls; the count outlives a restart.
"""

from __future__ import annotations

import datetime as dt
import hmac
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN
from softswitch.calls.errors import Refused
from softswitch.pbx.classes import Payer
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

SPACE = "wrong-pins-outside"
TRIES = 3
"""In one call."""
MOST_WRONG = 20
"""In a row; after so many the PIN opens nothing until the next day."""
LONGEST = 8


async def ask_pin(switch: Switch, call: Call, payer: Payer) -> None:
    """Return once the extension's PIN was given; Refused if it is not known."""
    assert payer.extension is not None and payer.extension.pin is not None  # else not BY_PIN
    right, state = payer.extension.pin.get_secret_value(), switch.store.state
    _refuse_guessing(switch, payer)
    call.leg.answer()
    voice = Voice(switch, call)
    for prompt in ["pin-enter"] + ["pin-wrong"] * (TRIES - 1):
        given = await voice.ask(prompt, most=LONGEST)
        if hmac.compare_digest(given, right):
            state.remove(SPACE, payer.name)
            switch.alarms.clear(_alarm(payer))
            return
        call.record.event("wrong-pin", by=payer.name)
        wrong = {"day": _today(switch), "wrong": _wrong(switch, payer) + 1}
        state.set(SPACE, payer.name, wrong)
        _refuse_guessing(switch, payer)
    raise Refused(FORBIDDEN, "the PIN was wrong")


def _refuse_guessing(switch: Switch, payer: Payer) -> None:
    if _wrong(switch, payer) >= MOST_WRONG:
        sentence = f"{payer.name} gave {MOST_WRONG} wrong PINs; somebody may be guessing"
        switch.alarms.raise_(_alarm(payer), sentence)
        raise Refused(FORBIDDEN, sentence)
    if _wrong(switch, payer) == 0:  # of another day
        switch.alarms.clear(_alarm(payer))


def _wrong(switch: Switch, payer: Payer) -> int:
    kept = switch.store.state.get(SPACE, payer.name) or {}
    return int(kept.get("wrong", 0)) if kept.get("day") == _today(switch) else 0


def _today(switch: Switch) -> str:
    return dt.datetime.now(switch.settings.switch.zone).date().isoformat()


def _alarm(payer: Payer) -> str:
    return f"pin:{payer.name}"
