"""Callers whom their agent leaves on hold: the agent is reminded, then rung, or loses the caller.

When it is time for that is the engine's decision.  A phone that holds cannot be made to take its
party back, so it is rung anew, and the conversation goes on over the new leg.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from acd.actions import Held, Reclaim, Remind, TalkEnded
from acd.events import AgentLegReplaced
from softswitch.calls.causes import CANCELLED, NORMAL
from softswitch.calls.events import Commanded, Replaced
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.messages import post
from softswitch.pbx.queue.bell import Bell
from softswitch.pbx.queue.caller import Caller
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.conversation import Conversation
    from softswitch.pbx.queue.centre import Centre

AGAIN: Seconds = 2.0
TAKEN_OVER: Seconds = 1.0
"""Within which a conversation goes on over the new leg, if it is not just over."""


class Holds:
    """Looks after callers on hold."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._recalls: dict[str, asyncio.Task[None]] = {}
        """Agents who are rung, by name."""

    def remind(self, order: Remind) -> None:
        """Tell the agent, and those who look after agents."""
        sentence = f"{order.agent} has had a caller of {order.queue} on hold for {order.held:.0f} s"
        self._switch.alarms.raise_(_alarm(order), sentence)
        leg = self._leg(order.leg)
        if leg is None or leg.call is None:
            return
        self._note(leg, "hold-reminded", order)
        phone = self._centre.roster.agent(order.agent).phone
        if phone in self._switch.settings.extensions:
            text = f"{self._shown(leg).name}: on hold for {order.held:.0f} s"
            number = self._centre.settings(order.queue).number or order.queue
            post(self._switch, number, phone, "text/plain", text.encode())

    def reclaim(self, order: Reclaim) -> None:
        """Ring the agent with the caller, or take the caller away from him."""
        leg = self._leg(order.leg)
        if leg is None:
            if self._switch.continuing.awaits(order.leg):  # both phones are asked after a crash
                asyncio.get_running_loop().call_later(AGAIN, self.reclaim, order)
            return
        if order.recall:
            self._stop(order.agent)
            self._recalls[order.agent] = self._centre.spawn(self._recall(order, leg))
        else:
            self._return(order, leg)

    def over(self, action: Held | TalkEnded) -> None:
        """The caller is held no longer."""
        self._switch.alarms.clear(_alarm(action))
        self._stop(action.agent)

    # -- ringing the agent -------------------------------------------------------------

    async def _recall(self, order: Reclaim, held: Leg) -> None:
        agent, legs = self._centre.roster.agent(order.agent), self._centre.roster.legs
        self._note(held, "hold-recalled", order)
        bell = Bell(None, legs.expect)
        leg = None
        try:
            if agent.phone in self._switch.settings.extensions:
                shown, caller = self._shown(held), self._caller(held)
                places = self._switch.phones(agent.phone, caller, shown=shown)
                async with asyncio.timeout(self._centre.settings(order.queue).ring_time):
                    leg = await bell.ring(places)
        except TimeoutError:
            pass
        finally:
            bell.stop()
        if leg is None:
            self._return(order, held)
        elif not leg.ended:
            self._take_over(order, held, leg)

    def _take_over(self, order: Reclaim, held: Leg, leg: Leg) -> None:
        """The agent has picked up; what he held is let go by the conversation."""
        self._recalls.pop(order.agent, None)  # this very task, which is about to end by itself
        self._centre.roster.legs.own(leg, order.agent)
        self._centre.tell(AgentLegReplaced(order.agent, held.id, leg.id))
        leg.divert()
        held.notify(Replaced(held, leg))
        asyncio.get_running_loop().call_later(TAKEN_OVER, _let_go_if_alone, leg)

    # -- back into the queue -----------------------------------------------------------

    def _return(self, order: Reclaim, held: Leg) -> None:
        self._note(held, "hold-returned", order)
        held.notify(Commanded(held, partial(self._requeue, order)))

    async def _requeue(self, order: Reclaim, talk: Conversation, held: Leg) -> bool:
        """The agent's leg ends; the caller joins again and stands by his old arrival."""
        if not held.held or order.queue not in self._switch.settings.queues:
            return False
        call, caller = talk.call, talk.other(held)
        self._switch.recordings.rest(call)
        held.divert()
        held.hang_up(NORMAL)
        call.release(held)
        if call.leg is not caller:
            call.serve(caller)
        await Caller(self._centre, call, order.queue, forgotten_by=order.agent).visit()
        return True

    # -- inside ------------------------------------------------------------------------

    def _stop(self, agent: str) -> None:
        task = self._recalls.pop(agent, None)
        if task is not None:
            task.cancel()

    def _note(self, leg: Leg, what: str, order: Remind | Reclaim) -> None:
        if leg.call is not None:
            facts = {"agent": order.agent, "queue": order.queue, "held": round(order.held, 3)}
            leg.call.record.event(what, **facts)

    def _shown(self, held: Leg) -> Party:
        caller = self._caller(held)
        party = caller.party if caller is not None else Party("")
        return Party(party.number, f"On hold: {party.name or party.number}")

    def _caller(self, held: Leg) -> Leg | None:
        legs = held.call.legs if held.call is not None else ()
        return next((leg for leg in legs if leg is not held), None)

    def _leg(self, name: str) -> Leg | None:
        legs = (leg for call in self._switch.calls.values() for leg in call.legs)
        return next((leg for leg in legs if leg.id == name and not leg.ended), None)


def _alarm(about: Remind | Held | TalkEnded) -> str:
    return f"queue:{about.queue}:hold:{about.agent}"


def _let_go_if_alone(leg: Leg) -> None:
    """The conversation was over before it could go on over this leg."""
    if leg.call is None:
        leg.hang_up(CANCELLED)
