"""Transfers by keys: `#` blind; `*2` with a word beforehand, `*3` all three together (P10, P11).

While two of the three talk, the other one waits with music.  `*2` changes with whom the
asking party talks, `#` drops the third and goes back, hanging up leaves the others together.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from config.targets import Kind, Target
from softswitch.calls.causes import NORMAL
from softswitch.calls.dial import ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Digit, Ended, Event, Taken
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.pbx.conversation import Conversation, converse
from softswitch.pbx.key_codes import KeyCodes
from softswitch.pbx.meanwhile import Left, meanwhile
from softswitch.pbx.reach import places, reachable
from softswitch.pbx.transfer import check, follow_by_ear, hand_on
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds

RING_TIME: Final[Seconds] = 60.0
"""How long the third party rings; who asked may give up by `#` before."""


async def blind(talk: Conversation, by: Leg) -> bool:
    """`#`: ask for a number, hand the other party on to it, and let go of who asked."""
    number = await _ask_number(talk, by)
    if isinstance(number, Left):
        return _part(talk, number)
    try:
        if number and await hand_on(talk, by, number, partial(follow_by_ear, by)):
            return True
    except Refused as refusal:
        talk.call.record.event("transfer-refused", to=number, cause=refusal.cause.word)
    return await _go_back(talk, by, "transfer-failed" if number else "")


async def attended(talk: Conversation, by: Leg) -> bool:
    """`*2`: ask for a number, talk with whoever answers there, then decide."""
    number = await _ask_number(talk, by)
    if isinstance(number, Left):
        return _part(talk, number)
    if not number:
        return await _go_back(talk, by, "")
    talk.call.record.event("consulting", by=by.party.number, to=number)
    try:
        third = await _reach(talk, by, number)
    except (NotAnswered, Refused):
        return await _go_back(talk, by, "transfer-failed")
    match third:
        case None:
            return await _go_back(talk, by, "")
        case Left(leg) if leg is by:  # he would not wait for the answer: so it is a blind one
            return await hand_on(talk, by, number, _unheard)
        case Left():
            return _part(talk, third)
        case Leg():
            talk.call.record.leg(third.id, **third.facts())
            return await Consultation(talk, by, third).run()


async def let_go(talk: Conversation, by: Leg) -> bool:
    """`[in_call] hang_up`: for a telephone that has no other way to end a call."""
    by.hang_up()
    return False


class Consultation:
    """Three legs of one call, of which `by` talks with one or with both others."""

    def __init__(self, talk: Conversation, by: Leg, third: Leg) -> None:
        self._talk, self._call, self._served = talk, talk.call, talk.call.leg
        self._by, self._guest, self._third = by, talk.other(by), third
        self._with: tuple[Leg, ...] = (third,)
        self._keys = KeyCodes(talk.switch.settings.in_call)

    async def run(self) -> bool:
        """Until two are left, who then talk; True where the original conversation is over."""
        inbox: Inbox[Event] = Inbox()
        for leg in (self._by, self._guest, self._third):
            leg.divert(inbox)
        self._call.serve(self._by, vital=False)  # whoever goes, two are left
        while True:
            self._join()
            event = await inbox.get()
            if isinstance(event, Ended | Taken):
                return await self._go_on_without(event.leg)
            if isinstance(event, Asked):
                event.respond(491)
            elif isinstance(event, Digit) and event.leg is self._by:
                self._pressed(event.digit)

    def _pressed(self, digit: str) -> None:
        match self._keys.press(digit, asyncio.get_running_loop().time()):
            case "attended_transfer":
                self._with = (self._third if self._with[0] is self._guest else self._guest,)
            case "conference":
                self._with = (self._guest, self._third)
                self._call.record.event("three-way", by=self._by.party.number)
            case "blind_transfer":
                self._third.hang_up(NORMAL)
            case _:
                pass

    def _join(self) -> None:
        """Let each hear those he talks with; who waits, or is held by all, hears music."""
        talking = (self._by, *self._with)
        for leg in (self._by, self._guest, self._third):
            others = [other for other in talking if other is not leg and not other.held]
            if leg in talking and others:
                leg.hear(*others)
            else:
                leg.hear(self._talk.switch.music(self._by))

    async def _go_on_without(self, gone: Leg) -> bool:
        talk, call = self._talk, self._call
        if gone is self._third:
            call.serve(self._served)
            talk.listen()
            talk.join()
            return False
        left = self._guest if gone is self._by else self._by
        if gone is self._by:
            to = self._third.party.number
            call.record.event("transferred", leg=left.id, by=gone.party.number, to=to)
            talk.switch.handed_on(gone)
        call.serve(left)
        await converse(talk.switch, call, left, self._third)
        return True


async def _ask_number(talk: Conversation, by: Leg) -> str | Left | None:
    """What number `by` dials after a prompt, while the other one waits."""
    talk.other(by).hear(talk.switch.music(by))
    settings = talk.switch.settings.transfer
    voice, gap = Voice(talk.switch, talk.call, by), settings.digit_time
    question = voice.ask("transfer-enter-number", most=settings.digits, gap=gap)
    return await meanwhile(talk.inbox, question)


async def _reach(talk: Conversation, by: Leg, number: str) -> Leg | Left | None:
    """Ring whoever that number reaches, for `by`; None where he gave up by `#`."""
    switch, call, served = talk.switch, talk.call, talk.call.leg
    check(switch, by, talk.other(by), number)
    target = switch.plan.target(number) or Target(Kind.NUMBER, number)
    call.serve(by, vital=False)
    try:
        found = [
            place
            for each in reachable(switch, (target,), skip_busy=False)
            for place in places(switch, call, each)
        ]
        return await meanwhile(talk.inbox, ring(call, found, ring_time=RING_TIME), give_up=by)
    finally:
        call.serve(served, vital=not served.ended)


async def _go_back(talk: Conversation, by: Leg, prompt: str) -> bool:
    """The two talk again, after `by` was told why."""
    if prompt:
        await meanwhile(talk.inbox, Voice(talk.switch, talk.call, by).say(prompt))
    talk.listen()
    talk.join()
    return False


def _part(talk: Conversation, left: Left) -> bool:
    """One went while the other was dialling: the conversation is over."""
    if left.leg.ended:
        talk.other(left.leg).hang_up(left.leg.cause)
    return True


def _unheard(status: int) -> None:
    """He has hung up."""
