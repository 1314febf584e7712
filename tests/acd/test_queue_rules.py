"""What a queue may be told to do with its callers: limits, steps, reserves, places, chains."""

from __future__ import annotations

import pytest

from acd.actions import Joined, Left, Offer, Refused
from acd.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    CallbackFailed,
    CallbackRequested,
    CallEnded,
    CallLeft,
    CallMoved,
    OfferAnswered,
    QueueClosed,
    QueueOpened,
    Reconfigured,
    Tick,
)
from acd.settings import AgentSettings, Member, Overflow, QueueSettings, Staffing, Step
from acd.types import VisitOutcome
from tests.acd.floorplan import Centre, of, only, queue, settings


def busy(rules: QueueSettings, **others: QueueSettings) -> Centre:
    """Nobody at `q` is free."""
    centre = Centre(settings({"q": rules, **others}))
    for n, _ in enumerate(rules.members):
        centre.take(only(centre.call(f"busy{n}"), Offer).offer)
    return centre


def test_max_wait_sends_on_to_the_next_step() -> None:
    centre = busy(queue("anna", max_wait=30, next="voicemail:q"))
    centre.call("one")
    assert centre.wait(29.9) == []
    left = only(centre.wait(0.2), Left)
    assert (left.outcome, left.target, left.waited) == (VisitOutcome.TIMED_OUT, "voicemail:q", 30)


def test_a_caller_being_rung_is_not_timed_out_under_the_ring() -> None:
    centre = Centre(settings({"q": queue("anna", max_wait=10)}))
    centre.call("one")
    assert of(centre.wait(19), Left) == []
    assert only(centre.wait(2), Left).outcome is VisitOutcome.TIMED_OUT


def test_full_queue_refuses() -> None:
    centre = busy(queue("anna", max_length=1, next="hangup:busy"))
    centre.call("one")
    left = only(centre.call("two"), Left)
    assert (left.outcome, left.target) == (VisitOutcome.REFUSED_FULL, "hangup:busy")


def test_overflow_into_another_queue_keeps_the_arrival() -> None:
    rules = queue("anna", overflow=(Overflow("queue:more", length=1),))
    centre = busy(rules, more=queue("bob"))
    centre.call("one")
    said = centre.call("two")
    assert [type(action).__name__ for action in of(said, Left)] == ["Left"]
    assert only(said, Offer).queue == "more"


def test_overflow_by_time_and_by_prediction() -> None:
    rules = queue("anna", overflow=(Overflow("voicemail:q", waited=15),))
    centre = busy(rules)
    centre.call("one")
    assert only(centre.wait(16), Left).outcome is VisitOutcome.OVERFLOWED
    rules = queue("anna", overflow=(Overflow("voicemail:q", expected=60),))
    assert only(busy(rules).call("one"), Left).outcome is VisitOutcome.OVERFLOWED


def test_a_loop_of_overflows_ends() -> None:
    a, b = queue("anna", hold=False, next="queue:b"), queue("anna", hold=False, next="queue:a")
    centre = Centre(settings({"a": a, "b": b}))
    centre.tell(AgentPaused("anna", ""))
    said = centre.call("one", "a")
    assert len(of(said, Left)) == 9
    assert centre.engine.floor.calls == {}


def test_no_hold_goes_to_an_agent_at_once_or_on_at_once() -> None:
    centre = Centre(settings({"q": queue("anna", hold=False, next="voicemail:q")}))
    only(centre.call("one"), Offer)
    assert only(centre.call("two"), Left).outcome is VisitOutcome.NO_AGENTS


def test_hold_is_capped_by_its_cost() -> None:
    """Two a minute, at most one: half a minute."""
    centre = busy(queue("anna", hold_cost=2.0, hold_cost_cap=1.0))
    centre.call("one")
    assert only(centre.wait(60), Left).waited == 30


@pytest.mark.parametrize(
    ("staffing", "joins"), [("any", True), ("logged-in", True), ("ready", False)]
)
def test_join_by_staffing(staffing: str, joins: bool) -> None:
    centre = Centre(settings({"q": queue("anna", join_when=Staffing(staffing))}))
    centre.tell(AgentPaused("anna", ""))
    assert bool(of(centre.call("one"), Joined)) is joins


def test_callers_leave_when_the_last_agent_does() -> None:
    centre = busy(queue("anna", stay_when=Staffing.LOGGED_IN, next="voicemail:q"))
    centre.call("one")
    assert of(centre.tell(AgentPaused("anna", "")), Left) == []
    assert only(centre.tell(AgentLoggedOut("anna")), Left).outcome is VisitOutcome.NO_AGENTS


def test_service_hours_come_from_outside() -> None:
    centre = busy(queue("anna", next="play:closed"))
    centre.call("one")
    assert of(centre.tell(QueueClosed("q")), Left) == []
    assert only(centre.call("two"), Left).outcome is VisitOutcome.REFUSED_CLOSED
    centre.tell(QueueOpened("q"))
    assert of(centre.call("three"), Joined) != []


def test_exit_key_leaves_for_its_target() -> None:
    centre = busy(queue("anna"))
    centre.call("one")
    left = only(centre.tell(CallLeft("one", target="voicemail:q")), Left)
    assert (left.outcome, left.target, left.last) == (VisitOutcome.EXIT, "voicemail:q", True)


def test_the_place_of_a_caller_who_dropped_is_kept() -> None:
    centre = busy(queue("anna", keep_place=60))
    centre.call("one", customer="+1")
    centre.wait(5)
    centre.call("two")
    centre.tell(CallEnded("one"))
    centre.wait(30)
    assert only(centre.call("again", customer="+1"), Joined).position == 1
    centre.tell(CallEnded("again"))
    centre.wait(61)
    assert only(centre.call("too late", customer="+1"), Joined).position == 2


def test_several_queues_at_once_first_agent_wins() -> None:
    centre = Centre(settings({"a": queue("anna"), "b": queue("bob")}))
    centre.tell(AgentPaused("anna", ""), AgentPaused("bob", ""))
    centre.call("one", "a", "b")
    offer = only(centre.tell(AgentLoggedIn("bob", "bob")), Offer)
    left = of(centre.take(offer.offer), Left)
    assert [(v.queue, v.outcome) for v in left] == [
        ("b", VisitOutcome.ANSWERED),
        ("a", VisitOutcome.WITHDRAWN),
    ]


def test_callers_of_a_queue_may_wait_in_others_too() -> None:
    """By whatever way they come, and where the others may be joined."""
    rules = {
        "a": queue("anna", also=("b", "c"), max_length=1, next="queue:d"),
        "b": queue("bob"),
        "c": queue("bob", join_when=Staffing.READY),
        "d": queue("anna", also=("b",)),
    }
    centre = Centre(settings(rules))
    centre.tell(AgentPaused("anna", ""), AgentPaused("bob", ""))
    centre.call("one", "a")
    assert sorted(centre.engine.floor.calls["one"].entries) == ["a", "b"]
    centre.call("two", "a")
    assert sorted(centre.engine.floor.calls["two"].entries) == ["b"]
    assert only(centre.tell(AgentResumed("bob")), Offer).call == "one"


def test_moved_while_ringing_takes_effect_at_once() -> None:
    centre = Centre(settings({"a": queue("anna"), "b": queue("bob")}))
    centre.call("one", "a")
    assert only(centre.tell(CallMoved("one", ("b",))), Offer).agent == "bob"


def test_requirements_relax_in_steps() -> None:
    agents = {"anna": AgentSettings(skills={"sales": 3}), "x": AgentSettings(skills={"sales": 9})}
    rules = QueueSettings(
        members=(Member("anna"),),
        skills="sales >= 8",
        steps=(Step(20, skills="sales >= 5"), Step(40, skills="sales >= 2")),
    )
    centre = Centre(settings({"q": rules}, agents=agents))
    centre.call("one")
    assert of(centre.wait(39.9), Offer) == []
    assert only(centre.wait(0.2), Offer).agent == "anna"


def test_sticky_waits_for_the_agent_of_last_time_then_takes_anybody() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", sticky=15)}))
    assert centre.serve("one", customer="+1") == "anna"
    bobs, annas = only(centre.call("2"), Offer), only(centre.call("3"), Offer)
    centre.take(bobs.offer)
    centre.take(annas.offer)
    centre.hang_up(bobs)
    assert of(centre.call("known", customer="+1"), Offer) == []
    assert of(centre.wait(14.9), Offer) == []
    assert only(centre.wait(0.2), Offer).agent == "bob"


def test_a_reserve_is_kept_back_for_its_queue() -> None:
    rules = {"vip": queue("anna", "bob", reserve=1), "plain": queue("anna", "bob")}
    centre = Centre(settings(rules))
    assert len(of(centre.call("one", "plain"), Offer)) == 1
    assert of(centre.call("two", "plain"), Offer) == []
    assert only(centre.call("three", "vip"), Offer).agent == "bob"


def test_several_calls_at_once_where_allowed() -> None:
    agents = {"anna": AgentSettings(capacity=2)}
    centre = Centre(settings({"q": queue("anna")}, agents=agents))
    assert len([o for n in range(3) for o in of(centre.call(f"c{n}"), Offer)]) == 2


def test_external_agents_confirm_and_need_no_registration() -> None:
    agents = {"anna": AgentSettings(external="+79160000000")}
    centre = Centre(settings({"q": queue("anna")}, agents=agents), login=False)
    centre.tell(AgentLoggedIn("anna", registered=False))
    offer = only(centre.call("one"), Offer)
    assert (offer.phone, offer.confirm) == ("+79160000000", True)


def test_worst_case_wait_of_the_lowest_class() -> None:
    """Urgent callers come without end; nobody who arrives `ageing * 2` later goes first."""
    centre = busy(queue("anna"))
    centre.call("low", priority=0)
    waited, offer = 0.0, only(of([a for _, a in centre.log], Offer), Offer)
    while offer.call != "low":
        centre.call(f"urgent at {centre.now}", priority=2)
        centre.wait(10)
        waited += 10
        offer = only(centre.hang_up(offer), Offer)
        centre.take(offer.offer)
    assert waited <= 2 * 60 + 10


def test_a_failed_callback_is_tried_again_so_often_and_no_more() -> None:
    centre = busy(queue("anna"))
    centre.call("back")
    centre.tell(CallbackRequested("back", "+1"), CallEnded("back"))
    offer = only(centre.hang_up(only([a for _, a in centre.log], Offer)), Offer)
    for attempt in (1, 2, 3):
        centre.tell(OfferAnswered(offer.offer))
        said = centre.tell(CallbackFailed("back", attempt))
        if attempt < 3:
            offer = only(centre.wait(301), Offer)
    assert only(said, Left).outcome is VisitOutcome.EXPIRED


def test_commands_in_a_wrong_state_are_refused_and_change_nothing() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    for event in (CallLeft("nobody"), CallMoved("x", ("q",)), AgentPaused("zoe"), QueueClosed("z")):
        before = centre.engine.snapshot()
        (refused,) = centre.tell(event)
        assert isinstance(refused, Refused)
        assert {**centre.engine.snapshot(), "event": 0} == {**before, "event": 0}


def test_a_late_or_repeated_tick_is_harmless() -> None:
    centre = Centre(settings({"q": queue("anna", max_wait=5)}))
    assert centre.tell(Tick(), Tick()) == []


def test_a_reserve_may_be_kept_for_important_callers_of_the_same_queue() -> None:
    """Two agents, one in reserve for priority 1 and above: the ordinary caller gets one only."""
    centre = Centre(settings({"q": queue("anna", "boris", reserve=1, reserve_priority=1)}))
    first = only(centre.call("plain"), Offer)
    assert of(centre.call("plain too"), Offer) == []
    assert only(centre.call("vip", priority=1), Offer).agent != first.agent


def test_ageing_may_be_a_queues_own() -> None:
    """Strict here: no waiting makes up for a level of priority."""
    centre = busy(queue("anna", ageing=1e6))
    centre.call("plain")
    centre.wait(1800)
    assert only(centre.call("vip", priority=1), Joined).position == 1


def test_the_empty_and_the_closed_have_their_own_ways_out() -> None:
    rules = queue("anna", join_when=Staffing.FREE, empty="hangup:busy", closed="play:closed")
    centre = busy(rules)
    assert only(centre.call("one"), Left).target == "hangup:busy"
    centre.tell(QueueClosed("q"))
    assert only(centre.call("two"), Left).target == "play:closed"


def test_a_closed_queue_sends_callers_on_but_keeps_its_callbacks() -> None:
    centre = busy(queue("anna", closed="play:closed"))
    centre.call("promised")
    centre.tell(CallbackRequested("promised", "+1"), CallEnded("promised"))
    centre.call("on the line")
    left = only(centre.tell(QueueClosed("q", leave=True)), Left)
    assert (left.call, left.target) == ("on the line", "play:closed")
    assert list(centre.engine.floor.calls) == ["promised"]


def test_queues_removed_at_once_do_not_send_their_callers_to_one_another() -> None:
    rules = {"a": queue("anna", next="queue:b"), "b": queue("anna", next="queue:a")}
    centre = Centre(settings({**rules, "c": queue("anna")}))
    centre.tell(AgentPaused("anna", ""))
    centre.call("one", "a")
    centre.call("two", "b")
    said = centre.tell(Reconfigured(settings({"c": queue("anna")})))
    assert {left.call for left in of(said, Left) if left.last} == {"one", "two"}
    assert centre.engine.floor.calls == {}


def test_a_reserve_that_comes_with_new_settings_counts_who_is_free_then() -> None:
    """Bob was free when last counted, and talks now; Anna may take a second call from now on."""
    rules = queue("anna", "bob", strategy="linear")
    centre = Centre(settings({"q": rules}))
    centre.tell(AgentPaused("anna", ""))
    centre.take(only(centre.call("one"), Offer).offer)
    centre.tell(AgentResumed("anna"))
    centre.take(only(centre.call("two"), Offer).offer)
    agents = {"anna": AgentSettings(capacity=3)}
    vip = queue("anna", "bob", reserve=1)
    centre.tell(Reconfigured(settings({"q": rules, "vip": vip}, agents=agents)))
    assert of(centre.call("three"), Offer) == []
    assert only(centre.call("four", "vip"), Offer).agent == "anna"
