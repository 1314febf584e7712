"""Small feature codes: forwards, do not disturb, echo, time, the last caller.

Each says what it has done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

from softswitch.calls.call import Call
from softswitch.calls.causes import UNKNOWN_NUMBER
from softswitch.calls.errors import Refused
from softswitch.pbx import presence, wishes
from softswitch.pbx.peers import Phone
from softswitch.pbx.routing import to_number
from softswitch.pbx.voice import Voice
from softswitch.store.search import Query

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

LOOK_BACK = 50
"""Calls of the extension that are searched for one that came in."""
LONGEST = 20
"""Digits of a number to forward to."""


async def forward_on(switch: Switch, call: Call, phone: Phone, number: str) -> None:
    """`*72102`, or `*72` and the number after a prompt: forward all calls there."""
    call.leg.answer()
    voice = Voice(switch, call)
    number = number or await voice.ask("forward-enter-number", most=LONGEST)
    if not number or number == phone.number:
        await voice.say("invalid")
        return
    wishes.forward_always(phone.number, number, switch.store.state)
    _note(switch, call, phone, "forward", to=number)
    await voice.say("forward-on", voice.value("digits", number))


async def forward_off(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*73`"""
    call.leg.answer()
    wishes.forward_always(phone.number, None, switch.store.state)
    _note(switch, call, phone, "forward", to="")
    await Voice(switch, call).say("forward-off")


async def dnd_on(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*78`: callers find the extension busy."""
    await _disturb(switch, call, phone, not_at_all=True)


async def dnd_off(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*79`"""
    await _disturb(switch, call, phone, not_at_all=False)


async def echo(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*43`: the caller hears himself until he presses `#` or hangs up."""
    call.leg.answer()
    voice = Voice(switch, call)
    await voice.say("echo-begin")
    call.leg.hear(call.leg)
    while await call.leg.digits.get() != "#":
        pass
    await voice.say("echo-end")


async def tell_time(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*60`: day and time at the office."""
    call.leg.answer()
    now = dt.datetime.now(switch.settings.switch.zone)
    voice = Voice(switch, call)
    day, time = voice.value("day", now.date().isoformat()), voice.value("time", f"{now:%H:%M}")
    await voice.say("date-is", day, "time-is", time)
    await asyncio.sleep(1.0)  # the last word is not cut off


async def last_caller(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*69`: who called last; `1` calls back."""
    call.leg.answer()
    number = await _last_caller(switch, phone.number)
    voice = Voice(switch, call)
    if number is None:
        await voice.say("vm-unknown-caller")
        raise Refused(UNKNOWN_NUMBER, "nobody has called")
    told = voice.value("digits", number)
    if await voice.ask("last-caller", told, most=1) == "1":
        await to_number(switch, call, number)


async def _last_caller(switch: Switch, number: str) -> str | None:
    """Who called this extension last, answered or not."""
    records = await switch.store.search()
    calls = await records.page(Query(number=number), limit=LOOK_BACK)
    return next((call["caller"] for call in calls if call["caller"] != number), None)


async def _disturb(switch: Switch, call: Call, phone: Phone, *, not_at_all: bool) -> None:
    call.leg.answer()
    wishes.do_not_disturb(phone.number, not_at_all, switch.store.state)
    _note(switch, call, phone, "do-not-disturb", on=not_at_all)
    switch.subscriptions.changed(presence.EVENT, phone.number)
    await Voice(switch, call).say("dnd-on" if not_at_all else "dnd-off")


def _note(switch: Switch, call: Call, phone: Phone, kind: str, **facts: object) -> None:
    call.record.event(kind, by=phone.number, **facts)
    switch.tell(f"extension.{kind}", extension=phone.number, **facts)
