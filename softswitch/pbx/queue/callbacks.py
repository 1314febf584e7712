"""Customers are called back: dialled when the engine says so, each attempt exactly once.

Customer first: he is dialled a little ahead, and waits in his old place for the moment left.
Agent first: the agent answers, then the customer is dialled.  What is to be remembered of the
first call (its line, language, what menus collected) lies in the store, so a restart loses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import structlog

from acd.actions import Connect, DialCallback, Left
from acd.events import CallbackAnswered, CallbackFailed, Connected, OfferAnswered
from acd.types import CallId, OfferOutcome, Seconds, VisitOutcome
from config.targets import Kind
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED
from softswitch.calls.dial import Place
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import outside
from softswitch.pbx.classes import Bar, Payer, judge, of_class
from softswitch.pbx.conversation import converse
from softswitch.pbx.queue.bell import Bell
from softswitch.pbx.queue.caller import Caller
from softswitch.pbx.queue.ringing import OfferedLeg
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

log = structlog.get_logger("queue")

FAREWELL: Seconds = 4.0
"""How long one who has asked for a callback may take to hang up."""
SPACE = "callbacks"
"""Where the store remembers whom we promised to call, by call."""


class Callbacks:
    """Dials customers."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._dialling: dict[CallId, asyncio.Task[None]] = {}
        self._leaving: WeakValueDictionary[CallId, Call] = WeakValueDictionary()
        """Those who asked, until they have hung up."""

    # -- the promise -------------------------------------------------------------------

    def may_call(self, queue: str, number: str) -> bool:
        """Whether the queue's class of service lets `number` be dialled at all."""
        if self._inside(number) is not None:
            return True
        if not self._switch.settings.trunks:
            return False
        return judge(self._switch.settings, self._payer(queue), number).bar is Bar.OPEN

    def remember(self, call: Call, known_as: CallId) -> None:
        """What the call back is to know of this one."""
        facts = {
            "name": call.leg.party.name,
            "line": call.line,
            "language": call.language,
            "fields": call.fields,
            "tags": call.tags,
        }
        self.keep(known_as, facts)
        self._leaving[known_as] = call

    def keep(self, known_as: CallId, facts: Mapping[str, Any]) -> None:
        with suppress(JournalFullError):  # he is called back all the same
            self._switch.store.state.set(SPACE, known_as, dict(facts))

    def left(self, action: Left) -> None:
        """A visit is over: of a callback, the promise may be too."""
        if action.outcome is VisitOutcome.CALLBACK or action.call in self._centre.floor.calls:
            return
        with suppress(JournalFullError):
            self._switch.store.state.remove(SPACE, action.call)
        if action.outcome is not VisitOutcome.ANSWERED:
            self._stop(action.call)

    def _stop(self, call: CallId) -> None:
        task = self._dialling.pop(call, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    # -- customer first ----------------------------------------------------------------

    def dial(self, order: DialCallback) -> None:
        """Dial the customer; he waits in line once he has answered."""
        self._stop(order.call)
        task = self._dialling[order.call] = self._switch.spawn(self._fetch(order))
        task.add_done_callback(lambda _: self._forget(order.call, task))

    def _forget(self, call: CallId, task: asyncio.Task[None]) -> None:
        if self._dialling.get(call) is task:
            del self._dialling[call]

    async def _fetch(self, order: DialCallback) -> None:
        leg = await self._reach(order.queue, order.call, order.number, Bell())
        if leg is None or not self._begin(order, leg):
            self._centre.tell(CallbackFailed(order.call, order.attempt))

    def _begin(self, order: DialCallback, leg: Leg) -> bool:
        """The customer is there: his call goes on where the first one stood."""
        try:
            call = self._switch.begin(
                leg, partial(self._wait, order), **self._facts(order.queue, order.number)
            )
        except (Refused, JournalFullError):
            leg.hang_up(CANCELLED)
            return False
        self._restore(call, order.call)
        call.record.event("called-back", queue=order.queue, call=order.call, attempt=order.attempt)
        return True

    async def _wait(self, order: DialCallback, call: Call) -> None:
        caller = Caller(self._centre, call, order.queue, known_as=order.call)
        prompt = self._prompt(order.queue)
        await caller.resume(CallbackAnswered(order.call, order.attempt), prompt)

    # -- agent first -------------------------------------------------------------------

    def agent_is_there(self, offered: OfferedLeg) -> None:
        """The agent has answered for a customer who is still to be dialled."""
        assert offered.leg is not None
        offer = offered.offer
        try:
            call = self._switch.begin(
                offered.leg,
                partial(self._carry, offered),
                **self._facts(offer.queue, offer.callback),
                queue=offer.queue,
                agent=offer.agent,
            )
        except (Refused, JournalFullError):
            self._centre.offering.fail(offered, OfferOutcome.UNREACHABLE)
            return
        self._restore(call, offer.call)
        offered.call, offered.task = call, call.task

    async def _carry(self, offered: OfferedLeg, call: Call) -> None:
        offering, agent = self._centre.offering, call.leg
        try:
            if offered.offer.confirm and (refusal := await offering.confirm(offered)) is not None:
                offering.fail(offered, refusal)
                return
            self._centre.tell(OfferAnswered(offered.offer.offer, agent.id))
            order = await offered.connect
            await offering.whisper(offered, order)
            customer = await self._dial_for(agent, order, call)
        finally:
            if not offered.over and agent.ended:
                offering.fail(offered, OfferOutcome.REJECTED)
        if customer is not None:
            await self._join(offered, order, call, customer)

    async def _dial_for(self, agent: Leg, order: Connect, call: Call) -> Leg | None:
        """Dial the customer while the agent hears it ring."""
        agent.hear(self._switch.board.ringback)
        leg = await self._reach(order.queue, order.call, order.callback, Bell(call))
        if leg is None:
            self._centre.tell(CallbackFailed(order.call, order.attempt))
        return leg

    async def _join(self, offered: OfferedLeg, order: Connect, call: Call, customer: Leg) -> None:
        agent = self._centre.offering.joined(offered)
        if agent is None:
            customer.hang_up(CANCELLED)
            return
        call.add(customer)
        call.serve(customer)
        call.doing = f"{Kind.QUEUE}:{order.queue}"
        call.record.event("called-back", queue=order.queue, call=order.call, attempt=order.attempt)
        self._centre.follow(customer, order.call)
        self._centre.tell(Connected(order.offer))
        await converse(self._switch, call, customer, agent)

    # -- dialling ----------------------------------------------------------------------

    async def _reach(self, queue: str, known_as: CallId, number: str, bell: Bell) -> Leg | None:
        """The customer's leg, answered; None where he does not answer."""
        leaving = self._leaving.pop(known_as, None)
        if leaving is not None and leaving.task is not None:  # his line is not free before
            await asyncio.wait((leaving.task,), timeout=FAREWELL)
        try:
            async with asyncio.timeout(self._ring_time(queue)):
                for places in self._ways(queue, known_as, number):
                    leg = await bell.ring(places)
                    if leg is not None or bell.status not in outside.TRY_NEXT:
                        return leg
        except TimeoutError:
            pass
        finally:
            bell.stop()
        return None

    def _ways(self, queue: str, known_as: CallId, number: str) -> Iterator[Sequence[Place]]:
        """Phones of ours, else one trunk after the other."""
        extension = self._inside(number)
        if extension is not None:
            shown = Party(self._centre.settings(queue).number or queue, self._centre.title(queue))
            yield self._switch.phones(extension, None, shown=shown)
            return
        line = self._kept(known_as).get("line")
        yield from outside.ways_alone(self._switch, self._payer(queue), number, line)

    def _inside(self, number: str) -> str | None:
        target = self._switch.plan.target(number)
        return target.name if target is not None and target.kind is Kind.EXTENSION else None

    def _payer(self, queue: str) -> Payer:
        callback = self._centre.settings(queue).callback
        return of_class(self._switch.settings, queue, callback.class_ if callback else None)

    def _ring_time(self, queue: str) -> float:
        callback = self._centre.settings(queue).callback
        return callback.ring_time if callback is not None else 45.0

    def _prompt(self, queue: str) -> str:
        callback = self._centre.settings(queue).callback
        return (callback.prompt if callback is not None else None) or "callback-connecting"

    # -- what is known of the customer ---------------------------------------------------

    def _facts(self, queue: str, number: str) -> dict[str, Any]:
        dialled = self._centre.settings(queue).number or queue
        route = f"{Kind.QUEUE}:{queue}"
        return {"caller": number, "dialled": dialled, "direction": "outbound", "route": route}

    def _kept(self, known_as: CallId) -> dict[str, Any]:
        kept: dict[str, Any] = self._switch.store.state.get(SPACE, known_as) or {}
        return kept

    def _restore(self, call: Call, known_as: CallId) -> None:
        kept = self._kept(known_as)
        call.line, call.language = kept.get("line"), kept.get("language")
        call.fields, call.tags = dict(kept.get("fields") or {}), tuple(kept.get("tags") or ())
