"""The simulator agrees with theory, with itself, and with the day it replays."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random
from statistics import fmean

import pytest

from acd.actions import Action, ShadowDiffered
from acd.engine import Engine
from acd.erlang import Erlang
from acd.events import AgentLegEnded, AgentLegStarted, CallbackRequested, CallLeft, Event
from acd.journal import decode, encode
from acd.metrics.tallies import queue_tally
from acd.settings import QueueSettings
from acd.simulate.day import Day, simulate
from acd.simulate.figures import gini, jain, percentile
from acd.simulate.laws import Constant, Exponential, Law, Lognormal, Recorded
from acd.simulate.reenact import callers, reenact
from acd.simulate.replay import replay, share_changed
from acd.simulate.scenario import Scenario, Shift, one_queue
from acd.simulate.study import compare, estimate, student, with_strategy
from acd.strategies import strategies
from acd.types import Instant, State, VisitOutcome
from tests.acd.history import any_event, any_settings


@pytest.mark.parametrize(
    ("agents", "per_hour", "talk", "patience"),
    [(14, 200.0, 180.0, inf), (12, 200.0, 180.0, 120.0), (9, 200.0, 180.0, 60.0)],
)
def test_simulation_agrees_with_erlang(
    agents: int, per_hour: float, talk: float, patience: float
) -> None:
    """Erlang C, A and A under overload: each figure within the interval of five days."""
    law: Law = Exponential(patience) if patience < inf else Constant(inf)
    scenario = one_queue(agents, per_hour, 7.0, talk=Exponential(talk), patience=law)
    (found,) = compare({"q": scenario}, range(5))
    theory = Erlang(agents, per_hour / 3600, talk, patience)
    expected = {
        "average_wait": theory.mean_wait,
        "SL-C+": theory.answered_within(20.0),
        "abandonment": theory.abandoned,
        "occupancy_with_ringing": theory.occupancy,
    }
    for name, value in expected.items():
        mean, margin = found.estimate(name) or (0.0, 0.0)
        assert mean == pytest.approx(value, abs=1.5 * (margin or 0.0) + 0.005 * value), name


def test_a_day_costs_a_few_events_a_call_and_no_waiting() -> None:
    """So a day of 10 000 calls takes a second or two: `bench/engine.py` has the figure."""
    day = simulate(one_queue(60, 1000.0, 2.0, patience=Exponential(120.0)))
    calls = len(day.log.visits["q"])
    assert calls > 1900
    assert day.events < 5 * calls + 200


def test_the_same_seed_is_the_same_day_and_rules_change_no_caller() -> None:
    scenario = busy_office()
    other = replace(scenario, settings=with_strategy(scenario.settings, "linear"))
    assert simulate(scenario, 7).assignments == simulate(scenario, 7).assignments
    assert simulate(scenario, 7).assignments != simulate(scenario, 8).assignments
    assert scenario.callers(7) == other.callers(7)


def busy_office(**rules: object) -> Scenario:
    """Six agents and 110 calls an hour for two hours, answered after 4 s, some missed."""
    queue = QueueSettings(wrap_up=10.0, **rules)  # type: ignore[arg-type]
    scenario = one_queue(6, 110.0, 2.0, queue, patience=Exponential(200.0))
    (stream,) = scenario.streams
    streams = (replace(stream, answer=Constant(4.0), customers=50),)
    return replace(scenario, streams=streams, miss=0.05)


def test_pairs_of_days_know_a_difference_better_than_means() -> None:
    scenario = busy_office()
    more = replace(scenario, shifts=scenario.shifts[:-1])
    few, many = compare({"five": more, "six": scenario}, range(6))
    difference, one = few.against(many, "ASA"), few.estimate("ASA")
    assert difference and one and difference.margin and one.margin
    assert difference.mean > 0
    assert difference.certain
    assert difference.margin < one.margin


def test_agents_keep_their_breaks() -> None:
    scenario = one_queue(2, 30.0, 3.0)
    shifts = tuple(
        Shift(shift.agent, 0.0, 10800.0, ((3600.0, 5400.0),)) for shift in scenario.shifts
    )
    day = simulate(replace(scenario, shifts=shifts))
    paused = {s.state: s.time for s in day.log.spans["agent01"] if s.detail == "break"}
    assert [round(time.end or 0) for time in paused.values()] == [5400]


def recorded(scenario: Scenario) -> tuple[Day, list[bytes]]:
    """A day and its journal, as the switch would have kept it."""
    events: list[tuple[Event, Instant]] = []
    day = Day(scenario, scenario.callers(3), journal=events)
    return day, [encode(event, now) for event, now in events]


@pytest.mark.parametrize("strategy", ["longest-idle", "random", "round-robin", "ring-all", "fair"])
def test_a_recorded_day_replays_exactly(strategy: str) -> None:
    """Same rules: the same agents for the same callers, in the same order."""
    scenario = busy_office(strategy=strategy)
    day, journal = recorded(scenario)
    again = replay(Engine(scenario.settings), map(decode, journal))
    assert again.assignments == day.assignments
    assert share_changed(again.assignments, day.assignments) == 0.0


def test_a_recorded_day_under_another_strategy() -> None:
    """The same callers and shifts; other agents, and much the same waits."""
    scenario = busy_office()
    _, journal = recorded(scenario)
    day = replay(Engine(scenario.settings), map(decode, journal))
    other = reenact(day, with_strategy(scenario.settings, "linear"))
    assert {c.call for c in callers(day)} == {v.call for v in day.log.visits["q"]}
    changed = share_changed(day.assignments, other.assignments)
    assert changed is not None
    assert changed > 0.3
    assert len(other.assignments) == pytest.approx(len(day.assignments), rel=0.05)


def test_c55_those_called_back_and_those_who_stay_wait_the_same() -> None:
    """Every second caller who waits a second asks for a callback: nobody gains or loses by it."""
    scenario = one_queue(5, 96.0, 30.0)
    people = scenario.callers(2)
    wishes: list[tuple[Instant, Event]] = [
        (caller.at + 1, CallbackRequested(caller.call, f"+{n}"))
        for n, caller in enumerate(people[::2])
    ]
    log = Day(scenario, people, events=wishes).log
    arrived = {caller.call: caller.at for caller in people}
    waits: dict[bool, list[float]] = {True: [], False: []}
    for visit in log.visits["q"]:
        if visit.outcome is VisitOutcome.ANSWERED:
            waits[visit.callback].append(visit.joined + visit.waited - arrived[visit.call])
    back, stayed = waits[True], [wait for wait in waits[False] if wait > 1]
    assert min(len(back), len(stayed)) > 500
    assert fmean(back) == pytest.approx(fmean(stayed), rel=0.1)
    for share in (25, 50, 90):
        ordered = [percentile(sorted(each), share) or 0.0 for each in (back, stayed)]
        assert ordered[0] == pytest.approx(ordered[1], rel=0.15)


def test_what_callers_did_while_they_waited_is_done_again() -> None:
    """Every third asks for a callback after half a minute, every seventh leaves by key; an agent
    telephones for ten minutes.  Made anew, about as many do: those who still wait then."""
    scenario = one_queue(3, 60.0, 3.0)
    people = scenario.callers(5)
    wishes: list[tuple[Instant, Event]] = [
        (caller.at + 30, CallbackRequested(caller.call, f"+{n}")) for n, caller in
        enumerate(people) if n % 3 == 0
    ]  # fmt: skip
    wishes += [(caller.at + 40, CallLeft(caller.call)) for caller in people[1::7]]
    wishes += [
        (600.0, AgentLegStarted("agent01", "own")),
        (1200.0, AgentLegEnded("agent01", "own")),
    ]
    events: list[tuple[Event, Instant]] = []
    day = Day(scenario, people, events=wishes, journal=events)
    record = replay(Engine(scenario.settings), events)
    again = reenact(record, with_strategy(scenario.settings, "linear"))
    one, other = (queue_tally(log, "q") for log in (day.log, again.log))
    assert one.callback > 10
    assert one.exited > 3
    assert one.callbacks == one.callback
    assert other.callback == pytest.approx(one.callback, rel=0.3)
    assert other.exited == pytest.approx(one.exited, rel=0.5)
    busy = [span.time for span in again.log.spans["agent01"] if span.state is State.BUSY]
    assert [(time.start >= 600, time.end) for time in busy] == [(True, 1200.0)]


def test_a_reenactment_under_the_same_rules_is_close_to_the_day() -> None:
    """Phones ring a while, some in vain; callers give up, some while they ring."""
    scenario = busy_office()
    day, journal = recorded(scenario)
    record = replay(Engine(scenario.settings), map(decode, journal))
    again = [reenact(record, scenario.settings, seed) for seed in range(4)]
    tally = queue_tally(day.log, "q")
    assert fmean(queue_tally(d.log, "q").answered for d in again) == pytest.approx(
        tally.answered, rel=0.04
    )
    assert fmean(queue_tally(d.log, "q").ring_abandoned for d in again) == pytest.approx(
        tally.ring_abandoned, abs=4
    )


# --- shadows -------------------------------------------------------------------------------------


def without_shadow(said: list[Action]) -> list[Action]:
    return [action for action in said if not isinstance(action, ShadowDiffered)]


@pytest.mark.parametrize("seed", range(10))
def test_a_shadow_has_no_influence_on_any_history(seed: int) -> None:
    """Any strategy beside any other, over any events: the same actions but for the reports."""
    rng = Random(seed)
    rules = any_settings(rng.randrange)
    names = sorted(strategies())
    shaded, plain = (
        Engine(
            replace(
                rules,
                queues={
                    name: replace(queue, shadow=names[(seed + n) % len(names)] if dark else "")
                    for n, (name, queue) in enumerate(rules.queues.items())
                },
            )
        )
        for dark in (True, False)
    )
    now = 0.0
    for _ in range(400):
        now += rng.choice((0.0, 0.1, 3.0, 20.0))
        event = any_event(rng.randrange, plain)
        if type(event).__name__ != "Reconfigured":
            assert without_shadow(shaded.handle(event, now)) == plain.handle(event, now)
    for one, other in zip(shaded.floor.queues.values(), plain.floor.queues.values(), strict=True):
        assert (one.pointer, one.ended) == (other.pointer, other.ended)
    assert shaded.floor.dice == plain.floor.dice


def test_a_shadow_of_the_same_strategy_never_differs() -> None:
    for strategy in ("longest-idle", "linear", "fair", "fewest-calls", "cost"):
        scenario = busy_office(strategy=strategy, shadow=strategy)
        _, journal = recorded(scenario)
        assert replay(Engine(scenario.settings), map(decode, journal)).shadow == []


# --- small things --------------------------------------------------------------------------------


def test_laws_have_the_means_they_say() -> None:
    rng = Random(1)
    laws: list[Law] = [
        Exponential(60.0),
        Lognormal(60.0, 0.8),
        Recorded((30.0, 90.0)),
        Constant(60.0),
    ]
    for law in laws:
        assert fmean(law.sample(rng) for _ in range(20_000)) == pytest.approx(60, rel=0.03)


def test_a_lognormal_law_is_found_again() -> None:
    rng, law = Random(2), Lognormal(200.0, 0.7)
    found = Lognormal.fit([law.sample(rng) for _ in range(20_000)])
    assert found.mean == pytest.approx(200, rel=0.03)
    assert found.cv == pytest.approx(0.7, rel=0.05)
    with pytest.raises(ValueError, match="no times"):
        Lognormal.fit([0.0])


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042)],
)
def test_students_table(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, rel=0.01)


def test_one_day_has_no_interval() -> None:
    assert estimate([3.0]) == (3.0, None)
    assert not estimate([3.0]).certain


def test_indexes_of_fairness() -> None:
    assert (jain([1, 1, 1, 1]), gini([1, 1, 1, 1])) == (1.0, 0.0)
    assert (jain([1, 0, 0, 0]), gini([1, 0, 0, 0])) == (0.25, 0.75)
    assert (jain([0, 0]), gini([0, 0])) == (None, None)
    assert percentile([1, 2, 3, 4], 50) == 3
    assert percentile([], 50) is None
