"""Each strategy meets the law it states, over ten thousand calls; and all meet the interface."""

from __future__ import annotations

from itertools import pairwise

import pytest

from acd.actions import Offer, ShadowDiffered
from acd.events import AgentLegEnded, AgentScored, CallEnded
from acd.settings import AgentSettings, Member, QueueSettings
from acd.strategies import INTERFACE, strategies
from tests.acd.day import Day
from tests.acd.floorplan import Centre, of, only, queue, settings

AGENTS = ("a", "b", "c", "d", "e")
ALL = sorted(strategies())


def day(strategy: str, *, agents: tuple[str, ...] = AGENTS, **given: object) -> Day:
    options = {k: given.pop(k) for k in ("sticky", "fairness") if k in given}
    rules = queue(*agents, strategy=strategy, **options)
    return Day(settings({"q": rules}, audit_every=1000), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALL)
def test_conformance(name: str) -> None:
    """What every strategy must do: serve everybody once, in order, and nobody twice at a time."""
    strategy = strategies()[name]
    assert strategy.interface == INTERFACE
    served = [call for call, _ in day(name, calls=400, gap=5.0).given]
    assert sorted(set(served)) == list(range(400))
    firsts = list(dict.fromkeys(served))
    assert firsts == sorted(firsts)


def test_round_robin_is_exact() -> None:
    """With everybody free, each goes to the next; busy ones are passed over, never made up for."""
    free = day("round-robin", gap=100_000.0)
    assert all(
        AGENTS.index(after) == (AGENTS.index(before) + 1) % 5
        for (_, before), (_, after) in pairwise(free.given)
    )
    assert set(free.shares().values()) == {0.2}


def test_weighted_shares_are_met_within_one_per_cent() -> None:
    """50, 30 and 20 of a hundred, agents busy half the time."""
    weights = {"a": 5.0, "b": 3.0, "c": 2.0}
    members = tuple(Member(name, weight=weight) for name, weight in weights.items())
    rules = QueueSettings(members=members, strategy="weighted")
    shares = Day(settings({"q": rules}, audit_every=1000), gap=60.0).shares()
    assert shares == pytest.approx({"a": 0.5, "b": 0.3, "c": 0.2}, abs=0.01)


@pytest.mark.parametrize("name", ["longest-idle", "fewest-calls", "random", "least-loaded"])
def test_equal_agents_get_equal_shares(name: str) -> None:
    shares = day(name).shares()
    assert all(share == pytest.approx(0.2, abs=0.02) for share in shares.values())


def test_fair_bounds_the_spread_of_occupancy() -> None:
    """Unequal agents are as busy as one another; longest-idle, by its law, leaves them unequal."""
    speed = {"a": 2.0, "b": 1.5, "c": 1.0, "d": 0.75, "e": 0.5}
    fair = day("fair", speed=speed).occupancy().values()
    idle = day("longest-idle", speed=speed).occupancy().values()
    assert max(fair) - min(fair) < 0.01
    assert max(idle) - min(idle) > 0.1


def test_linear_prefers_the_top() -> None:
    shares = list(day("linear", gap=30.0).shares().values())
    assert shares == sorted(shares, reverse=True)


def test_fastest_first_prefers_the_fast_but_lets_nobody_idle_beyond_the_bound() -> None:
    speed = {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5, "e": 4.0}
    assert day("fastest-first", gap=60.0, speed=speed, fairness=1e9).shares()["e"] > 0.75
    bounded = day("fastest-first", gap=60.0, speed=speed, fairness=600.0).shares()
    assert min(bounded.values()) > 0.05


def test_least_talk_time_evens_out_talk() -> None:
    speed = {"a": 2.0, "e": 0.5}
    busy = day("least-talk-time", speed=speed).occupancy().values()
    assert max(busy) - min(busy) < 0.05


def test_sticky_finds_the_agent_of_last_time() -> None:
    """Agents busy a fifth of the time, callers willing to wait a minute: nearly all find theirs."""
    result = day("longest-idle", gap=30.0, customers=200, sticky=60.0)
    last: dict[str, str] = {}
    hits = known = 0
    for call, agent in result.given:
        customer = result.customers[call]
        known += customer in last
        hits += last.get(customer) == agent
        last[customer] = agent
    assert hits / known > 0.9


def test_skill_and_training_are_opposites() -> None:
    agents = {name: AgentSettings(skills={"sales": level}) for level, name in enumerate("abc", 3)}
    for strategy, expected in (("skill", "c"), ("training", "a")):
        rules = queue("a", "b", "c", strategy=strategy, skills="sales")
        assert Centre(settings({"q": rules}, agents=agents)).serve("one") == expected


def test_performance_does_not_let_3_of_4_beat_44_of_118() -> None:
    centre = Centre(settings({"q": queue("lucky", "proven", "poor", strategy="performance")}))
    centre.tell(
        AgentScored("lucky", 3, 4), AgentScored("proven", 60, 118), AgentScored("poor", 1, 90)
    )
    assert centre.serve("one") == "proven"


def test_ring_progressive_adds_one_agent_at_a_time() -> None:
    rules = queue("a", "b", "c", strategy="ring-progressive", ring_step=5.0, ring_time=60.0)
    centre = Centre(settings({"q": rules}))
    rung = [(0.0, only(centre.call("one"), Offer).agent)]
    start = centre.now
    while len(rung) < 3:
        rung += [(centre.now - start, offer.agent) for offer in of(centre.wait(1), Offer)]
    assert rung == [(0.0, "a"), (5.0, "b"), (10.0, "c")]


def test_cost_takes_the_dearer_queue_first() -> None:
    """Waiting counts three times as much in `dear`: a third of the wait comes first there."""
    rules = {"strategy": "cost"}
    centre = Centre(settings({"dear": queue("a", cost=3.0, **rules), "cheap": queue("a", **rules)}))
    offer = only(centre.call("first", "cheap"), Offer)
    centre.take(offer.offer)
    centre.call("cheap", "cheap")
    centre.wait(20)
    centre.call("dear", "dear")
    centre.wait(20)
    assert only(centre.tell(AgentLegEnded("a", "leg-1")), Offer).call == "dear"


def test_service_level_takes_the_tighter_target_first() -> None:
    rules = {"strategy": "service-level"}
    tight, loose = queue("a", target=10.0, **rules), queue("a", target=60.0, **rules)
    centre = Centre(settings({"loose": loose, "tight": tight}))
    centre.take(only(centre.call("first", "loose"), Offer).offer)
    centre.call("loose", "loose")
    centre.wait(20)
    centre.call("tight", "tight")
    centre.wait(10)
    assert only(centre.tell(AgentLegEnded("a", "leg-1")), Offer).call == "tight"


@pytest.mark.parametrize("shadow", ALL)
def test_a_shadow_has_no_influence(shadow: str) -> None:
    """The live order is the same with and without it; where it differs is reported."""
    alone = day("random", calls=500)
    rules = queue(*AGENTS, strategy="random", shadow=shadow)
    watched = Day(settings({"q": rules}, audit_every=1000), calls=500)
    assert watched.given == alone.given
    decided, different = watched.engine.floor.queues["q"].shadowed
    assert 0 <= different <= decided


def test_a_shadow_reports_where_it_differs() -> None:
    centre = Centre(settings({"q": queue("a", "b", strategy="linear", shadow="longest-idle")}))
    centre.serve("one")
    said = centre.call("two")
    assert of(said, ShadowDiffered) == [ShadowDiffered(2, "q", "longest-idle", "a", "b")]
    assert of(centre.tell(CallEnded("two")), Offer) == []
