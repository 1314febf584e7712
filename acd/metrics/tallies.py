"""Counts of an interval, for a queue or an agent.  Counts go where the visit began; time is split.

A visit belongs to the interval of its joining, with all that followed, however late.  Totals of
time (`talk`, `hold`, `wrap_up` of an agent, states) count the seconds that lie in the interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from acd.metrics.logbook import Logbook, Stretch, Visit, refused
from acd.types import Instant, OfferOutcome, Seconds, State, VisitOutcome

MISSES = frozenset(
    {
        OfferOutcome.NO_ANSWER,
        OfferOutcome.REJECTED,
        OfferOutcome.BUSY,
        OfferOutcome.UNREACHABLE,
    }
)
"""Offers that ended without an answer through the agent, their phone or its line."""
FLOW_OUT = frozenset({VisitOutcome.TIMED_OUT, VisitOutcome.OVERFLOWED, VisitOutcome.NO_AGENTS})
"""The switch sent the caller on."""
AWAY = frozenset({State.OFFLINE, State.PAUSED})
"""States in which an agent is not at work."""


@dataclass(slots=True)
class QueueTally:
    """Visits by outcome, and sums of their times in seconds.

    Callbacks are apart: a caller who asks for one ends a visit so, and the visit of the callback
    itself is in `callbacks_…` only.
    """

    offered: int = 0
    refused: int = 0
    waiting: int = 0
    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    short: int = 0
    ring_abandoned: int = 0
    callback: int = 0
    callback_within: int = 0
    exited: int = 0
    flow_out: int = 0
    withdrawn: int = 0
    waited: Seconds = 0.0
    waited_answered: Seconds = 0.0
    longest_wait: Seconds = 0.0
    contacts: int = 0
    transferred: int = 0
    talk_and_hold: Seconds = 0.0
    hold: Seconds = 0.0
    wrap_up: Seconds = 0.0
    callbacks: int = 0
    callbacks_answered: int = 0
    callbacks_expired: int = 0
    waiting_now: int = 0
    waiting_over: int = 0
    longest_now: Seconds = 0.0
    cost: float = 0.0

    def __add__(self, other: QueueTally) -> QueueTally:
        """Both together: the longest of longest waits, the sum of everything else."""
        pairs = ((f.name, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return QueueTally(**{n: max(a, b) if "longest" in n else a + b for n, a, b in pairs})


def queue_tally(
    log: Logbook,
    queue: str,
    start: Instant = -inf,
    end: Instant = inf,
    *,
    target: Seconds = 20.0,
    short: Seconds = 5.0,
    cost: float = 0.0,
) -> QueueTally:
    """Visits that began in [start, end).  "Within" means `waited <= target`; short ones `<= short`.

    `waiting_now`, `waiting_over` and `longest_now` are of this moment, whatever the interval.
    `cost` is what the interval cost in all, in whatever money.
    """
    tally = QueueTally(cost=cost)
    for visit in log.joined(queue, start, end):
        if refused(visit):
            tally.refused += 1
        elif visit.callback:
            tally.callbacks += 1
            tally.callbacks_answered += visit.outcome is VisitOutcome.ANSWERED
            tally.callbacks_expired += visit.outcome is VisitOutcome.EXPIRED
        else:
            _count(tally, visit, target, short, log.now)
        _add_contact(tally, visit, log.now)
    now = [log.now - visit.joined for visit in log.waiting(queue) if not visit.callback]
    tally.waiting_now, tally.longest_now = len(now), max(now, default=0.0)
    tally.waiting_over = sum(wait > target for wait in now)
    return tally


def _count(tally: QueueTally, visit: Visit, target: Seconds, short: Seconds, now: Instant) -> None:
    tally.offered += 1
    if visit.outcome is None:
        tally.waiting += 1
        tally.longest_wait = max(tally.longest_wait, now - visit.joined)
        return
    waited = visit.waited
    tally.waited += waited
    tally.longest_wait = max(tally.longest_wait, waited)
    within = waited <= target
    if visit.outcome is VisitOutcome.ANSWERED:
        tally.answered += 1
        tally.answered_within += within
        tally.waited_answered += waited
    elif visit.outcome is VisitOutcome.ABANDONED:
        tally.abandoned += 1
        tally.abandoned_within += within
        tally.short += waited <= short
        tally.ring_abandoned += visit.ringing
    elif visit.outcome is VisitOutcome.CALLBACK:
        tally.callback += 1
        tally.callback_within += within
    elif visit.outcome is VisitOutcome.EXIT:
        tally.exited += 1
    elif visit.outcome in FLOW_OUT:
        tally.flow_out += 1
    else:
        tally.withdrawn += 1


def _add_contact(tally: QueueTally, visit: Visit, now: Instant) -> None:
    """Whole conversations only: one that goes on would make the mean too small."""
    contact = visit.contact
    if contact is None or contact.talk.end is None:
        return
    tally.contacts += 1
    tally.transferred += contact.transferred
    tally.talk_and_hold += contact.talk.within(-inf, now)
    tally.hold += sum(hold.within(-inf, now) for hold in contact.holds)
    tally.wrap_up += contact.wrap_up.within(-inf, now) if contact.wrap_up else 0.0


@dataclass(slots=True)
class AgentTally:
    """One agent's seconds by state, offers by outcome, and conversations that began."""

    logged_in: Seconds = 0.0
    paused: Seconds = 0.0
    idle: Seconds = 0.0
    ringing: Seconds = 0.0
    talk_and_hold: Seconds = 0.0
    hold: Seconds = 0.0
    wrap_up: Seconds = 0.0
    other_calls: Seconds = 0.0
    answered: int = 0
    misses: int = 0
    taken_back: int = 0
    contacts: int = 0
    transferred: int = 0
    planned: Seconds = 0.0
    adhered: Seconds = 0.0

    def __add__(self, other: AgentTally) -> AgentTally:
        return AgentTally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


class Planned(NamedTuple):
    """A stretch of an agent's paid time, to be spent at `work` or in a break."""

    time: Stretch
    work: bool = True


Plans: TypeAlias = Mapping[str, Sequence[Planned]]
"""By agent; what is not planned is not paid."""
NO_PLANS: Plans = MappingProxyType({})


def agent_tallies(
    log: Logbook,
    start: Instant = -inf,
    end: Instant = inf,
    agents: Iterable[str] | None = None,
    plans: Plans = NO_PLANS,
) -> dict[str, AgentTally]:
    """Every agent's interval [start, end), or that of those named.  O(what happened in it)."""
    found = {name: AgentTally() for name in (log.spans if agents is None else agents)}
    for name, tally in found.items():
        _add_states(tally, log, name, start, end)
        for planned in plans.get(name, ()):
            _add_plan(tally, log, name, planned, (start, min(end, log.now)))
    for row in log.offered(start, end):
        if (offered := found.get(row.agent)) is not None:
            offered.answered += row.outcome is OfferOutcome.ANSWERED
            offered.misses += row.outcome in MISSES
            offered.taken_back += row.outcome not in MISSES | {OfferOutcome.ANSWERED}
    for line in log.visits.values():
        for visit in line:
            if visit.contact is not None and (served := found.get(visit.agent)) is not None:
                _add_share(served, visit, start, min(end, log.now))
    return found


def _add_states(tally: AgentTally, log: Logbook, name: str, start: Instant, end: Instant) -> None:
    seconds: dict[State, Seconds] = dict.fromkeys(State, 0.0)
    for state, time in log.states(name, start, end):
        seconds[state] += time
    tally.logged_in = sum(seconds.values()) - seconds[State.OFFLINE]
    tally.paused, tally.idle = seconds[State.PAUSED], seconds[State.IDLE]
    tally.ringing, tally.wrap_up = seconds[State.RINGING], seconds[State.WRAP_UP]
    tally.other_calls = seconds[State.BUSY]
    tally.talk_and_hold = seconds[State.TALKING]


def _add_plan(
    tally: AgentTally, log: Logbook, name: str, planned: Planned, within: tuple[Instant, Instant]
) -> None:
    """Seconds in the state that was planned, of those planned."""
    begin = max(planned.time.start, within[0])
    end = within[1] if planned.time.end is None else min(planned.time.end, within[1])
    if begin >= end:
        return
    there = sum(s for state, s in log.states(name, begin, end) if state not in AWAY)
    tally.planned += end - begin
    tally.adhered += there if planned.work else end - begin - there


def _add_share(tally: AgentTally, visit: Visit, start: Instant, end: Instant) -> None:
    """The part of a conversation that lies within the interval."""
    contact = visit.contact
    assert contact is not None
    if start <= contact.talk.start < end:
        tally.contacts += 1
        tally.transferred += contact.transferred
    tally.hold += sum(hold.within(start, end) for hold in contact.holds)
