"""`*66`: ring back once a colleague is free; `*67`: wait for nothing any more (P32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.targets import Kind
from softswitch.calls.call import Call
from softswitch.pbx.peers import Phone
from softswitch.pbx.voice import Voice
from softswitch.store.search import Query

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LOOK_BACK = 20
LONGEST = 20
"""Digits of a number."""


async def callback(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`*66102`, or `*66` alone for the colleague dialled last: ring back once 102 is free."""
    number = number or await _last_dialled(switch, phone.number)
    target = switch.plan.target(number)
    if target is None or target.kind is not Kind.EXTENSION or number == phone.number:
        call.leg.answer()
        await Voice(switch, call).say("callback-refused")
        return
    call.leg.answer()
    switch.recalls.complete(phone.number, number)
    call.record.event("completion-asked", number=number)
    await Voice(switch, call).say("callback-accepted")


async def callback_off(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*67`: wait for nothing any more."""
    call.leg.answer()
    switch.recalls.forget(phone.number)
    call.record.event("completion-forgotten")
    await Voice(switch, call).say("thank-you")


async def _last_dialled(switch: Switch, extension: str) -> str:
    """The colleague whom this extension called last; "" where there is none."""
    records = await switch.store.search()
    calls = await records.page(Query(number=extension), limit=LOOK_BACK)
    dialled = [call["dialled"] for call in calls if call["caller"] == extension]
    return next((number for number in dialled if number in switch.settings.extensions), "")
