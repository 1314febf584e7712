"""Whether a strategy keeps to the interface: for whoever writes one.

    python -m acd.conformance NAME …

In a test of your own: `assert not list(problems_of("mine"))`.  The strategy must be installed, so
that its entry point in the group `softswitch.strategies` is found.  A short busy day is simulated
and walked again, so the rules are checked at work: whatever it prefers, a strategy may neither lose
a caller nor ring a busy agent nor keep anything to itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace

from acd.actions import Alarm
from acd.engine import Engine
from acd.events import Event
from acd.settings import AgentSettings, QueueSettings
from acd.simulate.day import Day
from acd.simulate.laws import Constant, Exponential
from acd.simulate.scenario import HOUR, Scenario, Shift, one_queue
from acd.strategies import INTERFACE, Shape, Strategy, strategies
from acd.types import AcdError, Instant, VisitOutcome

Journal = list[tuple[Event, Instant]]


def problems_of(name: str) -> Iterator[str]:
    """Sentences about everything that is wrong with the strategy; none: it conforms."""
    try:
        strategy = strategies().get(name)
    except AcdError as error:
        yield str(error)
        return
    if strategy is None:
        yield f"there is no strategy {name!r}; is its package installed, with its entry point?"
        return
    if wrong := list(_declared(strategy)):
        yield from wrong
        return
    before = repr(vars(strategy))
    scenario = _busy_hours(name)
    journal: Journal = []
    try:
        day = Day(scenario, scenario.callers(1), journal=journal)
    except Exception as error:  # whatever somebody else's code raises is the answer
        yield f"raises {type(error).__name__} at work: {error}"
        return
    yield from _service(day, scenario)
    yield from _walk(scenario, journal)
    if repr(vars(strategy)) != before:
        yield "keeps something itself; it would be lost at a restart"


def _declared(strategy: Strategy) -> Iterator[str]:
    """What it says of itself."""
    if strategy.interface != INTERFACE:
        yield f"is of interface version {strategy.interface}, not {INTERFACE}"
    if not isinstance(strategy.shape, Shape):
        yield f"has no such shape: {strategy.shape!r}"
    rings = [strategy.fan(QueueSettings(), rung) for rung in (0.0, 10.0, 60.0)]
    if min(rings) < 1 or rings != sorted(rings):
        yield f"rings {rings} agents after 0, 10 and 60 s; at least one, and never fewer later"
    if strategy.single and max(rings) > 1:
        yield "rings several agents at once, so `single` must be False"
    if strategy.neutral and type(strategy).rank is not Strategy.rank:
        yield "ranks callers, so `neutral` must be False"


def _busy_hours(name: str) -> Scenario:
    """Four agents, too few at times; some let it ring, and callers have a skill to ask for."""
    rules = QueueSettings(strategy=name, skills="sales", wrap_up=5.0, ring_time=15.0)
    scenario = one_queue(4, 75.0, 4.0, rules, talk=Exponential(150.0))
    (stream,) = scenario.streams
    agents = {
        agent: AgentSettings(skills={"sales": 2 * level})
        for level, agent in enumerate(scenario.settings.agents, 1)
    }
    return replace(
        scenario,
        settings=replace(scenario.settings, agents=agents, audit_every=1),
        streams=(replace(stream, answer=Constant(3.0)),),
        shifts=tuple(Shift(agent, 0.0, 9 * HOUR, ((HOUR, 1.2 * HOUR),)) for agent in agents),
        miss=0.05,
    )


def _service(day: Day, scenario: Scenario) -> Iterator[str]:
    """Everybody is served, once."""
    visits = day.log.visits["q"]
    lost = [visit.call for visit in visits if visit.outcome is not VisitOutcome.ANSWERED]
    if lost:
        yield f"leaves callers unserved though agents are free: {lost[0]} and {len(lost) - 1} more"
    idle = {given.agent for given in day.assignments} ^ scenario.settings.agents.keys()
    if idle:
        yield f"never gives a call to {sorted(idle)[0]}, however long callers wait"


def _walk(scenario: Scenario, journal: Journal) -> Iterator[str]:
    """No invariant breaks; after a restart in the middle the same decisions follow."""
    engine = Engine(scenario.settings)
    twin: Engine | None = None
    for number, (event, now) in enumerate(journal):
        said = engine.handle(event, now)
        alarms = [action for action in said if isinstance(action, Alarm)]
        if alarms:
            yield f"breaks a rule of the engine, {alarms[0].rule}: {alarms[0].detail}"
            return
        if twin is not None and twin.handle(event, now) != said:
            yield "decides otherwise after a restart; keys must follow from the arguments alone"
            return
        if number % 500 == 250:
            try:
                twin = Engine.restore(json.loads(json.dumps(engine.snapshot(), allow_nan=False)))
            except (TypeError, ValueError):
                yield "has keys that are not tuples of finite numbers"
                return


def main(names: list[str]) -> int:
    """Print what is wrong with each; 1 if anything is."""
    wrong = [f"{name}: {problem}" for name in names for problem in problems_of(name)]
    print("\n".join(wrong) or f"{', '.join(names)}: as the interface demands")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or sorted(strategies())))
