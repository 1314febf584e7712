"""What callers do, and what is done to them by command."""

from __future__ import annotations

from acd.call import Call, Phase
from acd.callbacks import Callbacks
from acd.events import CallEnded, CallJoined, CallLeft, CallMoved, PriorityChanged
from acd.floor import Floor
from acd.lines import Lines
from acd.offers import Offers
from acd.queue import Queue
from acd.skills import SkillError, parse
from acd.timers import Due
from acd.types import OfferOutcome, VisitOutcome

LEAVING = frozenset({VisitOutcome.EXIT, VisitOutcome.WITHDRAWN, VisitOutcome.OVERFLOWED})

AVOIDED = 60.0
"""Seconds in which a call is not offered to the agent from whom it was taken away."""


class Callers:
    def __init__(self, floor: Floor, lines: Lines, offers: Offers, callbacks: Callbacks) -> None:
        self.floor = floor
        self.lines = lines
        self.offers = offers
        self.callbacks = callbacks

    def joined(self, event: CallJoined) -> None:
        """Known calls keep their arrival; so do customers who dropped and come back in time."""
        queues = self._queues(event.queues)
        if not queues:
            return self.floor.refuse(event, f"unknown queue among {event.queues}")
        try:
            parse(event.skills)
        except SkillError as error:
            return self.floor.refuse(event, str(error))
        call = self.floor.calls.get(event.call)
        if call is None:
            call = self._new_call(event)
        elif call.phase is not Phase.WAITING or not call.live:
            return self.floor.refuse(event, f"call {event.call} is being connected")
        self.lines.enter(call, *(q for q in queues if q.name not in call.entries))
        return None

    def _queues(self, names: tuple[str, ...]) -> list[Queue]:
        known = self.floor.queues
        return [known[n] for n in dict.fromkeys(names)] if all(n in known for n in names) else []

    def _new_call(self, event: CallJoined) -> Call:
        floor = self.floor
        arrived, priority = event.arrived, event.priority
        if event.customer in floor.places:
            kept, kept_priority, _ = floor.places.pop(event.customer)
            floor.timers.arm((Due.PLACE, event.customer), None)
            arrived, priority = min(kept, arrived or kept), max(priority, kept_priority)
        arrived = floor.now if arrived is None else min(arrived, floor.now)
        call = Call(event.call, floor.next_call, arrived, priority)
        floor.next_call += 1
        call.customer, call.skills = event.customer, event.skills
        call.shown = event.shown or event.customer
        call.preferred = event.preferred or floor.memory.get(event.customer, "")
        if event.avoid:
            call.excluded[event.avoid] = floor.now + AVOIDED
            call.preferred = "" if call.preferred == event.avoid else call.preferred
        floor.calls[call.id] = call
        return call

    def ended(self, event: CallEnded) -> None:
        """The caller hung up.  The outcome is decided here, once."""
        floor = self.floor
        call = floor.calls.get(event.call)
        if call is None:
            self._end_talk(event.call)
        elif call.live:
            self._keep_place(call)
            entries = list(call.entries.values())
            for entry in entries:
                self.lines.leave(entry, VisitOutcome.ABANDONED)
            self.offers.cancel(call, OfferOutcome.CANCELLED_BY_CALLER)
            self.lines.forget(call)

    def _keep_place(self, call: Call) -> None:
        floor = self.floor
        keep = max((e.queue.settings.keep_place for e in call.entries.values()), default=0.0)
        if call.customer and keep > 0:
            until = floor.now + keep
            floor.places[call.customer] = (call.arrived, call.priority, until)
            floor.timers.arm((Due.PLACE, call.customer), until)

    def _end_talk(self, call: str) -> None:
        """The caller of an answered call is gone: the agent's own leg must follow soon."""
        agent_name, leg = self.floor.talking.pop(call, ("", ""))
        agent = self.floor.agents.get(agent_name)
        if agent and leg in agent.talks:
            talk = agent.talks[leg]
            talk.over = True
            talk.lease = min(talk.lease, self.floor.now + self.floor.settings.leg_grace)
            self.floor.watch(talk.lease)

    def left(self, event: CallLeft) -> None:
        """By a key, or by command; the carrier takes the call on, unless to a queue of ours."""
        call = self.floor.calls.get(event.call)
        if call is None or (event.queue and event.queue not in call.entries):
            return self.floor.refuse(event, f"call {event.call} does not wait there")
        if event.outcome not in LEAVING:
            return self.floor.refuse(event, f"nobody leaves by {event.outcome}")
        if call.phase is not Phase.WAITING:
            return self.floor.refuse(event, f"call {event.call} is being connected")
        entries = [e for n, e in call.entries.items() if event.queue in ("", n)]
        if any(o.entry in entries for o in call.offers.values()):
            self.offers.cancel(call, OfferOutcome.WITHDRAWN)
        for entry in entries:
            self.lines.send_on(entry, event.outcome, event.target)
        if call.entries:
            self.lines.requeue(call)
        return None

    def moved(self, event: CallMoved) -> None:
        """Other queues, same arrival: takes effect at once."""
        call, queues = self.floor.calls.get(event.call), self._queues(event.queues)
        if call is None or not queues:
            return self.floor.refuse(event, f"no call {event.call}, or an unknown queue")
        if call.phase is not Phase.WAITING or not call.live:
            return self.floor.refuse(event, f"call {event.call} is being connected")
        names = {queue.name for queue in queues}
        stale = [entry for entry in call.entries.values() if entry.queue.name not in names]
        if any(o.entry in stale for o in call.offers.values()):
            self.offers.cancel(call, OfferOutcome.WITHDRAWN)
        for queue in queues:
            if queue.name not in call.entries:
                self.lines.join(call, queue, why="moved")
        for entry in stale:
            self.lines.leave(entry, VisitOutcome.WITHDRAWN)
        if not call.offers:
            self.lines.requeue(call)
        return None

    def reprioritised(self, event: PriorityChanged) -> None:
        call = self.floor.calls.get(event.call)
        if call is None:
            return self.floor.refuse(event, f"call {event.call} does not wait")
        why = "priority lowered" if event.priority < call.priority else "priority raised"
        call.priority = event.priority
        self.lines.rerank(call, why)
        return None
