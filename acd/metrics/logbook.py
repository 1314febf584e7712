"""What happened, folded from the engine's actions: visits, conversations, offers, agents' states.

Feed it live, from a journal that is walked again, or from somebody else's log; the figures are the
same.  Nothing is ever reset: an interval is a question, not a counter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from acd.actions import Action, AgentChanged, Held, Joined, Left, OfferEnded, TalkEnded
from acd.types import (
    REFUSALS,
    CallId,
    Instant,
    OfferOutcome,
    Seconds,
    State,
    VisitOutcome,
)


class Stretch(NamedTuple):
    """From `start` to `end`; an open one has no end yet."""

    start: Instant
    end: Instant | None = None

    def within(self, start: Instant, end: Instant) -> Seconds:
        """How much of it lies between these two."""
        own_end = end if self.end is None else self.end
        return max(0.0, min(own_end, end) - max(self.start, start))


@dataclass(slots=True)
class Contact:
    """One caller with one agent, on the agent's own leg, wrap-up included."""

    talk: Stretch
    holds: list[Stretch] = field(default_factory=list)
    wrap_up: Stretch | None = None
    by: str = ""
    transferred: bool = False


@dataclass(slots=True)
class Visit:
    """One stay of one call in one queue, refused at the door or entered at `joined`.

    `callback` visits are those of customers who keep their place without being on the line.
    """

    call: CallId
    queue: str
    joined: Instant
    callback: bool = False
    outcome: VisitOutcome | None = None
    waited: Seconds = 0.0
    ringing: bool = False
    agent: str = ""
    contact: Contact | None = None


class Span(NamedTuple):
    """An agent's state; `detail` is a pause's reason."""

    state: State
    time: Stretch
    detail: str = ""


class OfferRow(NamedTuple):
    """An offer that ended `at`."""

    at: Instant
    call: CallId
    queue: str
    agent: str
    outcome: OfferOutcome
    rang: Seconds


_joined = attrgetter("joined")
_at = attrgetter("at")
_since = attrgetter("time.start")


class Logbook:
    """`visits` by queue in order of joining, `spans` by agent, `offers` in order of ending."""

    def __init__(self) -> None:
        self.visits: dict[str, list[Visit]] = {}
        self.spans: dict[str, list[Span]] = {}
        self.offers: list[OfferRow] = []
        self.now: Instant = 0.0
        self._waiting: dict[tuple[CallId, str], Visit] = {}
        self._talking: dict[tuple[CallId, str], Contact] = {}
        self._wrapping: dict[str, Contact] = {}  # by agent: the conversation that ended last

    def take(self, actions: Iterable[Action], now: Instant) -> None:
        """Fold what was said at `now`."""
        self.now = now
        for action in actions:
            match action:
                case AgentChanged():
                    self._change(action)
                case Joined():
                    self._join(action)
                case Left():
                    self._leave(action)
                case OfferEnded():
                    self.offers.append(
                        OfferRow(
                            now,
                            action.call,
                            action.queue,
                            action.agent,
                            action.outcome,
                            action.rang,
                        )
                    )
                case TalkEnded():
                    self._end(action)
                case Held():
                    self._hold(action)

    # --- callers -----------------------------------------------------------------------------

    def _join(self, action: Joined) -> None:
        visit = Visit(action.call, action.queue, self.now, action.callback)
        self.visits.setdefault(action.queue, []).append(visit)
        self._waiting[action.call, action.queue] = visit

    def _leave(self, action: Left) -> None:
        visit = self._waiting.pop((action.call, action.queue), None)
        if visit is None:  # refused at the door, or joined before this log begins
            joined = self.now - action.waited
            visit = Visit(action.call, action.queue, joined, action.callback)
            line = self.visits.setdefault(action.queue, [])
            line.insert(bisect_left(line, joined, key=_joined), visit)
        visit.outcome, visit.waited, visit.ringing = action.outcome, action.waited, action.ringing
        visit.agent = action.agent
        if action.outcome is VisitOutcome.ANSWERED:
            visit.contact = Contact(Stretch(self.now))
            self._talking[action.call, action.agent] = visit.contact

    def _end(self, action: TalkEnded) -> None:
        contact = self._talking.pop((action.call, action.agent), None)
        if contact is None:
            return
        self._stop_hold(contact)
        contact.talk = Stretch(contact.talk.start, self.now)
        contact.by, contact.transferred = action.by, action.transferred
        self._wrapping[action.agent] = contact

    def _hold(self, action: Held) -> None:
        contact = self._talking.get((action.call, action.agent))
        if contact is None:
            return
        self._stop_hold(contact)
        if action.on:
            contact.holds.append(Stretch(self.now))

    def _stop_hold(self, contact: Contact) -> None:
        if contact.holds and contact.holds[-1].end is None:
            contact.holds[-1] = Stretch(contact.holds[-1].start, self.now)

    # --- agents ------------------------------------------------------------------------------

    def _change(self, action: AgentChanged) -> None:
        spans = self.spans.setdefault(action.agent, [])
        if spans:
            state, time, detail = spans[-1]
            if state is action.state and detail == action.detail:
                return
            spans[-1] = Span(state, Stretch(time.start, self.now), detail)
            if state is State.WRAP_UP and action.agent in self._wrapping:
                self._wrapping.pop(action.agent).wrap_up = spans[-1].time
        spans.append(Span(action.state, Stretch(self.now), action.detail))

    # --- questions ---------------------------------------------------------------------------

    def joined(self, queue: str, start: Instant, end: Instant) -> list[Visit]:
        """Visits that began within [start, end)."""
        line = self.visits.get(queue, [])
        return line[bisect_left(line, start, key=_joined) : bisect_left(line, end, key=_joined)]

    def offered(self, start: Instant, end: Instant) -> list[OfferRow]:
        """Offers that ended within [start, end)."""
        first = bisect_left(self.offers, start, key=_at)
        return self.offers[first : bisect_left(self.offers, end, key=_at)]

    def states(self, agent: str, start: Instant, end: Instant) -> Iterator[tuple[State, Seconds]]:
        """What the agent did within [start, end), and for how long."""
        spans = self.spans.get(agent, [])
        first = max(bisect_left(spans, start, key=_since) - 1, 0)
        end = min(end, self.now)
        for state, time, _ in spans[first:]:
            if time.start >= end:
                return
            if seconds := time.within(start, end):
                yield state, seconds

    def waiting(self, queue: str) -> list[Visit]:
        """Those who wait in the queue now, callbacks included."""
        return [visit for visit in self._waiting.values() if visit.queue == queue]

    def forget(self, before: Instant) -> None:
        """Drop what was over by then; a switch that runs for years keeps only what is asked for."""
        for queue, line in self.visits.items():
            self.visits[queue] = [v for v in line if v.joined >= before or not _over(v)]
        for agent, spans in self.spans.items():
            self.spans[agent] = [s for s in spans if s.time.end is None or s.time.end >= before]
        del self.offers[: bisect_left(self.offers, before, key=_at)]


def _over(visit: Visit) -> bool:
    if visit.outcome is None:
        return False
    return visit.contact is None or visit.contact.talk.end is not None


def refused(visit: Visit) -> bool:
    """The visit never entered the queue."""
    return visit.outcome in REFUSALS
