"""`conference:ROOM`: everybody hears everybody else (P14).

Who may enter, and by which name; what happens inside is written in `seat` and `rooms`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.targets import Target
from media.items import File, Item
from softswitch.calls.call import Call
from softswitch.calls.causes import FORBIDDEN, NORMAL
from softswitch.calls.errors import Refused
from softswitch.pbx.dictation import dictate
from softswitch.pbx.rooms import Member, Room
from softswitch.pbx.seat import sit
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LONGEST_PIN = 16
NAME_TIME: Seconds = 4.0
NAME_KEPT: Seconds = 30.0
"""How long after its owner has left."""


async def conference(switch: Switch, call: Call, target: Target) -> None:
    """Ask who it is, let him in, stay until he leaves."""
    room = switch.rooms.open(target.name)
    room.place_beside(call.leg)
    call.leg.answer()
    voice = Voice(switch, call)
    moderator = await _judge(call, room, voice)
    if not await _may_enter(switch, call, target.name, voice, moderator):
        return
    member = Member(call.leg, moderator)
    name = _names(switch) / f"{call.leg.id}.wav"
    try:
        if room.settings.names:
            member.name = await _ask_name(switch, call, voice, name)
            if not await _may_enter(switch, call, target.name, voice, moderator):
                return  # somebody was quicker
        room = switch.rooms.open(target.name)  # the last member may have left meanwhile
        await sit(switch, room, member, call)
    finally:  # once the others have heard who has left
        asyncio.get_running_loop().call_later(NAME_KEPT, partial(name.unlink, missing_ok=True))


async def _judge(call: Call, room: Room, voice: Voice) -> bool:
    """Ask for the pin; whether it is a moderator.  Raises Refused where it is nobody."""
    settings = room.settings
    if call.leg.owner in settings.moderators:
        return True
    pin, leader = (
        each.get_secret_value() if each else None for each in (settings.pin, settings.moderator_pin)
    )
    if pin is None and leader is None:
        return False
    for _ in range(settings.pin_tries):
        typed = await voice.ask("conf-enter-pin", most=LONGEST_PIN)
        if leader is not None and typed == leader:
            return True
        if typed == (pin or ""):
            return False
        await voice.say("conf-wrong-pin")
    call.record.event("wrong-pin", conference=room.name)
    await voice.say("goodbye")
    raise Refused(FORBIDDEN)


async def _may_enter(switch: Switch, call: Call, name: str, voice: Voice, moderator: bool) -> bool:
    """Whether the room takes one more; who may not is told why."""
    room = switch.rooms.open(name)
    why = ""
    if room.is_full:
        why = "conf-full"
        switch.tell("conference.full", conference=name, limit=room.settings.max_members)
    elif room.locked and not moderator:
        why = "conf-is-locked"
    if why:
        call.record.event(why, conference=name)
        await voice.say(why)
        call.leg.hang_up(NORMAL)
        return False
    return True


async def _ask_name(switch: Switch, call: Call, voice: Voice, path: Path) -> Item | None:
    await voice.say("conf-say-name")
    said = await dictate(switch, call.leg, path, most=NAME_TIME, silence=1.5)
    return File(str(path)) if said.error is None else None


def _names(switch: Switch) -> Path:
    return switch.settings.switch.data / "conferences"
