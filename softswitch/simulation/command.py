"""From the options of `softswitch simulate` to candidates, and from those to what is printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from acd.settings import Settings
from acd.simulate.laws import FOR_EVER, Exponential
from acd.simulate.scenario import HOUR, Period, Scenario, Shift, Stream
from acd.simulate.study import Candidate, compare, with_strategy
from acd.strategies import strategies as known_strategies
from config import ConfigError, Problem, load
from config.problems import did_you_mean
from softswitch.pbx.acd_settings import settings_of
from softswitch.simulation.scenario_file import load_scenario, plain_settings, staffed

OPENING = 9 * HOUR


@dataclass(frozen=True)
class Wish:
    """What was asked for; times in seconds."""

    queue: str = ""
    strategies: tuple[str, ...] = ()
    staffing: tuple[int, ...] = ()
    calls_per_hour: float = 100.0
    hours: float = 8.0
    talk: float = 180.0
    patience: float = 120.0
    seeds: int = 5
    profile: Path | None = None
    config: Path | None = None


def simulate(wish: Wish) -> list[Candidate]:
    """Every combination of the strategies and staffings asked for, over the same days.

    Raises ConfigError for what cannot be obeyed.
    """
    check_strategies(wish.strategies)
    queues = (wish.queue,) if wish.queue else ()
    scenarios = dict(candidates(base_scenario(wish), wish.strategies, wish.staffing, queues))
    return compare(scenarios, range(1, wish.seeds + 1), queues=queues)


def check_strategies(names: Sequence[str]) -> None:
    known = known_strategies()
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise ConfigError([Problem("--strategy", f'there is no strategy "{unknown[0]}"{hint}')])


def base_scenario(wish: Wish) -> Scenario:
    """The scenario file, or one rate of calls into the queue that was named."""
    configured = settings_of(load(wish.config)) if wish.config else None
    if wish.profile is not None:
        scenario = load_scenario(wish.profile, configured)
        _check_queue(wish.queue, scenario.settings)
        return scenario
    if configured is not None and wish.queue:
        _check_queue(wish.queue, configured)
        settings, queue = only_queue(configured, wish.queue), wish.queue
    else:
        queue = wish.queue or "queue"
        settings = plain_settings(queue, wish.staffing[0] if wish.staffing else 6)
    end = OPENING + wish.hours * HOUR
    patience = Exponential(wish.patience) if wish.patience > 0 else FOR_EVER
    calls = (Period(OPENING, end, wish.calls_per_hour),)
    stream = Stream(queue, calls, Exponential(wish.talk), patience)
    shifts = tuple(Shift(name, OPENING, end) for name in settings.agents)
    return Scenario(settings, (stream,), shifts)


def _check_queue(name: str, settings: Settings) -> None:
    if name and name not in settings.queues:
        hint = did_you_mean(name, settings.queues)
        raise ConfigError([Problem("--queue", f'there is no queue "{name}"{hint}')])


def only_queue(settings: Settings, name: str) -> Settings:
    """That queue and its agents; where it overflows to another queue, callers leave."""
    rules = settings.queues[name]
    agents = {member.agent: settings.agents[member.agent] for member in rules.members}
    overflow = tuple(replace(rule, target="") for rule in rules.overflow)
    alone = replace(rules, overflow=overflow, next="", empty="", closed="")
    return replace(settings, queues={name: alone}, agents=agents)


def candidates(
    base: Scenario, strategies: Sequence[str], staffing: Sequence[int], queues: Sequence[str]
) -> Iterator[tuple[str, Scenario]]:
    """Name and scenario of each combination; with nothing asked for, the base alone."""
    for agents in staffing or (None,):
        scenario = base if agents is None else with_staff(base, agents)
        for strategy in strategies or (None,):
            rules = scenario.settings
            if strategy is not None:
                rules = with_strategy(rules, strategy, queues)
            words = [strategy or "", f"{agents} agents" if agents and len(staffing) > 1 else ""]
            name = ", ".join(filter(None, words)) or next(iter(rules.queues.values())).strategy
            yield name, replace(scenario, settings=rules)


def with_staff(scenario: Scenario, agents: int) -> Scenario:
    """So many equal agents instead, from the first shift's beginning to the last one's end."""
    settings = staffed(scenario.settings, agents)
    start = min(shift.start for shift in scenario.shifts)
    end = max(shift.end for shift in scenario.shifts)
    shifts = tuple(Shift(name, start, end) for name in settings.agents)
    return replace(scenario, settings=settings, shifts=shifts, speed={})
