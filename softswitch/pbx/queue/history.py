"""What is remembered of visits and agents: rows for statistics, and today's counts.

Folded from the engine's actions, live and again when the journal is replayed after a crash: the
same actions give the same rows under the same keys, so that nothing is lost or counted twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from acd.actions import Action, AgentChanged, Joined, Left, OfferEnded, TalkEnded
from acd.events import CallJoined, Event
from acd.floor import Floor
from acd.types import REFUSALS, Instant, State, VisitOutcome
from softswitch.store.statistics import Interval, Statistics, Visit


@dataclass(slots=True)
class Tally:
    """One queue's day; `within` counts those who were answered within the target."""

    day: str = ""
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    short: int = 0

    @property
    def service_level(self) -> float | None:
        """Answered in time, of all who were answered or gave up, short ones left out."""
        offered = self.answered + self.abandoned - self.short
        return self.within / offered if offered else None


class History:
    """Writes visits and agents' intervals.  Times are the engine's, which are epoch seconds."""

    def __init__(self, statistics: Statistics, zone: dt.tzinfo) -> None:
        self._statistics, self._zone = statistics, zone
        self._visits: dict[tuple[str, str], Visit] = {}
        """Those who wait, by (call, queue)."""
        self._talks: dict[tuple[str, str], Visit] = {}
        """Those who talk, by (call, agent)."""
        self._states: dict[str, Interval] = {}
        self._tallies: dict[str, Tally] = {}
        self._born = 0
        """Visits that began by the event in hand."""

    def flush(self) -> None:
        """Write the rows that were gathered."""
        self._statistics.flush()

    @property
    def is_behind(self) -> bool:
        """Whether there are rows to be written."""
        return self._statistics.gathered > 0

    def tally(self, queue: str, now: Instant) -> Tally:
        """Today's counts of a queue."""
        day = dt.datetime.fromtimestamp(now, self._zone).date().isoformat()
        tally = self._tallies.get(queue)
        if tally is None or tally.day != day:
            tally = self._tallies[queue] = Tally(day)
        return tally

    def take(self, event: Event, actions: Iterable[Action], floor: Floor) -> None:
        """What the engine answered to `event`."""
        caller = (event.shown or event.customer) if isinstance(event, CallJoined) else ""
        actions, self._born = list(actions), 0
        for action in actions:  # those whose visit ends by the same event, too
            if isinstance(action, OfferEnded):
                self._offered(action, floor.now)
        for action in actions:
            match action:
                case Joined():
                    self._join(action, caller, floor)
                case Left():
                    self._leave(action, caller, floor)
                case TalkEnded():
                    self._end(action, floor.now)
                case AgentChanged():
                    self._change(action, floor.now)
                case _:
                    pass

    # -- visits ----------------------------------------------------------------------

    def _join(self, action: Joined, caller: str, floor: Floor) -> None:
        call = floor.calls.get(action.call)
        if call is not None:
            caller = call.callback.number if call.callback else call.shown or call.customer
        details = {"callback": True} if action.callback else {}
        visit = Visit(
            self._name(action, floor),
            action.call,
            action.queue,
            caller,
            round(floor.now, 3),
            details=details | {"position": action.position, "priority": action.priority},
        )
        self._visits[action.call, action.queue] = visit
        self._statistics.visit(visit)

    def _leave(self, action: Left, caller: str, floor: Floor) -> None:
        now = round(floor.now, 3)
        visit = self._visits.pop((action.call, action.queue), None)
        if visit is None:  # refused at the door
            visit = Visit(self._name(action, floor), action.call, action.queue, caller, now)
        answered = action.outcome is VisitOutcome.ANSWERED
        visit = replace(
            visit,
            left_at=now,
            connected_at=now if answered else None,
            outcome=action.outcome.value,
            agent=action.agent or None,
            details=visit.details
            | ({"ringing": True} if action.ringing else {})
            | ({"target": action.target} if action.target else {}),
        )
        if answered:
            self._talks[action.call, action.agent] = visit
        self._statistics.visit(visit)
        if not action.callback and action.outcome not in REFUSALS:
            self._count(action, floor)

    def _name(self, action: Joined | Left, floor: Floor) -> str:
        """By the number of the event, which comes again when the journal is replayed, and of the
        visit among those that one event begins."""
        self._born += 1
        return f"{action.call}-{action.queue}-{floor.event}.{self._born}"

    def _count(self, action: Left, floor: Floor) -> None:
        queue = floor.queues.get(action.queue)
        if queue is None:
            return
        tally = self.tally(action.queue, floor.now)
        if action.outcome is VisitOutcome.ANSWERED:
            tally.answered += 1
            tally.within += action.waited <= queue.settings.target
        elif action.outcome is VisitOutcome.ABANDONED:
            tally.abandoned += 1
            tally.short += action.waited <= queue.settings.short_abandon

    def _end(self, action: TalkEnded, now: Instant) -> None:
        visit = self._talks.pop((action.call, action.agent), None)
        if visit is None:
            return
        facts = {
            "talked": round(action.talked, 3),
            "held": round(action.held, 3),
            "ended_by": action.by,
            "transferred": action.transferred,
        }
        self._statistics.visit(replace(visit, details=visit.details | facts))

    def _offered(self, action: OfferEnded, now: Instant) -> None:
        """Offers are kept with the visit; they are written when it ends."""
        key = action.call, action.queue
        visit = self._visits.get(key)
        if visit is not None:
            row = [round(now, 3), action.agent, action.outcome.value, round(action.rang, 3)]
            offers = [*visit.details.get("offers", []), row]
            self._visits[key] = replace(visit, details=visit.details | {"offers": offers})

    # -- agents ----------------------------------------------------------------------

    def _change(self, action: AgentChanged, now: Instant) -> None:
        now = round(now, 3)
        before = self._states.get(action.agent)
        reason = action.detail or None
        if before is not None:
            if (before.state, before.reason) == (action.state, reason):
                return
            if before.state == action.state and before.began_at == now:  # the key is the same
                self._states[action.agent] = replace(before, reason=reason)
                return
            self._statistics.interval(replace(before, ended_at=now))
        began = Interval(action.agent, now, action.state.value, reason=reason)
        self._states[action.agent] = began
        if action.state is not State.OFFLINE:
            self._statistics.interval(began)

    # -- over a restart ----------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """What is not over yet, as JSON can hold it."""
        return {
            "visits": [asdict(visit) for visit in self._visits.values()],
            "talks": [asdict(visit) for visit in self._talks.values()],
            "states": [asdict(state) for state in self._states.values()],
            "tallies": {queue: asdict(tally) for queue, tally in self._tallies.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        visits = [Visit(**facts) for facts in state["visits"]]
        talks = [Visit(**facts) for facts in state["talks"]]
        self._visits = {(visit.call_id, visit.queue): visit for visit in visits}
        self._talks = {(visit.call_id, visit.agent or ""): visit for visit in talks}
        self._states = {facts["agent"]: Interval(**facts) for facts in state["states"]}
        self._tallies = {queue: Tally(**facts) for queue, facts in state["tallies"].items()}
