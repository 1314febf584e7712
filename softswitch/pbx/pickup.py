"""Pickup: answer a call that rings at somebody else's phone (P12, P13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.causes import UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.peers import Phone
from softswitch.pbx.replacing import put_in_place
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


async def directed_pickup(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`**101`: take the call that rings at 101."""
    await _take_oldest(switch, call, (number,))


async def group_pickup(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*8`: take the call that has rung longest at anybody of one's pickup groups."""
    await _take_oldest(switch, call, colleagues(switch.settings, phone.number))


def colleagues(settings: Settings, number: str) -> set[str]:
    """Who shares a pickup group with this extension, itself included."""
    groups = {
        name
        for name in {*settings.pickup, *_named(settings, number)}
        if number in _members(settings, name)
    }
    return {number, *(member for name in groups for member in _members(settings, name))}


def _named(settings: Settings, number: str) -> tuple[str, ...]:
    person = settings.extensions.get(number)
    return person.pickup if person is not None else ()


def _members(settings: Settings, name: str) -> set[str]:
    table = settings.pickup.get(name)
    own = {number for number, person in settings.extensions.items() if name in person.pickup}
    return own | set(table.members if table is not None else ())


async def _take_oldest(switch: Switch, call: Call, numbers: Iterable[str]) -> None:
    ringing = [
        leg
        for number in numbers
        for leg in switch.legs.get(number, ())
        if is_ringing(leg) and leg.call is not call
    ]
    if not ringing:
        call.leg.answer()
        await Voice(switch, call).say("pickup-none")
        raise Refused(UNKNOWN_NUMBER, "nothing rings there")
    put_in_place(call, min(ringing, key=lambda leg: leg.times.began))


def is_ringing(leg: Leg) -> bool:
    """Whether the phone rings, and another one may answer instead."""
    return not leg.incoming and not leg.answered and not leg.ended and leg.is_replaceable
