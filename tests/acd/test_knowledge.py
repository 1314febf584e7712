"""What the engine knows about itself: requirements, predictions, explanations, records, alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.actions import Offer
from acd.announce import due_lines, next_line
from acd.codec import CodecError, event_from_json, event_to_json, from_json, to_json
from acd.dice import Dice
from acd.events import AgentPaused, AgentResumed, CallJoined, Tick
from acd.invariants import violations
from acd.journal import decode, encode, rebuild
from acd.predict import NOMINAL, Predictor
from acd.settings import AgentSettings, Announcement, Settings, Step
from acd.simulate.day import simulate
from acd.simulate.laws import Exponential
from acd.simulate.scenario import HOUR, Period, Scenario, one_queue
from acd.skills import SkillError, parse
from tests.acd.floorplan import Centre, only, queue, settings
from tests.acd.history import any_settings


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("sales", True),
        ("french", False),
        ("sales >= 5 and english", True),
        ("sales > 7 or french", False),
        ("not french and 3 <= english < 5", True),
    ],
)
def test_requirements(text: str, holds: bool) -> None:
    assert parse(text).test({"sales": 7, "english": 4}) is holds


@pytest.mark.parametrize(
    "text",
    [
        "sales >=",
        "sales + 1",
        "f(x)",
        "sales.level",
        "__import__('os')",
        "1 < 'a' * 9",
        "x if y else z",
    ],
)
def test_requirements_are_not_python(text: str) -> None:
    with pytest.raises(SkillError):
        parse(text)


@given(st.lists(st.builds(
    Announcement,
    what=st.just(("a", "b")),
    first=st.floats(0, 50),
    every=st.none() | st.floats(1, 30),
    times=st.none() | st.integers(1, 5),
), max_size=3), st.floats(1, 40))  # fmt: skip
def test_the_schedule_is_a_pure_function_of_time(lines: list[Announcement], stride: float) -> None:
    """Looked at at its own moments or in any strides, each turn is heard once at most, in order."""
    heard, at = 0, -1.0
    while (due := next_line(lines, at)) is not None and due <= 100:
        heard += len(list(due_lines(lines, at, due)))
        assert due > at
        at = due
    coarse, at = 0, -1.0
    while at < 100:
        coarse += len(list(due_lines(lines, at, at + stride)))
        at += stride
    assert coarse <= heard + len(lines) * (1 + stride)


def test_dice_repeat() -> None:
    one, two = Dice(7), Dice(7)
    assert [one.below(6) for _ in range(100)] == [two.below(6) for _ in range(100)]


WAVES = [100.0, 180.0, 260.0, 200.0, 150.0, 120.0, 220.0, 150.0]


def patient() -> Scenario:
    """Ten agents, who are too few; callers wait two minutes on average."""
    return one_queue(10, 220.0, 12.0, patience=Exponential(120.0))


def waves_and_breaks() -> Scenario:
    """Rates that rise and fall by the hour, and agents who come and go all day."""
    scenario = one_queue(10, 0.0, 16.0, patience=Exponential(240.0))
    periods = tuple(Period(n * HOUR, (n + 1) * HOUR, r) for n, r in enumerate(2 * WAVES))
    breaks = [tuple((h * HOUR + 600 * n, h * HOUR + 600 * n + 1200) for h in range(1, 16, 3))
              for n in range(10)]  # fmt: skip
    return replace(
        scenario,
        streams=(replace(scenario.streams[0], periods=periods),),
        shifts=tuple(replace(shift, breaks=breaks[n]) for n, shift in enumerate(scenario.shifts)),
    )


@pytest.mark.parametrize("day", [patient, waves_and_breaks])
def test_prediction_interval_covers_what_it_says(day: Callable[[], Scenario]) -> None:
    """The published coverage is within five points of the nominal, however the day goes."""
    accuracy = simulate(day(), 3).engine.accuracy()["q"]
    assert accuracy.judged > 500
    assert accuracy.coverage == pytest.approx(NOMINAL, abs=0.05)
    assert accuracy.error[accuracy.chosen] == min(accuracy.error.values())


def test_by_length_is_the_erlang_a_sum() -> None:
    predictor = Predictor()
    predictor.interval, predictor.patience = 10.0, 100.0
    exact = sum(1 / (0.1 + i * 0.01) for i in range(21))
    assert predictor.by_length(20, 3, 30.0) == pytest.approx(exact, rel=0.02)


def test_explain_an_offer_so_that_it_can_be_recomputed() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", "zoe")}))
    centre.tell(AgentPaused("zoe", "lunch"))
    centre.serve("one")
    offer = only(centre.call("two"), Offer)
    record = centre.engine.explain_offer(offer.offer)
    assert record is not None
    assert min(record["agents"])[2] == record["agent"] == "bob"
    assert record["candidates"]["bob"] == "chosen"
    assert record["candidates"]["anna"].startswith("free, score")
    assert record["candidates"]["zoe"] == "paused (lunch)"


def test_explain_whom_a_caller_was_served_before_and_why() -> None:
    """Two callers stand before the one who is served: one needs French, one rings elsewhere."""
    agents = {"anna": AgentSettings(), "bob": AgentSettings({"french": 5}), "zoe": AgentSettings()}
    centre = Centre(settings({"q": queue("anna", "bob", "zoe")}, agents=agents))
    centre.tell(AgentPaused("anna", ""), AgentPaused("bob", "lunch"))
    centre.call("ringing")
    centre.call("french", skills="french")
    centre.call("plain")
    offer = only(centre.tell(AgentResumed("anna")), Offer)
    record = centre.engine.explain_offer(offer.offer)
    assert record is not None
    assert record["call"] == "plain"
    assert record["passed"] == {"ringing": "rings at zoe", "french": "needs 'french'"}
    assert record["candidates"]["bob"] == "paused (lunch)"
    assert record["tie_break"] == "none: only this agent had become free"


def test_explain_what_is_kept_in_reserve_and_what_broke_a_tie() -> None:
    rules = {
        "vip": queue("anna", "bob", reserve=1),
        "q": queue("anna", "bob", "zoe", "yan", strategy="skill", skills="sales"),
    }
    agents = {name: AgentSettings({"sales": 5}) for name in ("bob", "zoe", "yan")}
    agents["anna"] = AgentSettings({"sales": 9})
    centre = Centre(settings(rules, agents=agents))
    centre.tell(AgentPaused("bob", ""))
    record = centre.engine.explain_offer(only(centre.call("one"), Offer).offer)
    assert record is not None
    assert record["agent"] == "zoe"
    assert record["candidates"]["anna"] == "is kept in reserve for vip"
    assert record["candidates"]["yan"].startswith("free, score (-5")
    assert record["tie_break"] == "none: the least score"


@pytest.mark.parametrize(
    ("strategy", "broke"),
    [
        ("round-robin", "none: the next after seat 1 in the circle"),
        ("random", "dice"),
        ("linear", "none: the least score"),
        ("weighted", "earlier seat"),
        ("fastest-first", "none: idle for longer than the queue's bound of fairness"),
    ],
)
def test_explain_says_what_broke_the_tie(strategy: str, broke: str) -> None:
    centre = Centre(settings({"q": queue("a", "b", "c", strategy=strategy, fairness=60.0)}))
    centre.serve("first", talk=1.0)
    centre.wait(100)
    record = centre.engine.explain_offer(only(centre.call("one"), Offer).offer)
    assert record is not None
    assert record["tie_break"] == broke


def test_explain_why_idle_and_why_waiting() -> None:
    centre = Centre(settings({"q": queue("anna", steps=(Step(0, tier=0), Step(60, tier=1)))}))
    centre.call("one")
    waiting = centre.engine.explain_waiting("one")
    idle = centre.engine.explain_agent("anna")
    assert waiting is not None
    assert idle is not None
    assert waiting["queues"]["q"]["agents"] == {"anna": "tier 1 is not open yet"}
    assert idle["queues"]["q"] == "tier 1 is not open yet"
    assert centre.engine.explain_agent("nobody") is None


def test_a_violation_raises_an_alarm_with_its_trace() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    assert list(violations(centre.engine.floor)) == []
    centre.engine.floor.queues["q"].entered += 1
    (alarm,) = centre.engine.audit()
    assert (alarm.rule, len(alarm.trace)) == ("conservation", 1)  # type: ignore[union-attr]


@given(st.randoms(use_true_random=False))
def test_settings_go_through_json(rng: st.Random) -> None:  # type: ignore[name-defined]
    given_settings = any_settings(rng.randrange)
    assert from_json(Settings, to_json(given_settings)) == given_settings


def test_journal_records_name_what_is_wrong() -> None:
    event = CallJoined("c", ("q",), customer="Иванов", arrived=0.1 + 0.2)
    assert decode(encode(event, 1 / 3)) == (event, 1 / 3)
    assert event_from_json(event_to_json(Tick())) == Tick()
    centre = Centre(settings({"q": queue("anna")}))
    with pytest.raises(CodecError, match="record 2"):
        rebuild(centre.engine.snapshot(), [encode(Tick(), 1.0), b'[1.0,{"event":"Nonsense"}]'])
