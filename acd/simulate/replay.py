"""A recorded day walked again: the same engine and events, the same decisions, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.actions import Connect, ShadowDiffered
from acd.engine import Engine
from acd.events import AgentLoggedIn, Event
from acd.metrics.logbook import Logbook
from acd.settings import Settings
from acd.simulate.day import Assignment
from acd.types import Instant, Status


@dataclass(frozen=True)
class RecordedDay:
    """What a walk over the journal showed; `settings` are those that held at its beginning.

    `on_duty` brings back the agents who had logged in before; `shadow` is where a shadow strategy
    would have decided otherwise.
    """

    settings: Settings
    on_duty: tuple[Event, ...]
    log: Logbook = field(default_factory=Logbook)
    events: list[tuple[Event, Instant]] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    shadow: list[ShadowDiffered] = field(default_factory=list)


def replay(engine: Engine, events: Iterable[tuple[Event, Instant]]) -> RecordedDay:
    """Walk these events again, in `engine` as it was before the first of them."""
    day = RecordedDay(engine.floor.settings, tuple(_logins(engine)))
    for event, now in events:
        said = engine.handle(event, now)
        day.events.append((event, now))
        day.log.take(said, now)
        for action in said:
            if type(action) is Connect:
                day.assignments.append(Assignment(action.call, action.queue, action.agent))
            elif type(action) is ShadowDiffered:
                day.shadow.append(action)
    return day


def _logins(engine: Engine) -> Iterable[Event]:
    for name, agent in engine.floor.agents.items():
        if agent.status is not Status.LOGGED_OUT:
            paused = (agent.reason or "paused") if agent.status is Status.PAUSED else ""
            yield AgentLoggedIn(name, agent.phone, paused, agent.registered)


def share_changed(one: Iterable[Assignment], other: Iterable[Assignment]) -> float | None:
    """Of the calls answered in both, the share that another agent had; None if there are none."""
    first = {given.call: given.agent for given in one}
    second = {given.call: given.agent for given in other}
    both = first.keys() & second.keys()
    return sum(first[call] != second[call] for call in both) / len(both) if both else None
