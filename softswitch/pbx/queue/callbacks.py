"""Customers are called back: dialled when the engine says so, each attempt exactly once.

Customer first: he is dialled a little ahead, and waits in his old place for the moment left.
Agent first: see `agent_first`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from acd.actions import DialCallback, Left
from acd.events import CallbackAnswered, CallbackFailed
from acd.types import CallId, VisitOutcome
from config.targets import Kind
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.queue.agent_first import AgentFirst
from softswitch.pbx.queue.bell import Bell
from softswitch.pbx.queue.caller import Caller
from softswitch.pbx.queue.dialling import Dialling
from softswitch.pbx.queue.promises import Promises
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre


class Callbacks:
    """Dials customers as the engine orders it."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self.promises = Promises(centre.switch.store.state)
        self.agent_first = AgentFirst(centre)
        self._ways = Dialling(centre)
        self._dialling: dict[CallId, asyncio.Task[None]] = {}

    def may_call(self, queue: str, number: str) -> bool:
        """Whether the queue may dial `number` at all."""
        return self._ways.may_call(queue, number)

    def left(self, action: Left) -> None:
        """A visit is over: of a callback, the promise may be too."""
        if action.outcome is VisitOutcome.CALLBACK or action.call in self._centre.floor.calls:
            return
        self.promises.forget(action.call)
        if action.outcome is not VisitOutcome.ANSWERED:
            self._stop(action.call)

    async def reach(self, queue: str, known_as: CallId, number: str, bell: Bell) -> Leg | None:
        """The customer's leg, answered; None where he does not answer."""
        await self.promises.farewell(known_as)
        return await self._ways.reach(queue, number, self.promises.line(known_as), bell)

    def facts(self, queue: str, number: str) -> dict[str, Any]:
        """What the record of a call back begins with."""
        dialled = self._centre.settings(queue).number or queue
        route = f"{Kind.QUEUE}:{queue}"
        return {"caller": number, "dialled": dialled, "direction": "outbound", "route": route}

    # -- customer first ----------------------------------------------------------------

    def dial(self, order: DialCallback) -> None:
        """Dial the customer; he waits in line once he has answered."""
        self._stop(order.call)
        task = self._dialling[order.call] = self._switch.spawn(self._fetch(order))
        task.add_done_callback(lambda _: self._forget(order.call, task))

    def _forget(self, call: CallId, task: asyncio.Task[None]) -> None:
        if self._dialling.get(call) is task:
            del self._dialling[call]

    def _stop(self, call: CallId) -> None:
        task = self._dialling.pop(call, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _fetch(self, order: DialCallback) -> None:
        leg = await self.reach(order.queue, order.call, order.number, Bell())
        if leg is None or not self._begin(order, leg):
            self._centre.tell(CallbackFailed(order.call, order.attempt))

    def _begin(self, order: DialCallback, leg: Leg) -> bool:
        """The customer is there: his call goes on where the first one stood."""
        facts = self.facts(order.queue, order.number)
        try:
            call = self._switch.begin(leg, partial(self._wait, order), **facts)
        except (Refused, JournalFullError):
            leg.hang_up(CANCELLED)
            return False
        self.promises.tell(call, order.call)
        call.record.event("called-back", queue=order.queue, call=order.call, attempt=order.attempt)
        return True

    async def _wait(self, order: DialCallback, call: Call) -> None:
        caller = Caller(self._centre, call, order.queue, known_as=order.call)
        prompt = self._prompt(order.queue)
        await caller.resume(CallbackAnswered(order.call, order.attempt), prompt)

    def _prompt(self, queue: str) -> str:
        callback = self._centre.settings(queue).callback
        return (callback.prompt if callback is not None else None) or "callback-connecting"
