"""One caller in a queue: waits with music and announcements, leaves by a key, gets an agent.

A match never waits for sound: whatever is said or asked is cut off when the agent is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from acd.actions import Announce, Joined, Left, OfferEnded
from acd.actions import Refused as NotTaken
from acd.events import CallJoined, CallLeft, Connected, Event
from acd.skills import at_least
from acd.types import Seconds, VisitOutcome
from config.queues import Queue
from config.targets import Kind, Target
from softswitch.calls.call import Call
from softswitch.calls.causes import NO_ANSWER, UNKNOWN_NUMBER
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Digit
from softswitch.calls.events import Event as Happening
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS
from softswitch.pbx.acd_settings import target_text
from softswitch.pbx.conversation import converse
from softswitch.pbx.queue.afterwards import go_on
from softswitch.pbx.queue.asking_back import CALLBACK, ask_back
from softswitch.pbx.queue.hearing import Hearing
from softswitch.pbx.queue.hours import look_at_hours
from softswitch.pbx.queue.ringing import OfferedLeg

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre
    from softswitch.pbx.switch import Switch

Mail: TypeAlias = Happening | Announce | Left | OfferedLeg
NOT_NOW = 501
"""Nothing can be asked of us in mid-queue, such as a transfer."""


class Turned(Exception):  # noqa: N818 - the way out of waiting, no fault
    """The waiting is over: with an agent's leg, or without."""

    def __init__(self, leg: Leg | None) -> None:
        self.leg = leg


class Caller:
    """A call that waits.  `queue` is the one whose rules and music hold now."""

    def __init__(
        self, centre: Centre, call: Call, queue: str, *, known_as: str = "", forgotten_by: str = ""
    ) -> None:
        """`known_as`: the call as the engine knows it already.

        `forgotten_by`: the agent from whom it was taken away; he is not asked again soon, and
        nobody is greeted twice.
        """
        self.centre, self.call, self.queue = centre, call, queue
        self.id = known_as or call.id
        self.mail: Inbox[Mail] = Inbox()
        self.left: Left | None = None
        self.hearing = Hearing(centre.switch, call, centre.spawn)
        self._greeting: str | None = None
        self._forgotten_by = forgotten_by
        self._offered_callback = False

    @property
    def settings(self) -> Queue:
        return self.centre.settings(self.queue)

    # -- the whole visit ---------------------------------------------------------------

    async def visit(self) -> None:
        """Join, wait, and be joined with an agent or sent on."""
        await self._stay(self._join)

    async def resume(self, news: Event | None, greeting: str | None) -> None:
        """One who stands in line already is on the line again, which `news` tells the engine."""
        self._greeting = greeting
        await self._stay(partial(self._return, news))

    async def _stay(self, begin: Callable[[], None]) -> None:
        self.centre.enter(self)
        try:
            begin()
            leg = await self._wait()
        finally:
            self.hearing.stop()
            self.centre.leave(self)
        if leg is not None:
            await converse(self.centre.switch, self.call, self.call.leg, leg)
        else:
            assert self.left is not None  # waiting ends with an agent, or by leaving
            await go_on(self.centre.switch, self.call, self.left)

    async def _wait(self) -> Leg | None:
        try:
            if self.left is None:
                self._open()
            while True:
                match await self.next():
                    case Digit(_, digit):
                        await self._pressed(digit)
                    case Asked(_, _, respond):
                        respond(NOT_NOW)
                    case _:  # holding and resuming changes nothing here
                        pass
        except Turned as turn:
            return turn.leg

    def _return(self, news: Event | None) -> None:
        answer = self.centre.tell(news) if news is not None else []
        known = self.centre.floor.calls.get(self.id)
        if known is None or any(isinstance(action, NotTaken) for action in answer):
            raise NotAnswered(NO_ANSWER.status)
        self.centre.came(self.call, known.arrived)
        self.centre.returning.is_back(self.id)
        self.call.record.learn(queue=self.queue)
        self.call.doing = f"{Kind.QUEUE}:{self.queue}"

    # -- joining -----------------------------------------------------------------------

    def _join(self) -> None:
        call, customer = self.call, self._customer()
        look_at_hours(self.centre, self.queue)
        event = CallJoined(
            self.id,
            (self.queue,),
            customer=customer,
            shown="" if customer == self.number else self.number,
            priority=call.priority,
            arrived=self.centre.arrived(call),
            skills=" and ".join(at_least(name, level) for name, level in call.skills.items()),
            avoid=self._forgotten_by,
        )
        call.record.learn(queue=self.queue)
        self.centre.tell(event)

    def _customer(self) -> str:
        """By what the engine knows who he is."""
        sticky = self.settings.sticky
        if sticky is not None and sticky.by == "customer" and "customer" in self.call.fields:
            return self.call.fields["customer"]
        return self.number

    @property
    def number(self) -> str:
        """Where he can be called; "" for one who does not show it."""
        number = self.call.leg.party.number
        return "" if number == ANONYMOUS.number else number

    def _open(self) -> None:
        """The caller hears that he waits: music, or ringing where nobody is held."""
        self.call.leg.divert().tee(self.mail.put)
        if not self.settings.hold:
            self.call.leg.ring()
            self.centre.returning.remember(self)
            return
        self.call.language = self.call.language or self.settings.language
        greeting = self._greeting or (None if self._forgotten_by else self.settings.greeting)
        self.call.leg.answer()
        self.call.record.leg(self.call.leg.id, **self.call.leg.facts())
        self.centre.returning.remember(self)
        self.hearing.begin(self.settings, greeting)

    def take_leg(self) -> None:
        """The one who waited was replaced by another party, who waits in his place."""
        if self.hearing.has_begun:
            self._open()

    # -- what happens meanwhile --------------------------------------------------------

    def hear_of(self, action: Joined | Left | Announce | OfferEnded) -> None:
        """The engine speaks of this call."""
        match action:
            case Joined(_, queue, position, _, expected):
                self.call.record.event("queued", queue=queue, position=position)
                if self._stands_elsewhere(queue):  # that queue's rules hold
                    return
                self._stand_in(queue)
                after = self.settings.callback.offer_after if self.settings.callback else None
                self._offered_callback = (
                    after is not None and expected is not None and expected > after
                )
                if self._offered_callback:
                    self.hearing.say("callback-offer")
            case Left():
                self._leave(action)
            case Announce():
                self._announce(action)
            case OfferEnded(_, _, queue, agent, outcome, rang):
                how = {"outcome": outcome.value, "rang": round(rang, 3)}
                self.call.record.event("offered", queue=queue, agent=agent, **how)

    def _stands_elsewhere(self, queue: str) -> bool:
        known = self.centre.floor.calls.get(self.id)
        return queue != self.queue and known is not None and self.queue in known.entries

    def _stand_in(self, queue: str) -> None:
        self.queue = queue
        self.call.doing = f"{Kind.QUEUE}:{queue}"  # recorded, say, as that queue wants it
        self.hearing.follow(self.settings)

    def _leave(self, action: Left) -> None:
        if action.outcome is VisitOutcome.ANSWERED:
            return
        known = self.centre.floor.calls.get(self.id)
        waits_on = known is not None
        if known is not None and known.entries and self.queue not in known.entries:
            self._stand_in(next(iter(known.entries)))
        self.call.record.event(
            "left-queue", queue=action.queue, outcome=action.outcome.value, to=action.target
        )
        if action.outcome is VisitOutcome.CALLBACK or (action.last and not waits_on):
            self.left = action  # of several, the last one says where to go
            self.mail.put(action)

    def _announce(self, action: Announce) -> None:
        if action.because:
            self.call.record.event("position-rose", position=action.value, why=action.because)
        if action.queue == self.queue:
            self.hearing.announce(self.settings, action)

    async def next(self, patience: Seconds | None = None) -> Mail:
        """What happens next; raises Turned where that ends the waiting."""
        if self.left is not None:
            raise Turned(None)
        item = await self.mail.get(patience)
        if isinstance(item, OfferedLeg):
            if (leg := self._connect(item)) is not None:
                raise Turned(leg)
        elif isinstance(item, Left):
            raise Turned(None)
        return item

    def _connect(self, offered: OfferedLeg) -> Leg | None:
        """Take the agent who is there now; None if he is gone again."""
        leg = self.centre.offering.joined(offered)
        if leg is None:
            return None
        call, waited = self.call, round(offered.connect.result().waited, 3)
        self.hearing.stop()
        call.leg.answer(prefer=leg.codec)
        call.leg.hear(leg)
        leg.hear(call.leg)
        call.record.learn(agent=offered.offer.agent, queue=offered.offer.queue, waited=waited)
        call.record.leg(leg.id, **leg.facts())
        self.centre.tell(Connected(offered.offer.offer))
        return leg

    # -- leaving -----------------------------------------------------------------------

    async def _pressed(self, digit: str) -> None:
        targets = self.settings.exit_keys.get(digit, ())
        callback = [target for target in targets if target.kind is Kind.CALLBACK]
        if callback or (not targets and digit == CALLBACK and self._offered_callback):
            await ask_back(self)
        elif targets:
            exit_ = CallLeft(self.id, outcome=VisitOutcome.EXIT, target=target_text(targets))
            self.centre.tell(exit_)


async def queue(switch: Switch, call: Call, target: Target) -> None:
    """`queue:NAME`: wait until an agent is there, or as the queue's rules have it go elsewhere."""
    if target.name not in switch.settings.queues:
        raise Refused(UNKNOWN_NUMBER)
    await Caller(switch.centre, call, target.name).visit()
