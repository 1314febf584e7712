"""One caller in a queue: waits with music and announcements, leaves by a key, gets an agent.

A match never waits for sound: whatever is said or asked is cut off when the agent is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from acd.actions import Announce, Joined, Left
from acd.actions import Refused as NotTaken
from acd.events import CallbackRequested, CallJoined, CallLeft, Connected, Event
from acd.skills import at_least
from acd.types import Seconds, VisitOutcome
from config.queues import Queue
from config.targets import Kind, Target
from media.items import Item
from softswitch.calls.call import Call
from softswitch.calls.causes import BUSY, NO_ANSWER, UNKNOWN_NUMBER
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Digit
from softswitch.calls.events import Event as Happening
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS
from softswitch.pbx.acd_settings import target_text, targets_of
from softswitch.pbx.conversation import converse
from softswitch.pbx.queue.announcements import announcement
from softswitch.pbx.queue.ringing import OfferedLeg
from softswitch.pbx.queue.sound import HoldSound
from softswitch.pbx.targets import serve
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre
    from softswitch.pbx.switch import Switch

Mail: TypeAlias = Happening | Announce | Left | OfferedLeg
CALLBACK = "1"
"""The key that takes up the offer of a callback, where no setting names one."""
FIRST_KEY: Seconds = 20.0
"""From a question's beginning to the first key of the answer."""
GAP: Seconds = 4.0
NOT_NOW = 501
"""Nothing can be asked of us in mid-queue, such as a transfer."""


class Turned(Exception):  # noqa: N818 - the way out of waiting, no fault
    """The waiting is over: with an agent's leg, or without."""

    def __init__(self, leg: Leg | None) -> None:
        self.leg = leg


class Caller:
    """A call that waits.  `queue` is the one whose rules and music hold now."""

    def __init__(self, centre: Centre, call: Call, queue: str, *, known_as: str = "") -> None:
        """`known_as`: the call as the engine knows it already."""
        self.centre, self.call, self.queue = centre, call, queue
        self.id = known_as or call.id
        self.mail: Inbox[Mail] = Inbox()
        self.left: Left | None = None
        self._greeting: str | None = None
        self._voice = Voice(centre.switch, call)
        self._sound: HoldSound | None = None
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
            if self._sound is not None:
                self._sound.stop()
            self.centre.leave(self)
        if leg is not None:
            await converse(self.centre.switch, self.call, self.call.leg, leg)
        else:
            await self._go_on()

    async def _wait(self) -> Leg | None:
        try:
            if self.left is None:
                self._open()
            while True:
                match await self._next():
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
        call = self.call
        self.centre.roster.look_at_hours(self.queue)
        event = CallJoined(
            self.id,
            (self.queue,),
            customer=self._customer(),
            priority=call.priority,
            arrived=self.centre.arrived(call),
            skills=" and ".join(at_least(name, level) for name, level in call.skills.items()),
        )
        call.record.learn(queue=self.queue)
        self.centre.tell(event)

    def _customer(self) -> str:
        """By what the engine knows who he is."""
        sticky = self.settings.sticky
        if sticky is not None and sticky.by == "customer" and "customer" in self.call.fields:
            return self.call.fields["customer"]
        return self._number()

    def _number(self) -> str:
        """Where he can be called; "" for one who does not show it."""
        number = self.call.leg.party.number
        return "" if number == ANONYMOUS.number else number

    def _open(self) -> None:
        """The caller hears that he waits: music, or ringing where nobody is held."""
        self.call.leg.divert().tee(self.mail.put)
        if not self.settings.hold:
            self.call.leg.ring()
            return
        self.call.language = self.call.language or self.settings.language
        greeting = self._greeting or self.settings.greeting
        self.call.leg.answer()
        self.call.record.leg(self.call.leg.id, **self.call.leg.facts())
        self.centre.returning.remember(self)
        self._sound = self._hold_sound()
        self._sound.play_music()
        self._say(*([greeting] if greeting else []))

    def _hold_sound(self) -> HoldSound:
        switch, leg = self.centre.switch, self.call.leg
        return HoldSound(switch.board.media, leg, switch.sounds.music(self._music()))

    def _music(self) -> str | None:
        return self.settings.music or self.call.music

    def take_leg(self) -> None:
        """The one who waited was replaced by another party, who waits in his place."""
        self._voice = Voice(self.centre.switch, self.call)
        if self._sound is not None:
            self._sound.stop()
            self._open()

    # -- what happens meanwhile --------------------------------------------------------

    def hear_of(self, action: Joined | Left | Announce) -> None:
        """The engine speaks of this call."""
        match action:
            case Joined(_, queue, position, _, expected):
                self._stand_in(queue)
                self.call.record.event("queued", queue=queue, position=position)
                after = self.settings.callback.offer_after if self.settings.callback else None
                self._offered_callback = (
                    after is not None and expected is not None and expected > after
                )
                if self._offered_callback:
                    self._say("callback-offer")
            case Left():
                self._leave(action)
            case Announce():
                self._announce(action)

    def _stand_in(self, queue: str) -> None:
        self.queue = queue
        self.call.doing = f"{Kind.QUEUE}:{queue}"  # recorded, say, as that queue wants it
        if self._sound is not None:
            self._sound.change_music(self.centre.switch.sounds.music(self._music()))

    def _leave(self, action: Left) -> None:
        if action.outcome is VisitOutcome.ANSWERED:
            return
        waits_on = self.id in self.centre.floor.calls
        self.call.record.event(
            "left-queue", queue=action.queue, outcome=action.outcome.value, to=action.target
        )
        if action.outcome is VisitOutcome.CALLBACK or (action.last and not waits_on):
            self.left = action  # of several, the last one says where to go
            self.mail.put(action)

    def _announce(self, action: Announce) -> None:
        if action.because:
            self.call.record.event("position-rose", position=action.value, why=action.because)
        if self._sound is not None:
            self._say(*announcement(self._voice, self.settings, action))

    def _say(self, *what: str | Item) -> None:
        """Over the music, when it can be said; nobody waits for it."""
        if what:
            self.centre.spawn(self._speak(what))

    async def _speak(self, what: tuple[str | Item, ...]) -> None:
        items = await self._voice.items(*what)
        if self._sound is not None:
            self._sound.say(items)

    async def _next(self, patience: Seconds | None = None) -> Mail:
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
        if self._sound is not None:
            self._sound.stop()
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
            await self._ask_for_callback()
        elif targets:
            exit_ = CallLeft(self.id, outcome=VisitOutcome.EXIT, target=target_text(targets))
            self.centre.tell(exit_)

    async def _ask_for_callback(self) -> None:
        """The caller keeps the place and hangs up; meanwhile the turn may come after all."""
        number = self._number()
        while True:
            if number:
                spoken = self._voice.value("digits", number)
                key = await self._ask("callback-number", spoken, "callback-confirm")
            else:
                key = "2"
            if key == "1":
                break
            if key != "2":
                return
            number = await self._ask("callback-enter-number", most=20)
            if not number:
                return
        if self._promise(number):
            return
        self._say("callback-refused")

    def _promise(self, number: str) -> bool:
        """Whether we may call there, and the engine takes it."""
        if not self.centre.callbacks.may_call(self.queue, number):
            return False
        self.centre.callbacks.remember(self.call, self.id)
        answer = self.centre.tell(CallbackRequested(self.id, number))
        return not any(isinstance(action, NotTaken) for action in answer)

    async def _ask(self, *what: str | Item, most: int = 1) -> str:
        """Keys pressed in answer to a question; "" if none came."""
        if self._sound is not None:
            self._sound.hush()
        self._say(*what)
        keys = ""
        while len(keys) < most:
            try:
                event = await self._next(GAP if keys else FIRST_KEY)
            except TimeoutError:
                break
            if isinstance(event, Digit):
                if event.digit == "#":
                    break
                keys += event.digit
        if self._sound is not None:
            self._sound.hush()
        return keys

    async def _go_on(self) -> None:
        """Where those go who are not served here; nobody is let go without a word."""
        left = self.left
        assert left is not None  # waiting ends with an agent, or by leaving
        if left.outcome is VisitOutcome.CALLBACK:
            await self._voice.say("callback-accepted")
            return
        if targets := targets_of(left.target):
            await serve(self.centre.switch, self.call, targets)
            return
        self.call.leg.open_early()
        await self._voice.say(WORDS.get(left.outcome, "queue-unattended"))
        full = left.outcome is VisitOutcome.REFUSED_FULL
        raise NotAnswered((BUSY if full else NO_ANSWER).status)


WORDS = {
    VisitOutcome.REFUSED_FULL: "queue-full",
    VisitOutcome.OVERFLOWED: "queue-full",
    VisitOutcome.REFUSED_CLOSED: "closed",
}
"""What is said to callers for whom the settings name no other place."""


async def queue(switch: Switch, call: Call, target: Target) -> None:
    """`queue:NAME`: wait until an agent is there, or as the queue's rules have it go elsewhere."""
    if target.name not in switch.settings.queues:
        raise Refused(UNKNOWN_NUMBER)
    await Caller(switch.centre, call, target.name).visit()
