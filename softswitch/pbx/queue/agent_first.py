"""A callback by which the agent is rung first: once he has answered, the customer is dialled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from acd.actions import Connect
from acd.events import CallbackFailed, Connected, OfferAnswered
from acd.types import OfferOutcome
from config.targets import Kind
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.conversation import converse
from softswitch.pbx.queue.bell import Bell
from softswitch.pbx.queue.ringing import OfferedLeg
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre


class AgentFirst:
    """Agents who have answered for customers who are still to be dialled."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch

    def is_there(self, offered: OfferedLeg) -> None:
        """The agent has answered: a call of his own begins, in which the customer is dialled."""
        assert offered.leg is not None
        offer, callbacks = offered.offer, self._centre.callbacks
        try:
            call = self._switch.begin(
                offered.leg,
                partial(self._carry, offered),
                **callbacks.facts(offer.queue, offer.callback),
                queue=offer.queue,
                agent=offer.agent,
            )
        except (Refused, JournalFullError):
            self._centre.offering.fail(offered, OfferOutcome.UNREACHABLE)
            return
        callbacks.promises.tell(call, offer.call)
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
        leg = await self._centre.callbacks.reach(
            order.queue, order.call, order.callback, Bell(call)
        )
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
