"""`*68` and its slots: a call waits with music until any phone fetches it (P17).

Who parks is told the slot; a page may tell everybody.  After a while the call goes back to
the one who parked it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from softswitch.calls.call import Call
from softswitch.calls.causes import CONGESTED, UNKNOWN_NUMBER
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.conversation import Conversation, converse
from softswitch.pbx.page import announce
from softswitch.pbx.parking import Parked
from softswitch.pbx.peers import Phone
from softswitch.pbx.targets import serve
from softswitch.pbx.transfer import hand_on
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

T = TypeVar("T")


async def park(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """Park the served party in the name of `phone`, until somebody fetches it.

    Who dials the code himself is parked himself: so one learns a slot before transferring.
    """
    settings = switch.settings.park
    parked = switch.parking.take(call, settings.slots.numbers(), phone.number)
    if parked is None:
        await _tell_parker(switch, call, phone.number, "park-full")
        raise Refused(CONGESTED, "all slots are taken")
    call.record.event("parked", by=phone.number, slot=parked.slot)
    try:
        if settings.announce:
            await _tell_parker(switch, call, phone.number, "park-slot", parked.slot)
        call.leg.answer()
        call.leg.hear(switch.sounds.music(settings.music))
        if settings.page is not None:
            switch.spawn(announce(switch, settings.page, "page-call-waiting", parked.slot))
        leg = await _fetched(switch, parked)
    finally:
        switch.parking.leave(parked)
    if leg is None:
        await serve(switch, call, settings.then)
    else:
        call.record.event("fetched", slot=parked.slot, by=leg.party.number)
        call.record.leg(leg.id, **leg.facts())
        await converse(switch, call, call.leg, leg)


async def fetch(switch: Switch, call: Call, phone: Phone, slot: str) -> None:
    """A slot was dialled: take the call that waits there."""
    parked = switch.parking.get(slot)
    if parked is None or parked.fetched.done() or parked.call is call:
        call.leg.answer()
        await Voice(switch, call).say("park-empty")
        raise Refused(UNKNOWN_NUMBER, f"nobody waits in {slot}")
    leg = call.leg
    leg.answer(prefer=parked.call.leg.codec)
    call.record.event("fetched", slot=slot, call=parked.call.id)
    parked.call.add(leg)
    parked.fetched.set_result(leg)


async def park_by_key(talk: Conversation, by: Leg) -> bool:
    """`[in_call] park`: the other party is parked."""
    code = talk.switch.settings.codes.park
    try:
        return await hand_on(talk, by, code, lambda status: by.hang_up() if status == 200 else None)
    except Refused:
        return False


async def _fetched(switch: Switch, parked: Parked) -> Leg | None:
    """Who has taken the call: any phone, or the one who parked it, rung after a while.

    None where he does not answer and `then` says where it goes; else it rings on.
    """
    settings = switch.settings.park
    while True:
        try:
            async with asyncio.timeout(settings.recall):
                return await asyncio.shield(parked.fetched)
        except TimeoutError:
            pass
        try:
            return await _either(parked.fetched, _recall(switch, parked))
        except NotAnswered:
            if settings.then:
                return None


async def _recall(switch: Switch, parked: Parked) -> Leg:
    """Ring the one who parked it; the waiting party goes on hearing music."""
    call, person = parked.call, switch.settings.extensions[parked.by]
    waiting = call.leg.party
    call.record.event("recall", by=parked.by, slot=parked.slot)
    shown = Party(waiting.number, f"{parked.slot}: {waiting.name or waiting.number}")
    places = switch.phones(parked.by, call.leg, shown=shown)
    if not places:
        await asyncio.sleep(switch.settings.park.recall)  # perhaps somebody fetches it yet
    return await ring(call, places, ring_time=person.ring_time, quiet=True)


async def _either(fetched: asyncio.Future[T], recall: Coroutine[Any, Any, T]) -> T:
    """What comes first; the other one is given up."""
    task = asyncio.get_running_loop().create_task(recall)
    try:
        await asyncio.wait((fetched, task), return_when=asyncio.FIRST_COMPLETED)
        return fetched.result() if fetched.done() else task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # what it raised has been looked at


async def _tell_parker(
    switch: Switch, call: Call, number: str, prompt: str, slot: str = ""
) -> None:
    """Say it to the phone that parks, while it is still there."""
    by = next((leg for leg in call.legs if leg.owner == number and leg is not call.leg), call.leg)
    if by.owner != number or by.ended:
        return
    by.answer()
    voice = Voice(switch, call, by)
    await voice.say(prompt, *([voice.value("digits", slot)] if slot else []))
