"""Handing the other party of a conversation on: to a number, or to whom one talks with (P11).

The one who transfers stays until the other side is served, and has the call back where that
fails; who has hung up before is rung.  How he asks for it (REFER, keys) is written elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from config.targets import Kind
from softswitch.calls.call import Call
from softswitch.calls.causes import (
    ELSEWHERE,
    FORBIDDEN,
    LOOP,
    NO_ANSWER,
    UNKNOWN_NUMBER,
    Cause,
)
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Ended, Event, Taken
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import routing
from softswitch.pbx.conversation import Conversation, converse
from softswitch.pbx.extension import connect
from softswitch.pbx.peers import Phone
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

Tell: TypeAlias = Callable[[int], None]
"""Reports to the one who transfers: 180 while it rings, a final status at the end."""

FAREWELL: Final[Seconds] = 2.0
"""How long a phone may take to acknowledge that its transfer has succeeded."""
CODES: Final = frozenset({"leave_message", "park", "slot"})
"""Feature codes that mean something for a party who is sent there by another."""


async def hand_on(talk: Conversation, by: Leg, number: str, tell: Tell) -> bool:
    """Send the other party of `by` to `number`, what `by` would reach by dialling it.

    True where the conversation is over by it, False where `by` has the call back.
    Raises Refused before anything has changed.
    """
    call, guest, served = talk.call, talk.other(by), talk.call.leg
    check(talk.switch, by, guest, number)
    call.record.event("transferred", leg=guest.id, by=by.party.number, to=number)
    call.serve(guest)
    by.hear()
    by.divert().tee(_decline)
    failure = await _Errand(talk.switch, call, by, tell).run(number)
    if failure is None:
        return True
    call.record.event("transfer-failed", by=by.party.number, to=number, cause=failure.word)
    tell(failure.status)
    if by.ended:
        await _recall(talk.switch, call, by)
        return True
    call.serve(served)
    talk.listen()
    talk.join()
    return False


def check(switch: Switch, by: Leg, guest: Leg, number: str) -> None:
    """Raise Refused where this transfer may not be."""
    settings = switch.settings.transfer
    code, target = switch.plan.code(number), switch.plan.target(number)
    if code is not None and code.name not in CODES:
        raise Refused(UNKNOWN_NUMBER, f"{number} is of no use to another party")
    if target is not None and target.kind is Kind.EXTENSION and target.name == guest.owner:
        raise Refused(LOOP, "a party cannot be sent to itself")
    if code is None and target is None and switch.plan.line(number) is None:
        if not settings.outside:
            raise Refused(FORBIDDEN, "[transfer] outside forbids it")
        _check_outsiders(switch, guest.owner is None)
    if by.owner is None:
        raise Refused(FORBIDDEN, "nobody from outside transfers our calls")


async def join_up(talk: Conversation, by: Leg, consulted: Leg, tell: Tell) -> bool:
    """Bring the other party of `by` together with `consulted`, with whom `by` talks elsewhere.

    The call of `consulted` ends with that; the conversation here is over when theirs is.
    """
    switch, call, guest = talk.switch, talk.call, talk.other(by)
    _check_outsiders(switch, guest.owner is None and consulted.owner is None)
    call.record.event("transferred", leg=guest.id, by=by.party.number, to=consulted.party.number)
    take(call, consulted)
    call.serve(guest)
    by.divert().tee(_decline)
    switch.handed_on(by)
    tell(200)
    await converse(switch, call, guest, consulted)
    return True


async def give_place(talk: Conversation, by: Leg, waiting: Leg, tell: Tell) -> bool:
    """Let the other party of `by` wait in a queue where `by` waits himself, by his leg `waiting`.

    The place stays what it is; the conversation here is over.
    """
    switch, call, guest, other = talk.switch, talk.call, talk.other(by), waiting.call
    assert other is not None  # whoever waits has a call
    check(switch, by, guest, other.dialled)
    call.record.event("transferred", leg=guest.id, by=by.party.number, to=other.dialled)
    call.serve(by, vital=False)
    other.add(guest)
    other.serve(guest)
    other.record.leg(guest.id, **guest.facts())
    other.record.event("replaced", leg=waiting.id, by=guest.party.number)
    switch.handed_on(by)
    waiting.hang_up(ELSEWHERE)
    other.release(waiting)
    tell(200)
    await _farewell(by)
    return True


async def _farewell(by: Leg) -> None:
    """Wait until who has transferred is gone, since his report ends that by itself."""
    inbox = by.divert()
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL):
            while not isinstance(event := await inbox.get(), Ended):
                _decline(event)


def take(call: Call, leg: Leg) -> None:
    """`leg` leaves what it is doing in another call and belongs to `call` from now on."""
    leg.notify(Taken(leg))
    call.add(leg)
    call.record.leg(leg.id, **leg.facts())


class _Errand:
    """One party on the way to a number, for another."""

    def __init__(self, switch: Switch, call: Call, by: Leg, tell: Tell) -> None:
        self._switch, self._call, self._by, self._tell = switch, call, by, tell
        self._is_taken = False

    async def run(self, number: str) -> Cause | None:
        """Carry the call there; None when it is over, else why nobody took it."""
        switch, call, guest = self._switch, self._call, self._call.leg
        person = switch.settings.extensions[self._by.owner or ""]
        patience = switch.settings.transfer.recall or None
        call.diverted(self._by.owner or "", "transfer")
        guest.on_fate = self._on_fate
        try:
            async with asyncio.timeout(patience) as self._patience:
                call.hops += 1
                if call.hops > switch.settings.limits.forwards:
                    return LOOP
                await routing.from_phone(switch, Phone(self._by.owner or "", person), number, call)
        except (NotAnswered, Refused) as error:
            if self._is_taken:
                raise
            cause = error.cause
        except TimeoutError:
            cause = NO_ANSWER
        else:
            return None
        finally:
            guest.on_fate = None
        call.diversions.pop()
        return cause

    def _on_fate(self, status: int) -> None:
        if self._is_taken:
            return
        if status == 200:
            self._is_taken = True
            self._switch.handed_on(self._by)
            self._patience.reschedule(None)
        self._tell(status)


async def _recall(switch: Switch, call: Call, by: Leg) -> None:
    """Ring the phones of who transferred and is gone: here is your caller again."""
    number, guest = by.owner or "", call.leg
    person = switch.settings.extensions[number]
    call.record.event("recall", by=number)
    shown = Party(guest.party.number, f"{person.name or number} < {guest.party.name}".rstrip(" <"))
    places = switch.phones(number, guest, shown=shown)
    leg = await ring(call, places, ring_time=person.ring_time)
    await connect(switch, call, leg)


def follow_by_ear(by: Leg, status: int) -> None:
    """Who handed his party on without REFER hears how it rings there, and is let go at last."""
    if status == 180:
        by.hear_ringing()
    elif status == 200:
        by.hang_up()


def _check_outsiders(switch: Switch, both_outside: bool) -> None:
    if both_outside and not switch.settings.transfer.outside_to_outside:
        raise Refused(FORBIDDEN, "[transfer] outside_to_outside forbids it")


def _decline(event: Event) -> None:
    """Who has just transferred wants something more: not now."""
    if isinstance(event, Asked):
        event.respond(491)
