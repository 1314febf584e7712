"""All offers that are open: agents' phones ring, agents confirm and are told whom they get.

Knows how one offer goes on, step by step; what follows from its end is the engine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from acd.actions import Connect, Offer
from acd.events import OfferAnswered, OfferFailed
from acd.types import OfferId, OfferOutcome, Seconds
from softswitch.calls.call import Call
from softswitch.calls.dial import Place
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx import beside
from softswitch.pbx.classes import of_class
from softswitch.pbx.queue.announcements import whisper
from softswitch.pbx.queue.bell import not_now
from softswitch.pbx.queue.ringing import OfferedLeg
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

log = structlog.get_logger("queue")

CONFIRM = "1"
CONFIRM_TIME: Seconds = 8.0
"""How long an agent at an outside number has to press the key, each time he is asked."""


class Offering:
    """Carries offers out."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._open: dict[OfferId, OfferedLeg] = {}

    # -- what the engine orders --------------------------------------------------------

    def offer(self, offer: Offer) -> None:
        """Ring the agent for the caller."""
        caller = self._centre.callers.get(offer.call)
        if caller is None and (back := self._centre.returning.awaited(offer.call)) is not None:
            self._switch.spawn(self._offer_then(offer, back))
            return
        if caller is None and not offer.callback:
            self._centre.tell(OfferFailed(offer.offer, OfferOutcome.WITHDRAWN))
            return
        call = None if caller is None else caller.call
        offered = OfferedLeg(offer, call, self._centre.roster.legs.expect)
        self._open[offer.offer] = offered
        offered.task = self._switch.spawn(self._carry(offered))

    async def _offer_then(self, offer: Offer, back: asyncio.Event) -> None:
        """Ring once it is known whether the caller is still there, if it is still wanted then."""
        await back.wait()
        if offer.offer in self._centre.floor.offers:
            self.offer(offer)

    def withdraw(self, offer: OfferId, *, elsewhere: bool) -> None:
        if (offered := self._open.pop(offer, None)) is not None:
            offered.withdraw(elsewhere=elsewhere)

    def connect(self, order: Connect) -> None:
        if (offered := self._open.get(order.offer)) is not None:
            offered.connect.set_result(order)

    # -- the way of one offer ----------------------------------------------------------

    async def _carry(self, offered: OfferedLeg) -> None:
        """Ring, ask for the key where that is wanted, and bring the two together."""
        outcome = await offered.ring(self._places(offered))
        if outcome is None:
            self._watch(offered)
            if offered.call is None and not offered.over:
                self._centre.callbacks.agent_first.is_there(offered)
                return
            if offered.offer.confirm and not offered.over:
                outcome = await self.confirm(offered)
        if outcome is not None:
            self.fail(offered, outcome)
        if offered.over or offered.leg is None:
            return
        self._centre.tell(OfferAnswered(offered.offer.offer, offered.leg.id))
        connect = await offered.connect
        await self.whisper(offered, connect)
        caller = self._centre.callers.get(connect.call)
        if caller is not None and not offered.over:
            caller.mail.put(offered)

    def _places(self, offered: OfferedLeg) -> Sequence[Place]:
        """The agent's phone, which shows the caller's number and the queue's name."""
        offer, call = offered.offer, offered.call
        if offer.confirm:
            return self._outside(offer, call)
        if offer.phone not in self._switch.settings.extensions:
            return ()
        caller = Party(offer.callback) if call is None else call.leg.party
        title = self._centre.title(offer.queue)
        shown = Party(caller.number, f"{title}: {caller.name or caller.number}")
        return self._switch.phones(offer.phone, None if call is None else call.leg, shown=shown)

    def _outside(self, offer: Offer, call: Call | None) -> Sequence[Place]:
        switch, settings = self._switch, self._switch.settings
        payer = of_class(settings, offer.agent, settings.agents[offer.agent].class_)
        try:
            if call is None:
                return next(beside.ways_alone(switch, payer, offer.phone), ())
            return (beside.place(switch, call, payer, offer.phone),)
        except Refused as refusal:
            log.warning("agent not dialled", agent=offer.agent, why=str(refusal))
            return ()

    def _watch(self, offered: OfferedLeg) -> None:
        """An agent who hangs up before he is joined has not taken the call."""
        assert offered.leg is not None
        offered.leg.divert().tee(not_now)
        offered.leg.on_end = lambda _: self.fail(offered, OfferOutcome.REJECTED)
        if offered.leg.ended:
            self.fail(offered, OfferOutcome.REJECTED)

    async def confirm(self, offered: OfferedLeg) -> OfferOutcome | None:
        """A mobile's voicemail answers but presses no key (D23)."""
        assert offered.leg is not None and offered.call is not None
        voice = Voice(self._switch, offered.call, offered.leg)
        while True:
            key = await voice.ask("agent-accept", most=1, timeout=CONFIRM_TIME)
            if key == CONFIRM:
                return None
            if key:
                return OfferOutcome.REJECTED

    async def whisper(self, offered: OfferedLeg, connect: Connect) -> None:
        assert offered.leg is not None
        queue, call = self._centre.settings(connect.queue), offered.call
        if queue.whisper is not None and call is not None:
            voice = Voice(self._switch, call, offered.leg)
            await voice.say(*whisper(voice, connect.queue, queue, connect.waited))

    # -- the end -----------------------------------------------------------------------

    def fail(self, offered: OfferedLeg, outcome: OfferOutcome) -> None:
        """Nothing came of this offer through the agent or his phone."""
        offer = offered.offer.offer
        if self._open.pop(offer, None) is not None:
            offered.withdraw(elsewhere=False)
            self._centre.tell(OfferFailed(offer, outcome))

    def joined(self, offered: OfferedLeg) -> Leg | None:
        """The caller takes the agent's leg; None where it is too late."""
        if self._open.pop(offered.offer.offer, None) is None:
            return None
        leg, agent = offered.hand_over(), offered.offer.agent
        self._centre.roster.legs.own(leg, agent)
        if offered.call is not None:
            self.tape(agent, offered.call)
        return leg

    def tape(self, agent: str, call: Call) -> None:
        """Have it recorded, if all that this agent says is."""
        settings = self._switch.settings.agents.get(agent)
        if settings is not None and settings.record:
            self._switch.recordings.tape(call).why = f"agent:{agent}"
