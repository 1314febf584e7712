"""Who stands where: joining and leaving, the order of service, steps, limits, announcements.

**The order of service.**  Everybody has one number, the rank: arrival in the *system* minus
`ageing` seconds for each level of priority; the smaller is served first, then the earlier call.
Waiting thus raises everybody equally, two callers never change places by themselves, and a caller
of priority q waits at most for those of priority p who arrive within `ageing * (p - q)` seconds.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from acd.actions import Announce, Joined, Left
from acd.announce import due_lines, next_line
from acd.call import Call, Entry, Phase
from acd.call import Callback as Promise
from acd.floor import Floor
from acd.queue import Queue
from acd.settings import Announcement, Callback, queue_of
from acd.timers import Due
from acd.types import Instant, VisitOutcome

MAX_HOPS = 8
"""Queues one call may be sent through by overflow before it goes out of the ACD."""
CHECK = 5.0
"""How often a callback to be dialled ahead looks at the predicted wait, in seconds."""


class Lines:
    """The waiting side of the floor."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor

    # --- coming ------------------------------------------------------------------------------

    def enter(self, call: Call, *queues: Queue) -> None:
        """Join those queues, and those beside them, whose rules allow it.

        Refused by all, be sent on by the last named.
        """
        refused = []
        if any(queue.settings.also for queue in queues):
            queues = (*self._beside(call, queues), *queues)
        for queue, refusal in [(queue, self._refusal(queue)) for queue in queues]:
            if refusal is None:
                self.join(call, queue, callback=call.callback is not None)
            else:
                refused.append((queue, *refusal))
        for number, (queue, outcome, target) in enumerate(refused, 1):
            last = not call.entries and number == len(refused)
            self.floor.out.append(Left(call.id, queue.name, outcome, 0.0, target, last))
            if last:
                self.go_on(call, target)

    def _beside(self, call: Call, queues: tuple[Queue, ...]) -> list[Queue]:
        """Where callers of these queues wait as well."""
        names = dict.fromkeys(name for queue in queues for name in queue.settings.also)
        known = call.entries.keys() | {queue.name for queue in queues}
        return [self.floor.queues[name] for name in names if name not in known]

    def _refusal(self, queue: Queue) -> tuple[VisitOutcome, str] | None:
        settings = queue.settings
        if not queue.open:
            return VisitOutcome.REFUSED_CLOSED, settings.closed or settings.next
        if not queue.staffed(settings.join_when):
            return VisitOutcome.REFUSED_NO_AGENTS, settings.empty or settings.next
        if settings.max_length is not None and len(queue.line) >= settings.max_length:
            return VisitOutcome.REFUSED_FULL, settings.next
        return None

    def join(self, call: Call, queue: Queue, *, callback: bool = False, why: str = "") -> Entry:
        """Stand in line.  `why` says what set the place, if it is not the end of the line."""
        floor, now = self.floor, self.floor.now
        why = why or ("priority" if call.priority else "arrival")
        entry = Entry(call, queue, now, self.rank(call, queue), why)
        entry.callback = callback
        call.entries[queue.name] = entry
        place = bisect_left(queue.line, entry.row)
        queue.line.insert(place, entry.row)
        queue.entered += 1
        if queue.settings.sticky > 0 and self._awaited(call, queue):
            entry.sticky_until = now + queue.settings.sticky
        if len(queue.steps) > 1:
            self.step(entry)
            self._exhaust(entry)
        self.shelve(entry)
        assert entry.pool is not None
        if not entry.pool.free:
            entry.forecast = queue.predictor.forecast(
                place, queue.staff, queue.handled, queue.longest_wait(now)
            )
        expected = entry.forecast.value if entry.forecast else None
        floor.out.append(Joined(call.id, queue.name, place + 1, call.priority, expected, callback))
        floor.restless[call.id] = call
        floor.newcomers.append(entry)
        if (
            queue.timed
            or entry.sticky_until is not None
            or call.callback
            or call.excluded
            or len(call.entries) > 1
        ):
            self.arm(call)
        return entry

    def _awaited(self, call: Call, queue: Queue) -> bool:
        """The agent of last time is known, sits at this queue and is on duty."""
        agent = self.floor.agents.get(call.preferred)
        return agent is not None and agent.name in queue.seats and agent.manned == 2

    def rank(self, call: Call, queue: Queue) -> float:
        low, high = self.floor.settings.priorities
        priority = min(max(call.priority + queue.settings.priority, low), high)
        return call.arrived - (queue.settings.ageing or self.floor.settings.ageing) * priority

    def rerank(self, call: Call, why: str) -> None:
        """Priority or queue settings changed: take the new place at once, in every queue."""
        for entry in call.entries.values():
            queue = entry.queue
            shelved = entry.shelf is not None
            self.floor.unshelve(entry)
            del queue.line[bisect_left(queue.line, entry.row)]
            entry.take_rank(self.rank(call, queue))
            entry.why, entry.moved_at = why, self.floor.now
            insort(queue.line, entry.row)
            if shelved:
                self.shelve(entry)
        self.floor.restless[call.id] = call

    # --- standing ----------------------------------------------------------------------------

    def shelve(self, entry: Entry) -> None:
        """Stand where the matcher looks, as the call's state has it."""
        call, queue, now = entry.call, entry.queue, self.floor.now
        self.floor.unshelve(entry)
        pool = entry.pool = self.floor.pool(queue, queue.needs(entry))
        if call.phase is not Phase.WAITING or (call.callback and now < call.callback.not_before):
            return
        if call.offers:
            through = next(iter(call.offers.values())).entry
            if entry is not through or not self.wants_more(entry):
                return
            shelf = pool.ringing
        elif not call.live and queue.settings.callback.mode is Callback.CUSTOMER_FIRST:
            shelf = pool.dormant
        else:
            shelf = pool.waiting
        insort(shelf, entry.row)
        entry.shelf = shelf
        self.floor.touched.append(pool)

    def wants_more(self, entry: Entry) -> bool:
        """Fewer agents ring for this caller than the strategy has ring at once."""
        rung = self.floor.now - (self.floor.now if entry.rung_at is None else entry.rung_at)
        return len(entry.call.offers) < entry.queue.rule.fan(entry.queue.settings, rung)

    def requeue(self, call: Call) -> None:
        """Nobody rings for the call any more: it is as it was, its place never left."""
        for entry in call.entries.values():
            entry.rung_at = None
            if not entry.queue.settings.hold:
                self.floor.newcomers.append(entry)
            self._exhaust(entry)
            self.shelve(entry)
        self.floor.restless[call.id] = call
        self.arm(call)

    def _exhaust(self, entry: Entry) -> None:
        """Everybody of this step was asked: the next one opens before its time."""
        queue, call = entry.queue, entry.call
        while call.excluded and entry.sticky_until is None and entry.step + 1 < len(queue.steps):
            pool = self.floor.pool(queue, queue.needs(entry))
            agents = (seat.agent for seat in queue.seats.values())
            if any(a.manned == 2 and a.name not in call.excluded and pool.suits(a) for a in agents):
                return
            entry.step += 1

    def step(self, entry: Entry) -> bool:
        """Take the steps that are due, or give up waiting for one agent; True if any was taken."""
        now, before = self.floor.now, (entry.step, entry.sticky_until)
        steps = entry.queue.steps
        if entry.sticky_until is not None and entry.sticky_until <= now:
            entry.sticky_until = None
        while entry.step + 1 < len(steps) and entry.joined + steps[entry.step + 1][0] <= now:
            entry.step += 1
        return before != (entry.step, entry.sticky_until)

    # --- time --------------------------------------------------------------------------------

    def arm(self, call: Call) -> None:
        """One deadline a call: the earliest of everything that may happen to it by itself."""
        due = [at for entry in call.entries.values() for at in self._deadlines(entry)]
        if call.excluded:
            due += call.excluded.values()
        if call.callback:
            due += self._callback_deadlines(call, call.callback)
        self.floor.timers.arm((Due.CALL, call.id), min(due) if due else None)

    def _callback_deadlines(self, call: Call, callback: Promise) -> list[Instant]:
        """Only for as long as the customer is not on the line, and nobody is being rung."""
        if call.live or call.offers:
            return []
        if call.phase is Phase.DIALLING:
            return [callback.rings_until]
        return [callback.deadline, *([callback.not_before] if callback.not_before else [])]

    def _deadlines(self, entry: Entry) -> list[Instant]:
        queue, call, joined = entry.queue, entry.call, entry.joined
        due = [] if entry.sticky_until is None else [entry.sticky_until]
        if entry.shelf is not None and entry.pool and entry.shelf is entry.pool.dormant:
            due.append(self.floor.now + CHECK)
        if not queue.timed:
            return due
        if entry.step + 1 < len(queue.steps):
            due.append(joined + queue.steps[entry.step + 1][0])
        if call.live and not call.offers:
            if queue.hold is not None:
                due.append(joined + queue.hold)
            due += [joined + waited for waited in queue.limits]
        if call.live and call.phase is Phase.WAITING and queue.settings.announcements:
            line = next_line(queue.settings.announcements, entry.announced)
            if line is not None:
                due.append(joined + line)
        if call.offers and entry.rung_at is not None and not queue.rule.single:
            due += self._next_ring(entry)
        return due

    def _next_ring(self, entry: Entry) -> list[Instant]:
        """When ring-progressive adds an agent."""
        assert entry.rung_at is not None
        if entry.shelf is not None:
            return []  # one is wanted already and none was free: whoever frees up is taken
        step = entry.queue.settings.ring_step
        return [entry.rung_at + step * (1 + (self.floor.now - entry.rung_at + 1e-6) // step)]

    def do_due(self, call: Call) -> None:
        """Whatever the clock brings to this call."""
        now = self.floor.now
        for name in [name for name, until in call.excluded.items() if until <= now]:
            del call.excluded[name]
            self.floor.restless[call.id] = call
        for entry in list(call.entries.values()):
            if call.live and not call.offers and self._time_out(entry):
                continue
            if self.step(entry) or entry.shelf is None:
                self.shelve(entry)
                self.floor.restless[call.id] = call
            if call.live and call.phase is Phase.WAITING:
                self._announce(entry)
        if call.entries:
            self.arm(call)

    def _time_out(self, entry: Entry) -> bool:
        """Send the caller on if the time is over; True if so."""
        settings, hold = entry.queue.settings, entry.queue.hold
        if hold is not None and entry.joined + hold <= self.floor.now:
            self.send_on(entry, VisitOutcome.TIMED_OUT, settings.next)
            return True
        for rule in settings.overflow:
            if rule.waited is not None and entry.joined + rule.waited <= self.floor.now:
                self.send_on(entry, VisitOutcome.OVERFLOWED, rule.target)
                return True
        return False

    def _announce(self, entry: Entry) -> None:
        schedule = entry.queue.settings.announcements
        waited = entry.waited(self.floor.now)
        for line, what in due_lines(schedule, entry.announced, waited):
            self._say(entry, line, what)
        entry.announced = max(entry.announced, waited)

    def _say(self, entry: Entry, line: Announcement, what: str) -> None:
        queue, call, now = entry.queue, entry.call, self.floor.now
        value = upper = None
        because = ""
        if what == "position":
            position = queue.position(entry)
            if entry.told and position > entry.told:
                because = self._why_behind(entry, entry.told_at) or entry.why
            entry.told, entry.told_at, value = position, now, float(position)
        elif what == "wait" and entry.forecast:
            ahead = queue.position(entry) - 1
            value, upper = queue.predictor.remaining(
                entry.forecast, ahead, entry.waited(now), queue.staff, queue.handled
            )
            if entry.told_wait is not None and value > entry.told_wait:
                because = self._why_behind(entry, entry.told_wait_at) or "slower than expected"
            entry.told_wait, entry.told_wait_at = value, now
        self.floor.out.append(Announce(call.id, queue.name, what, value, upper, because))

    def _why_behind(self, entry: Entry, since: Instant) -> str:
        """Why the place is worse than then: this call was moved, or somebody came ahead."""
        if entry.moved_at >= since and entry.moved_at > entry.joined:
            return entry.why
        ahead = (row[3] for row in entry.queue.line[: entry.queue.position(entry) - 1])
        return next((e.why for e in ahead if max(e.joined, e.moved_at) >= since), "")

    # --- going -------------------------------------------------------------------------------

    def leave(
        self, entry: Entry, outcome: VisitOutcome, target: str = "", *, agent: str = ""
    ) -> None:
        """End the visit, once.  The call itself stays on the floor until `forget`."""
        call, queue, now = entry.call, entry.queue, self.floor.now
        self.floor.unshelve(entry)
        del queue.line[bisect_left(queue.line, entry.row)]
        del call.entries[queue.name]
        queue.ended[outcome] += 1
        waited = entry.waited(now)
        if outcome is VisitOutcome.ABANDONED:
            queue.predictor.abandoned(waited)
        ringing, last = bool(call.offers), not call.entries
        if outcome is VisitOutcome.ANSWERED:
            ringing, last = False, True
        self.floor.out.append(
            Left(call.id, queue.name, outcome, waited, target, last, ringing, agent, entry.callback)
        )

    def send_on(self, entry: Entry, outcome: VisitOutcome, target: str) -> None:
        """Leave for `target`; another queue is entered at once, with the old arrival."""
        call = entry.call
        self.leave(entry, outcome, target)
        if not call.entries:
            self.go_on(call, target)

    def go_on(self, call: Call, target: str) -> None:
        """The call waits nowhere: on to the next queue, or out of here."""
        queue = self.floor.queues.get(queue_of(target) or "")
        if queue is None or call.hops >= MAX_HOPS or queue.name in call.entries:
            self.forget(call)
            return
        call.hops += 1
        self.enter(call, queue)

    def forget(self, call: Call) -> None:
        """The call is none of ours any more."""
        self.floor.calls.pop(call.id, None)
        self.floor.restless.pop(call.id, None)
        if call.callback:
            self.floor.promised.pop(call.callback.number, None)
        self.floor.timers.arm((Due.CALL, call.id), None)

    def settle_in(self, entry: Entry) -> None:
        """One who has just joined and was not served at once: may they stay at all?"""
        call, queue, settings = entry.call, entry.queue, entry.queue.settings
        if entry.call.entries.get(queue.name) is not entry or call.offers or not call.live:
            return
        if not settings.hold:
            self.send_on(entry, VisitOutcome.NO_AGENTS, settings.next)
            return
        for rule in settings.overflow:
            too_long = rule.length is not None and len(queue.line) > rule.length
            expected = entry.forecast.value if entry.forecast else 0.0
            if too_long or (rule.expected is not None and expected > rule.expected):
                self.send_on(entry, VisitOutcome.OVERFLOWED, rule.target)
                return

    def thin_out(self, queue: Queue) -> None:
        """The last agent may have gone: those who wait are sent on, if the queue is set so."""
        if queue.staffed(queue.settings.stay_when):
            return
        for row in list(queue.line):
            if row[3].call.live and not row[3].call.offers:
                target = queue.settings.empty or queue.settings.next
                self.send_on(row[3], VisitOutcome.NO_AGENTS, target)
