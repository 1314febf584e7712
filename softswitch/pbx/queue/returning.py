"""Callers who waited when the switch ended: their phones may still be on the line.

Who waits and is answered is written down with his dialog.  After a restart each is called inside
it (re-INVITE): who is there waits on in his place; who is not is called back in it, where that
may be.  Meanwhile agents may be chosen for them, but ring only once the caller is there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from acd.agent import Agent
from acd.call import Call as Waiting
from acd.call import Phase
from acd.events import (
    AgentLegsCounted,
    CallbackFailed,
    CallbackRequested,
    CallEnded,
    OfferFailed,
)
from acd.types import CallId, OfferOutcome
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS
from softswitch.pbx.continuing import Back
from softswitch.pbx.dialogs import (
    call_facts,
    found,
    leg_facts,
    restore_call,
    skip_numbers,
    told_of,
    use_channel,
)
from softswitch.pbx.queue.caller import Caller
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

SPACE = "waiting"
"""Where the store remembers dialogs of those who wait, by call."""


class Returning:
    """Takes up what the last run left."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._awaited: dict[CallId, asyncio.Event] = {}

    # -- before the restart ------------------------------------------------------------

    def remember(self, caller: Caller) -> None:
        """`caller` is on the line and waits."""
        facts = leg_facts(self._switch, caller.call.leg)
        if facts is not None:
            self._set(caller.id, facts | call_facts(caller.call))

    def forget(self, call: CallId) -> None:
        """Waits no more."""
        with suppress(JournalFullError):  # at the start, who waits no more is forgotten anyway
            self._switch.store.state.remove(SPACE, call)

    def _set(self, call: CallId, facts: dict[str, Any]) -> None:
        with suppress(JournalFullError):  # then he is called back after a crash
            self._switch.store.state.set(SPACE, call, facts)

    # -- at the start ------------------------------------------------------------------

    def begin(self) -> None:
        """Look at what the engine remembers.  Of all legs only those of conversations may come
        back; nobody is rung yet."""
        floor, tell = self._centre.floor, self._centre.tell
        for call in floor.calls.values():
            if call.live:
                self._awaited[call.id] = asyncio.Event()
        for offer in list(floor.offers):
            tell(OfferFailed(offer, OfferOutcome.WITHDRAWN))
        for agent in list(floor.agents.values()):
            if agent.talks or agent.legs:
                tell(AgentLegsCounted(agent.name, self._awaited_legs(agent)))
        for call in list(floor.calls.values()):
            if call.phase is Phase.DIALLING and call.callback is not None:
                tell(CallbackFailed(call.id, call.callback.attempt))

    def _awaited_legs(self, agent: Agent) -> tuple[str, ...]:
        """Those of conversations that may go on: he is busy until that is known."""
        continuing, legs = self._switch.continuing, self._centre.roster.legs
        awaited = tuple(leg for leg in (*agent.talks, *agent.legs) if continuing.awaits(leg))
        for leg in awaited:
            legs.expect_back(leg, agent.name)
        return awaited

    def goes_on(self, back: Back) -> None:
        """Two talk again: the caller's end, and the agent's, mean what they did."""
        agent = self._centre.roster.legs.agent_of(back.other)
        talk = self._centre.floor.agents[agent].talks.get(back.other.id) if agent else None
        if agent is None or talk is None:
            return
        self._centre.follow(back.call.leg, talk.call)
        back.call.record.learn(queue=talk.queue, agent=agent)
        self._centre.offering.tape(agent, back.call)

    def resume(self) -> None:
        """Call those who waited, in order; to be done once we can be heard."""
        floor = self._centre.floor
        waited = [call for name in self._awaited if (call := floor.calls.get(name)) is not None]
        for call in sorted(waited, key=lambda call: min(e.row[:2] for e in call.entries.values())):
            self._switch.spawn(self._take_up(call))
        kept = self._switch.store.state.space(SPACE)
        for stale in [name for name in kept if name not in self._awaited]:
            self.forget(stale)

    def awaited(self, call: CallId) -> asyncio.Event | None:
        """Set once it is known whether this caller is still there; None for all others."""
        return self._awaited.get(call)

    def is_back(self, call: CallId) -> None:
        if (event := self._awaited.pop(call, None)) is not None:
            event.set()

    # -- one of them -------------------------------------------------------------------

    async def _take_up(self, waiting: Waiting) -> None:
        facts = self._switch.store.state.get(SPACE, waiting.id)
        leg = None
        if facts is not None:
            self._set(waiting.id, skip_numbers(facts))
            leg = await found(self._switch, facts)
        if leg is None or not self._begin(leg, waiting, facts):
            self._lost(waiting)

    def _begin(self, leg: Leg, waiting: Waiting, facts: dict[str, Any]) -> bool:
        queue = next(iter(waiting.entries), None)
        if queue is None:
            leg.hang_up(CANCELLED)
            return False
        try:
            wait = partial(self._wait, waiting.id, queue)
            call = self._switch.begin(leg, wait, **told_of(leg, facts))
        except (Refused, JournalFullError):
            leg.hang_up(CANCELLED)
            return False
        restore_call(call, facts)
        call.record.event("resumed", call=waiting.id)
        use_channel(self._switch, leg, facts, call)
        return True

    async def _wait(self, known_as: CallId, queue: str, call: Call) -> None:
        await Caller(self._centre, call, queue, known_as=known_as).resume(None, None)

    def _lost(self, waiting: Waiting) -> None:
        """His phone is gone: call it back in his place, or count him as one who gave up."""
        known = self._switch.store.state.get(SPACE, waiting.id)
        self.forget(waiting.id)
        number = _number_of(waiting, known)
        queue = next(iter(waiting.entries), "")
        callbacks = self._centre.callbacks
        if number and queue and callbacks.may_call(queue, number):
            callbacks.promises.keep(waiting.id, known or {})
            self._centre.tell(CallbackRequested(waiting.id, number))
        known_call = self._centre.floor.calls.get(waiting.id)
        if known_call is not None and known_call.live:
            self._centre.tell(CallEnded(waiting.id))
        self.is_back(waiting.id)


def _number_of(waiting: Waiting, kept: dict[str, Any] | None) -> str:
    """Where the customer can be called."""
    if waiting.callback is not None:
        return waiting.callback.number
    number = kept["party"][0] if kept else waiting.shown or waiting.customer
    return "" if number == ANONYMOUS.number else number
