"""A recorded day under other rules.

Events about offers mean nothing once other offers are made, so the day is made anew: of its
callers, as far as the record shows how patient they were and how long they had to say, and of its
agents, who come, pause and go as they did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from random import Random

from acd.events import (
    AgentDnd,
    AgentLegEnded,
    AgentLegStarted,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentRegistered,
    AgentResumed,
    AgentScored,
    CallbackCancelled,
    CallbackRequested,
    CallJoined,
    CallLeft,
    CallMoved,
    Event,
    PriorityChanged,
    QueueClosed,
    QueueOpened,
)
from acd.metrics.logbook import Logbook, Visit, refused
from acd.settings import Settings
from acd.simulate.day import Day
from acd.simulate.replay import RecordedDay
from acd.simulate.scenario import Caller, Scenario
from acd.types import CallId, Instant, OfferOutcome, Seconds, VisitOutcome

FROM_OUTSIDE = (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    AgentRegistered,
    AgentDnd,
    AgentScored,
    QueueOpened,
    QueueClosed,
    PriorityChanged,
    CallMoved,
    CallLeft,
    CallbackRequested,
    CallbackCancelled,
)
"""Events that happen whatever the engine decides; those of callers, if they still wait then."""
TALK: Seconds = 180.0
"""Assumed where nobody in a queue was ever answered."""


def reenact(day: RecordedDay, settings: Settings, seed: int = 1) -> Day:
    """The day as it might have gone under these settings; dice fill in what nobody can know."""
    events: list[tuple[Instant, Event]] = []
    if day.events:
        events += [(day.events[0][1], event) for event in day.on_duty]
    events += [(at, event) for event, at in _from_outside(day.events)]
    return Day(Scenario(settings, miss=_missed(day.log)), callers(day, seed), events=events)


def _missed(log: Logbook) -> float:
    """Share of phones that rang in vain, of those that rang until they were answered or gave up."""
    outcomes = Counter(row.outcome for row in log.offers)
    vain = outcomes[OfferOutcome.NO_ANSWER]
    return vain / (vain + outcomes[OfferOutcome.ANSWERED]) if vain else 0.0


def _from_outside(events: Iterable[tuple[Event, Instant]]) -> Iterator[tuple[Event, Instant]]:
    """What nobody decided here, other calls of agents included: those keep them busy again."""
    private: set[tuple[str, str]] = set()
    for event, at in events:
        if isinstance(event, AgentLegStarted) and event.offer is None:
            private.add((event.agent, event.leg))
            yield event, at
        elif isinstance(event, AgentLegEnded) and (event.agent, event.leg) in private:
            private.discard((event.agent, event.leg))
            yield event, at
        elif isinstance(event, FROM_OUTSIDE):
            yield event, at


def callers(day: RecordedDay, seed: int = 1) -> list[Caller]:
    """Those who called, by time.

    Who was answered would have waited at least as long; how much longer is drawn from the
    exponential law that the record suggests.  The talk of those who never were answered, and how
    long the phone would have rung for them, is drawn from that of others in their queue.
    """
    visits = _first_visits(day.log)
    rang = {row.call: row.rang for row in day.log.offers if row.outcome is OfferOutcome.ANSWERED}
    habits = {queue: _Habits(day.log, queue, rang) for queue in day.log.visits}
    joins: dict[CallId, tuple[CallJoined, Instant]] = {}
    for event, at in day.events:
        if type(event) is CallJoined and event.call in visits:
            joins.setdefault(event.call, (event, at))
    rng = Random(seed)
    return [
        habits[visits[call].queue].caller(visits[call], event, at, rang.get(call), rng)
        for call, (event, at) in joins.items()
    ]


def _first_visits(log: Logbook) -> dict[CallId, Visit]:
    visits = sorted((v for line in log.visits.values() for v in line), key=lambda v: v.joined)
    found: dict[CallId, Visit] = {}
    for visit in visits:
        if not visit.callback and not refused(visit):
            found.setdefault(visit.call, visit)
    return found


class _Habits:
    """How callers of one queue were: how long they talked, how patient they were, and how long
    agents' phones rang for them."""

    def __init__(self, log: Logbook, queue: str, rang: Mapping[CallId, Seconds]) -> None:
        visits = [v for v in log.visits[queue] if not refused(v) and not v.callback]
        talks = (_talk(visit) for visit in visits)
        self.talks = [seconds for seconds in talks if seconds is not None]
        self.rings = [rang[visit.call] for visit in visits if visit.call in rang]
        gone = sum(visit.outcome is VisitOutcome.ABANDONED for visit in visits)
        self.patience = sum(visit.waited for visit in visits) / gone if gone else inf

    def caller(
        self, visit: Visit, joined: CallJoined, at: Instant, rang: Seconds | None, rng: Random
    ) -> Caller:
        more = rng.expovariate(1.0) * self.patience if self.patience < inf else inf
        other = self.talks[rng.randrange(len(self.talks))] if self.talks else TALK
        ring = self.rings[rng.randrange(len(self.rings))] if self.rings else 0.0
        talk, luck = _talk(visit), rng.random()
        return Caller(
            at,
            visit.call,
            visit.queue,
            visit.waited + (0.0 if visit.outcome is VisitOutcome.ABANDONED else more),
            other if talk is None else talk,
            ring if rang is None else rang,
            luck,
            joined.customer,
            joined.priority,
            joined.skills,
        )


def _talk(visit: Visit) -> Seconds | None:
    contact = visit.contact
    if contact is None or contact.talk.end is None:
        return None
    return contact.talk.end - contact.talk.start
