"""Every strategy on real calls: it is set while the switch runs, and who is rung shows its law.

One queue with three agents; what each strategy promises over many calls is tested without phones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from acd.strategies import strategies
from tests.interop.centre import Office, in_peace, joined, opened
from tests.interop.phones.live import LivePhone, LiveTalk, until

pytestmark = pytest.mark.interop

AGENTS = ("anna", "boris", "clara")
MORE = """
[agents.clara]
extension = "106"
logged_in = true
skills = { sales = 5 }
"""
QUEUES = {
    "varied": 'number = "700"\nagents = ["anna", "boris", "clara"]\nskills = { sales = 1 }\n'
    "step = 0.5",
    "cheap": 'number = "701"\nagents = ["anna"]',
    "dear": 'number = "702"\nagents = ["anna"]\ncost = 1000\nservice_level = { seconds = 1 }',
}
SEEN: set[str] = set()
"""Strategies that a test of this page has set."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(tmp_path_factory.mktemp("office") / "switch", QUEUES, MORE) as office:
        yield office


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    with in_peace(whole, *AGENTS) as office:
        yield office


def serve_by(office: Office, strategy: str, *queues: str, **more: Any) -> None:
    """Let the queues (the one with all three agents) serve by this strategy from now on."""

    def change(tables: Any) -> None:
        for queue in queues or ("varied",):
            tables["queues"][queue]["strategy"] = strategy
            for key in ("weights", "shadow"):
                tables["queues"][queue].pop(key, None)
            tables["queues"][queue].update(more)

    office.change(change)
    SEEN.add(strategy)


def phones_of(office: Office) -> dict[str, LivePhone]:
    return dict(zip(AGENTS, (office.anna, office.boris, office.desk), strict=True))


def rung(office: Office) -> str:
    """Whoever is rung."""
    phones = phones_of(office)
    until(lambda: any(phone.is_rung for phone in phones.values()), "an agent who is rung")
    [name] = [name for name, phone in phones.items() if phone.is_rung]
    return name


def serve(office: Office, work: float = 0.0) -> str:
    """A call from ring to goodbye, at least `work` seconds of talk in between; who had it."""
    talk = office.first.calls("700")
    name = rung(office)
    joined(talk, phones_of(office)[name].takes())
    began = time.monotonic()
    until(lambda: time.monotonic() > began + work, "the end of the talk")
    talk.hang_up()
    for agent in AGENTS:
        office.until_state(agent, "idle")
    return name


def choice(office: Office) -> tuple[str, str]:
    """Who is rung for a call that nobody takes, and what is told of that choice."""
    talk = office.first.calls("700")
    name = rung(office)
    [waiting] = office.ask("waiting")
    why = office.why("call", waiting["call"])
    talk.hang_up()
    for agent in AGENTS:
        office.until_state(agent, "idle")
    return name, why


def busiest(office: Office) -> str:
    """Anna works until nobody has had as many calls and as much talk; it is her."""
    serve_by(office, "linear")
    while True:
        rows = {r["name"]: r["figures"] for r in office.ask("statistics?since=0")["agents"]}
        others = [rows.get(name, {}) for name in AGENTS[1:]]
        anna = rows.get("anna", {})
        if all(
            (anna.get(figure) or 0) > (other.get(figure) or 0) + margin
            for other in others
            for figure, margin in (("answered", 0), ("talk", 1.0))
        ):
            return "anna"
        assert serve(office, 1.0) == "anna"


# -- one agent at a time -------------------------------------------------------------------------


def test_linear_rings_from_the_top(office: Office) -> None:
    serve_by(office, "linear")
    assert [serve(office) for _ in range(2)] == ["anna", "anna"]
    assert "to anna by linear" in choice(office)[1]


@pytest.mark.parametrize("strategy", ["round-robin", "longest-idle"])
def test_each_in_turn(office: Office, strategy: str) -> None:
    """Whoever was served longest ago, or the next in the circle: with all free it is the same."""
    serve_by(office, "round-robin")
    turns = [serve(office) for _ in range(3)]
    assert sorted(turns) == list(AGENTS)
    serve_by(office, strategy)
    assert [serve(office) for _ in range(2)] == turns[:2]
    assert f"by {strategy}" in choice(office)[1]


def test_random_rings_anybody(office: Office) -> None:
    serve_by(office, "random")
    chosen = set[str]()
    for _ in range(30):
        name, why = choice(office)
        assert "tie-break: dice" in why
        chosen.add(name)
        if len(chosen) > 1:
            return
    raise AssertionError(f"the dice always say {chosen}")


@pytest.mark.parametrize("strategy", ["fair", "fewest-calls", "least-talk-time", "least-loaded"])
def test_who_has_worked_most_is_not_asked(office: Office, strategy: str) -> None:
    worked = busiest(office)
    serve_by(office, strategy)
    name, why = choice(office)
    assert name != worked and f"by {strategy}" in why
    assert f"{worked}: free, score" in why


def test_weighted_shares_are_met_from_the_change_on(office: Office) -> None:
    """Whatever each has done before: three in five for Anna."""
    serve_by(office, "weighted", weights={"anna": 3})
    turns = [serve(office) for _ in range(5)]
    assert sorted(turns) == ["anna", "anna", "anna", "boris", "clara"]
    assert "by weighted" in choice(office)[1]


@pytest.mark.parametrize(("strategy", "first"), [("skill", "boris"), ("training", "anna")])
def test_proficiency_decides(office: Office, strategy: str, first: str) -> None:
    """The most proficient in sales, or the least."""
    serve_by(office, strategy)
    name, why = choice(office)
    assert name == first and f"by {strategy}" in why


def test_training_takes_trainees_first(office: Office) -> None:
    office.change(lambda tables: tables["agents"]["clara"].update(trainee=True))
    serve_by(office, "training")
    assert choice(office)[0] == "clara"
    office.change(lambda tables: tables["agents"]["clara"].pop("trainee"))


def test_results_rank_agents(office: Office) -> None:
    """Twenty imagined calls at the mean of all: 3 of 4 do not beat 44 of 60."""
    for agent, won, tried in (("anna", 3, 4), ("boris", 44, 60), ("clara", 4, 40)):
        office.command(agent, "score", won=won, tried=tried)
    serve_by(office, "performance")
    assert choice(office)[0] == "boris"
    scored = office.switch.command("agents", "clara", "score", "--won", "400", "--tried", "410")
    assert scored.returncode == 0, scored.stderr
    name, why = choice(office)
    assert name == "clara" and "by performance" in why


def test_the_fastest_comes_first_but_nobody_idles_for_ever(office: Office) -> None:
    """Anna, who has had most of these short calls, counts as the fastest of beginners."""
    fastest = busiest(office)
    assert serve(office) == fastest  # so that she has idled less than the others
    serve_by(office, "fastest-first", fairness=600)
    assert choice(office)[0] == fastest
    serve_by(office, "fastest-first", fairness=0.2)
    name, why = choice(office)
    assert name != fastest and "longer than the queue's bound of fairness" in why


def test_the_cheapest_agent_serves_the_dearest_caller(office: Office) -> None:
    def price(tables: Any) -> None:
        for agent, cost in zip(AGENTS, (3.0, 2.0, 1.0), strict=True):
            tables["agents"][agent]["cost"] = cost

    office.change(price)
    serve_by(office, "cost")
    name, why = choice(office)
    assert name == "clara" and "by cost" in why
    office.change(lambda tables: [tables["agents"][agent].pop("cost") for agent in AGENTS])
    the_later_is_served_first(office, "cost")


def test_the_share_of_the_target_that_was_waited_decides(office: Office) -> None:
    serve_by(office, "service-level")
    assert "by service-level" in choice(office)[1]
    the_later_is_served_first(office, "service-level")


def the_later_is_served_first(office: Office, strategy: str) -> None:
    """One waits where waiting counts little, then one where it counts much."""
    serve_by(office, strategy, "cheap", "dear")
    office.command("anna", "pause")
    cheap = office.waits(office.first, "701")
    dear = office.waits(office.second, "702")
    office.command("anna", "resume")
    joined(dear, office.anna.takes())
    [waiting] = office.ask("waiting")
    assert waiting["queue"] == "cheap"
    cheap.hang_up()


def test_a_shadow_only_tells_where_it_would_differ(office: Office) -> None:
    serve_by(office, "round-robin", shadow="linear")
    assert len({choice(office)[0] for _ in range(3)}) == 3
    assert "Its shadow linear would have decided otherwise in 2 of 3" in office.why(
        "queue", "varied"
    )


# -- several at once -----------------------------------------------------------------------------


def test_ring_all_rings_everybody_and_the_first_to_answer_has_the_call(office: Office) -> None:
    """Two answer in the same moment: one talks, the other is let go, and free."""
    serve_by(office, "ring-all")
    talk = office.first.calls("700")
    ringing = [phone.rings() for phone in phones_of(office).values()]
    answers = [office.phones.begin(each.call.answer()) for each in ringing[1:]]
    for answer in answers:
        answer.exception(30)  # who lost may have been told before he answered
    until(lambda: sum(not each.ended for each in ringing) == 1, "one who has the caller")
    [winner] = [each for each in ringing if not each.ended]
    assert winner is not ringing[0]
    joined(talk, winner)
    states = [office.state(agent) for agent in AGENTS]
    assert sorted(states) == ["idle", "idle", "talking"]


def test_ring_progressive_rings_one_more_at_a_time(office: Office) -> None:
    serve_by(office, "ring-progressive")
    talk = office.first.calls("700")
    first: list[LiveTalk] = []
    for phone in phones_of(office).values():
        first.append(phone.rings())
        assert all(not each.ended for each in first)
    [waiting] = office.ask("waiting")
    moments = [o["at"] for o in office.ask(f"explain/call/{waiting['call']}")["facts"]["offers"]]
    assert all(later - earlier > 0.45 for earlier, later in pairwise(moments))
    joined(talk, first[1].answer())
    first[0].over()
    first[2].over()


def test_every_strategy_was_seen(request: pytest.FixtureRequest) -> None:
    """Where the whole page ran."""
    here = [item for item in request.session.items if item.path == request.path]
    if len(here) > 15:
        assert set(strategies()) - SEEN == set()
