"""Each strategy meets the law it states, over ten thousand calls; and all meet the interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from random import Random
from statistics import fmean

import pytest

from acd.actions import Offer, ShadowDiffered, Withdraw
from acd.engine import Engine
from acd.events import (
    AgentLegEnded,
    AgentLoggedIn,
    AgentScored,
    CallEnded,
    CallJoined,
    Connected,
    OfferAnswered,
    Reconfigured,
)
from acd.queue import Queue
from acd.settings import AgentSettings, Member, QueueSettings
from acd.strategies import strategies
from tests.acd.day import Day, Law
from tests.acd.floorplan import Centre, of, only, queue, settings

AGENTS = ("a", "b", "c", "d", "e")
ALL = sorted(strategies())


def day(strategy: str, *, agents: tuple[str, ...] = AGENTS, **given: object) -> Day:
    options = {k: given.pop(k) for k in ("sticky", "fairness") if k in given}
    rules = queue(*agents, strategy=strategy, **options)
    return Day(settings({"q": rules}, audit_every=1000), **given)  # type: ignore[arg-type]


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


def test_shares_count_from_the_moment_they_are_set() -> None:
    """What was done under other rules is not made up for, and a new member does not flood."""
    centre = Centre(settings({"q": queue("a", "b", strategy="linear")}))
    for n in range(10):
        assert centre.serve(f"before {n}") == "a"
    members = (Member("a", weight=3), Member("b"))
    shares = QueueSettings(members=members, strategy="weighted")
    centre.tell(Reconfigured(settings({"q": shares})))
    assert [centre.serve(f"after {n}") for n in range(4)].count("a") == 3
    more = replace(shares, members=(*members, Member("c")))
    centre.tell(Reconfigured(settings({"q": more})), AgentLoggedIn("c", "c"))
    assert [centre.serve(f"three {n}") for n in range(5)].count("c") == 1


@pytest.mark.parametrize("name", ["fewest-calls", "least-loaded"])
def test_c16_equal_agents_get_equal_shares(name: str) -> None:
    shares = day(name).shares()
    assert all(share == pytest.approx(0.2, abs=0.02) for share in shares.values())


def test_fair_bounds_the_spread_of_occupancy() -> None:
    """Unequal agents are as busy as one another; longest-idle, by its law, leaves them unequal."""
    speed = {"a": 2.0, "b": 1.5, "c": 1.0, "d": 0.75, "e": 0.5}
    fair = day("fair", speed=speed).occupancy().values()
    idle = day("longest-idle", speed=speed, calls=3000).occupancy().values()
    assert max(fair) - min(fair) < 0.01
    assert max(idle) - min(idle) > 0.1


def test_fastest_first_prefers_the_fast_but_lets_nobody_idle_beyond_the_bound() -> None:
    speed = {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5, "e": 4.0}
    assert day("fastest-first", gap=60.0, speed=speed, fairness=1e9).shares()["e"] > 0.75
    bounded = day("fastest-first", gap=60.0, speed=speed, fairness=600.0, calls=3000).shares()
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


def least(rank: Callable[[Day, str], float]) -> Law:
    """Of those who are free, the one of least rank is chosen, by nothing else."""
    return lambda day, offer: (
        rank(day, offer.agent) <= min(rank(day, agent) for agent in day.free) + 1e-9
    )


SALES = {"lucky": (3, 4), "proven": (60, 118), "good": (44, 118), "poor": (1, 90), "new": (0, 0)}


def conversion(agent: str) -> float:
    """Twenty imagined calls at the mean of all are added: 3 of 4 do not beat 60 of 118."""
    mean = (108 + 1) / (330 + 2)
    won, tried = SALES[agent]
    return (won + 20 * mean) / (tried + 20)


@pytest.mark.parametrize(
    ("strategy", "rank"),
    [
        ("longest-idle", lambda day, agent: day.free[agent]),
        ("linear", lambda day, agent: [*SALES].index(agent)),
        ("skill", lambda day, agent: -day.engine.floor.agents[agent].settings.skills["sales"]),
        ("training", lambda day, agent: day.engine.floor.agents[agent].settings.skills["sales"]),
        ("performance", lambda day, agent: -conversion(agent)),
        ("weighted", lambda day, agent: day.engine.floor.queues["q"].seats[agent].served),
    ],
)
def test_ten_thousand_choices_obey_the_law(
    strategy: str, rank: Callable[[Day, str], float]
) -> None:
    """Asked of the day itself, which keeps its own account of who is free."""
    agents = {
        name: AgentSettings(skills={"sales": 1 + (3 * n) % 10}) for n, name in enumerate(SALES)
    }
    rules = queue(*SALES, strategy=strategy, skills="sales")
    scores = tuple(AgentScored(name, *score) for name, score in SALES.items())
    done = Day(settings({"q": rules}, agents=agents, audit_every=0), law=least(rank), start=scores)
    assert done.broken == []
    assert done.decided > 5000


def test_training_takes_whoever_is_marked_so_first() -> None:
    agents = {"a": AgentSettings({"sales": 1}), "b": AgentSettings({"sales": 9}, trainee=True)}
    rules = queue("a", "b", strategy="training", skills="sales")
    assert Centre(settings({"q": rules}, agents=agents)).serve("one") == "b"


def test_random_is_fair_dice() -> None:
    """Ten thousand throws for five who are always free: chi-square below its 99.9 % quantile."""
    throws = Counter(agent for _, agent in day("random", gap=100_000.0).given)
    assert sum((throws[name] - 2000) ** 2 / 2000 for name in AGENTS) < 18.5


def test_ring_all_rings_everybody_who_is_free() -> None:
    """Ten thousand callers; any of those who ring may answer, all others are let go."""
    rng, given = Random(1), settings({"q": queue(*AGENTS, strategy="ring-all")}, audit_every=0)
    engine, talking = Engine(given), dict[str, str]()
    for name in AGENTS:
        engine.handle(AgentLoggedIn(name, name), 0.0)
    for now in range(10_000):
        said = engine.handle(CallJoined(f"c{now}", ("q",)), now)
        offers = of(said, Offer)
        assert {offer.agent for offer in offers} == {*AGENTS} - talking.keys()
        winner = rng.choice(offers)
        engine.handle(OfferAnswered(winner.offer, "leg"), now)
        lost = of(engine.handle(Connected(winner.offer), now), Withdraw)
        assert len(lost) == len(offers) - 1
        talking[winner.agent] = "leg"
        while talking and (len(talking) == len(AGENTS) or rng.random() < 0.5):
            engine.handle(AgentLegEnded(*talking.popitem()), now)


def test_ring_progressive_adds_one_agent_at_a_time() -> None:
    rules = queue("a", "b", "c", strategy="ring-progressive", ring_step=5.0, ring_time=60.0)
    centre = Centre(settings({"q": rules}))
    rung = [(0.0, only(centre.call("one"), Offer).agent)]
    start = centre.now
    while len(rung) < 3:
        rung += [(centre.now - start, offer.agent) for offer in of(centre.wait(1), Offer)]
    assert rung == [(0.0, "a"), (5.0, "b"), (10.0, "c")]


def greatest(weight: Callable[[Queue], float]) -> Law:
    """The first in one of the lines whose wait, times the queue's weight, is greatest."""

    def law(day: Day, offer: Offer) -> bool:
        queues = day.engine.floor.queues
        waits = {
            name: (day.now - min(day.waiting[name].values(), default=day.now)) * weight(queue)
            for name, queue in queues.items()
        }
        return waits[offer.queue] >= max(waits.values()) - 1e-9

    return law


def two_queues(law: Law, one: QueueSettings, other: QueueSettings) -> float:
    """Ten thousand choices between two lines that are never empty for long; the ratio of waits."""
    done = Day(settings({"one": one, "other": other}, audit_every=0), gap=6.2, law=law)
    assert done.broken == []
    assert done.decided > 5000
    return fmean(done.waits["one"]) / fmean(done.waits["other"])


def test_cost_serves_by_cost_times_rate_times_wait() -> None:
    """Waiting counts three times as much in the first: about a third of the wait."""
    rules = {"strategy": "cost"}
    dearest = greatest(lambda queue: queue.settings.cost / queue.handled)
    ratio = two_queues(dearest, queue(*AGENTS, cost=3.0, **rules), queue(*AGENTS, **rules))
    assert ratio == pytest.approx(1 / 3, abs=0.1)


def test_service_level_serves_by_the_share_of_the_target_that_was_waited() -> None:
    """Targets of 10 and 60 s, and the same goal: the first waits less, but the second counts."""
    rules = {"strategy": "service-level"}
    tightest = greatest(
        lambda queue: (1 + max(0.0, queue.settings.goal - queue.level)) ** 2 / queue.settings.target
    )
    tight, loose = queue(*AGENTS, target=10.0, **rules), queue(*AGENTS, target=60.0, **rules)
    assert 0.1 < two_queues(tightest, tight, loose) < 0.5


@cache
def random_day() -> Day:
    return day("random", calls=500)


@pytest.mark.parametrize("shadow", ALL)
def test_a_shadow_has_no_influence(shadow: str) -> None:
    """The live order is the same with and without it; where it differs is reported."""
    alone = random_day()
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
