"""Modes set by phone: a code of each mode, and `*90`, which tells the mode and sets any (P23)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from media.items import Item
from softswitch.calls.call import Call
from softswitch.pbx import lamps, modes
from softswitch.pbx.peers import Phone
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("modes")

CALENDAR = "0"
"""Key that lets the calendar decide again; the others stand for modes, `1` for the first one."""


def set_mode(
    switch: Switch, name: str | None, *, by: str, until: float | None = None
) -> modes.ByHand | None:
    """Set a mode by hand in somebody's name; None: the calendar decides again."""
    wish = None if name is None else modes.chosen(switch.settings, name, time.time())
    if wish is not None and until is not None:
        wish = wish._replace(until=until)
    modes.set_by_hand(switch.store.state, wish)
    log.info("mode set", mode=name or "by the calendar", by=by, until=wish and wish.until)
    switch.tell("mode.set", name=name, by=by, until=wish.until if wish else None)
    for mode in switch.settings.modes.values():
        if mode.code is not None:
            switch.subscriptions.changed(lamps.EVENT, mode.code)
    return wish


async def mode_code(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`*90`, or the code of a mode (`number` is then its name).

    A mode's own code sets it, and takes it back where it was set by hand already.
    """
    call.leg.answer()
    if number:
        standing = modes.by_hand(switch.store.state, time.time())
        back = standing is not None and standing.mode == number
        await _set(switch, call, phone, None if back else number)
        return
    voice = Voice(switch, call)
    now = modes.current(switch.settings, switch.store.state, time.time())
    names = switch.settings.mode_names
    key = await voice.ask(*await _told(voice, now), most=1)
    if key == CALENDAR:
        await _set(switch, call, phone, None)
    elif key.isdecimal() and int(key) <= len(names):
        await _set(switch, call, phone, names[int(key) - 1])
    elif key:
        await voice.say("invalid")


async def _set(switch: Switch, call: Call, phone: Phone, name: str | None) -> None:
    set_mode(switch, name, by=phone.number)
    call.record.event("mode", mode=name or "by the calendar", by=phone.number)
    voice = Voice(switch, call)
    if name is None:
        await voice.say("mode-automatic")
    else:
        await voice.say(*await _told(voice, name))


async def _told(voice: Voice, name: str) -> list[Item]:
    """What tells a mode: its prompt, or its name synthesised."""
    items = await voice.items(f"mode-{name}")
    texts = {"en": f"The office is now in {name} mode.", "ru": f"Офис работает в режиме {name}."}
    return items or await voice.text(texts)
