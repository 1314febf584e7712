"""The life of an offer: made, answered, connected or failed; each ending has its own policy.

An offer is a reservation with a lease.  Whatever word is lost, the agent is free again after
`ring_time`, or `connect_time` once the phone has picked up.
"""

from __future__ import annotations

from acd.actions import Connect, Offer, OfferEnded, Withdraw
from acd.agent import Agent, Talk
from acd.call import Call, Entry, Offered, Phase
from acd.explain import Decision
from acd.floor import Floor
from acd.lines import Lines
from acd.settings import MISSES
from acd.timers import Due
from acd.types import OfferId, OfferOutcome, Status, VisitOutcome

SMOOTHING = 0.05
AGENTS_FAULT = frozenset(
    {
        OfferOutcome.REJECTED,
        OfferOutcome.NO_ANSWER,
        OfferOutcome.UNREACHABLE,
        OfferOutcome.BUSY,
    }
)
"""What the carrier may report; the other outcomes are the engine's own knowledge."""


class Offers:
    def __init__(self, floor: Floor, lines: Lines) -> None:
        self.floor = floor
        self.lines = lines

    # --- made --------------------------------------------------------------------------------

    def make(self, entry: Entry, agent: Agent, decision: Decision) -> None:
        """Reserve the agent and have them rung."""
        floor, call, queue = self.floor, entry.call, entry.queue
        offer, now, settings = floor.next_offer, floor.now, queue.settings
        floor.next_offer += 1
        offered = Offered(offer, call, entry, agent, now, now + settings.ring_time)
        floor.offers[offer] = call.offers[offer] = offered
        agent.offers[offer] = call.id
        agent.offered_at = now
        call.asked.add(agent.name)
        queue.pointer = queue.seats[agent.name].order
        if entry.rung_at is None:
            entry.rung_at = now
        for other in call.entries.values():
            floor.unshelve(other)
        if not queue.rule.single:
            self.lines.shelve(entry)
            self.lines.arm(call)
        floor.timers.arm((Due.OFFER, offer), offered.ends)
        floor.decisions.append(decision)
        if agent.pooled:
            floor.unpool(agent)
        floor.refresh(agent)
        callback = call.callback.number if call.callback and not call.live else ""
        floor.out.append(
            Offer(
                offer,
                call.id,
                queue.name,
                agent.name,
                agent.settings.external or agent.phone,
                settings.ring_time,
                now - entry.joined,
                callback,
                bool(agent.settings.external),
            )
        )

    # --- answered ----------------------------------------------------------------------------

    def answered(self, offer: OfferId, leg: str) -> None:
        """The phone picked up: the first to do so gets the call, any other has lost the race."""
        offered = self.floor.offers.get(offer)
        if offered is None:
            self.floor.out.append(Withdraw(offer, ""))
            return
        call, now = offered.call, self.floor.now
        if call.served_by is not None:
            if call.served_by != offer:
                self.end(offered, OfferOutcome.LOST_RACE, withdraw=True)
            return
        call.phase, call.served_by = Phase.CONNECTING, offer
        offered.leg = leg or offered.leg or f"offer-{offer}"
        offered.ends = now + offered.entry.queue.settings.connect_time
        self.floor.timers.arm((Due.OFFER, offer), offered.ends)
        for entry in call.entries.values():
            self.floor.unshelve(entry)
        number, attempt = "", 0
        if call.callback and not call.live:
            call.callback.attempt += 1
            number, attempt = call.callback.number, call.callback.attempt
        queue, waited = offered.entry.queue, offered.entry.waited(now)
        self.floor.out.append(
            Connect(offer, call.id, queue.name, offered.agent.name, waited, number, attempt)
        )
        if queue.settings.cancel_on_answer:
            self._lose(call, offer)

    def connected(self, offer: OfferId) -> None:
        """Both-way sound: the visit is answered, and whoever still rings has lost."""
        offered = self.floor.offers.get(offer)
        if offered is None or offered.call.served_by != offer:
            self.floor.out.append(Withdraw(offer, offered.agent.name if offered else ""))
            return
        call = offered.call
        self._lose(call, offer)
        self._begin_talk(offered)
        self.end(offered, OfferOutcome.ANSWERED)
        self.lines.leave(offered.entry, VisitOutcome.ANSWERED, agent=offered.agent.name)
        for entry in list(call.entries.values()):
            self.lines.leave(entry, VisitOutcome.WITHDRAWN)
        self.lines.forget(call)

    def _begin_talk(self, offered: Offered) -> None:
        floor, agent, entry, now = self.floor, offered.agent, offered.entry, self.floor.now
        call, queue, waited = offered.call, entry.queue, entry.waited(now)
        lease = now + floor.settings.leg_lease
        floor.watch(lease)
        agent.talks[offered.leg] = Talk(call.id, queue.name, offered.leg, now, lease)
        agent.legs.pop(offered.leg, None)
        agent.answered_at = now
        agent.misses.clear()
        agent.ledger.book(now, calls=1)
        seat = queue.seats.get(agent.name)
        if seat:
            seat.served += 1 / seat.weight
        floor.talking[call.id] = (agent.name, offered.leg)
        queue.predictor.served(entry.forecast, waited, now)
        queue.level += SMOOTHING * ((waited <= queue.settings.target) - queue.level)
        if call.customer:
            floor.memory[call.customer] = agent.name
            floor.memory.move_to_end(call.customer)
            if len(floor.memory) > floor.settings.memory:
                floor.memory.popitem(last=False)

    def _lose(self, call: Call, winner: OfferId) -> None:
        for offered in [o for o in call.offers.values() if o.id != winner]:
            self.end(offered, OfferOutcome.LOST_RACE, withdraw=True)

    # --- failed ------------------------------------------------------------------------------

    def failed(self, offer: OfferId, outcome: OfferOutcome) -> None:
        """The carrier reports the end.  A word about an offer that is over is ignored."""
        offered = self.floor.offers.get(offer)
        if offered is not None:
            self.fail(offered, outcome)

    def fail(self, offered: Offered, outcome: OfferOutcome, *, withdraw: bool = False) -> None:
        """End an offer that led to nothing; the caller's leg is never touched, nor their place."""
        call = offered.call
        if call.served_by == offered.id:
            call.served_by, call.phase = None, Phase.WAITING
        self.end(offered, outcome, withdraw=withdraw)
        if not call.offers:
            self.lines.requeue(call)
        else:
            self.lines.shelve(next(iter(call.offers.values())).entry)
            self.floor.restless[call.id] = call
            self.lines.arm(call)

    def do_due(self, offer: OfferId) -> None:
        """The lease is over."""
        offered = self.floor.offers[offer]
        answered = offered.call.served_by == offer
        outcome = OfferOutcome.UNREACHABLE if answered else OfferOutcome.NO_ANSWER
        self.fail(offered, outcome, withdraw=True)

    def cancel(self, call: Call, outcome: OfferOutcome) -> None:
        """Nobody needs to ring for this call any more."""
        for offered in list(call.offers.values()):
            self.end(offered, outcome, withdraw=True)
        call.served_by = None
        if call.phase is Phase.CONNECTING:
            call.phase = Phase.WAITING

    def release(self, agent: Agent, outcome: OfferOutcome) -> None:
        """Nothing that was offered to the agent is to reach him, answered or not."""
        for offer in list(agent.offers):
            self.fail(self.floor.offers[offer], outcome, withdraw=True)

    def silence(self, agent: Agent, outcome: OfferOutcome) -> None:
        """The agent is not to be rung any more; what he has answered goes on, as a talk would."""
        for offered in [self.floor.offers[offer] for offer in agent.offers]:
            if offered.call.served_by != offered.id:
                self.fail(offered, outcome, withdraw=True)

    def end(self, offered: Offered, outcome: OfferOutcome, *, withdraw: bool = False) -> None:
        """Forget the offer and apply the outcome's policy; who is to hear of it does."""
        floor, call, agent = self.floor, offered.call, offered.agent
        del floor.offers[offered.id], call.offers[offered.id], agent.offers[offered.id]
        call.asked.discard(agent.name)
        floor.timers.arm((Due.OFFER, offered.id), None)
        name, queue = agent.name, offered.entry.queue.name
        if withdraw:
            elsewhere = outcome is OfferOutcome.LOST_RACE
            floor.out.append(Withdraw(offered.id, name, elsewhere))
        rang = floor.now - offered.made
        floor.out.append(OfferEnded(offered.id, call.id, queue, name, outcome, rang))
        if outcome is not OfferOutcome.ANSWERED:
            self._apply_policy(offered, outcome)
        floor.refresh(agent)

    def _apply_policy(self, offered: Offered, outcome: OfferOutcome) -> None:
        agent, now = offered.agent, self.floor.now
        policy = offered.entry.queue.settings.misses.get(outcome) or MISSES[outcome]
        if policy.skip:
            offered.call.excluded[agent.name] = now + policy.skip
        if policy.rest:
            agent.rest_until = now + policy.rest
        if policy.lose_turn:
            agent.idle_since = now
            if agent.pooled:  # free for a second call all the while: their place is another now
                self.floor.unpool(agent)
        if policy.pause_after:
            misses = [at for at in agent.misses.get(outcome, ()) if now - at < policy.window]
            misses.append(now)
            agent.misses[outcome] = misses
            if len(misses) >= policy.pause_after and agent.status is Status.READY:
                agent.status, agent.reason = Status.PAUSED, f"missed calls: {outcome}"
                agent.misses.clear()
                self.floor.report(agent)
