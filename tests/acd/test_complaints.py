"""What users of other systems complain of, by the number of its row in the project's list.

Each test is the situation of the complaint, and what must happen instead.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from random import Random
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.actions import (
    Action,
    AgentChanged,
    Announce,
    Connect,
    DialCallback,
    Held,
    Left,
    Offer,
    OfferEnded,
    Reclaim,
    Refused,
    Remind,
    TalkEnded,
    Withdraw,
)
from acd.engine import Engine
from acd.events import (
    AgentDnd,
    AgentFreed,
    AgentHeld,
    AgentLegEnded,
    AgentLegReplaced,
    AgentLegsCounted,
    AgentLegStarted,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentRegistered,
    AgentResumed,
    CallbackAnswered,
    CallbackRequested,
    CallEnded,
    CallJoined,
    Connected,
    Event,
    OfferAnswered,
    OfferFailed,
    PriorityChanged,
    Reconfigured,
    StrategyChanged,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.metrics.logbook import Logbook
from acd.metrics.tallies import agent_tallies, queue_tally
from acd.settings import (
    AgentSettings,
    Announcement,
    Callback,
    CallbackSettings,
    Member,
    QueueSettings,
    Step,
)
from acd.simulate.replay import replay
from acd.types import OfferOutcome, SettingError, State, VisitOutcome
from tests.acd.floorplan import Centre, copy_of, of, only, queue, settings

TWO_QUEUES = {"a": queue("anna"), "b": queue("anna")}


def busy_centre(**queues: QueueSettings) -> tuple[Centre, Offer]:
    """Anna, alone, already talks."""
    centre = Centre(settings(queues or {"q": queue("anna")}))
    offer = only(centre.call("first", *list(queues or ["q"])[:1]), Offer)
    centre.take(offer.offer)
    return centre, offer


# --- order of service and cross-queue logic --------------------------------------------------


def test_c01_one_order_over_all_queues_of_an_agent() -> None:
    centre, offer = busy_centre(**TWO_QUEUES)
    centre.call("older", "b")
    centre.wait(1)
    centre.call("newer", "a")
    assert only(centre.hang_up(offer), Offer).call == "older"


def test_c02_priority_beats_older_calls_of_another_queue() -> None:
    centre, offer = busy_centre(**TWO_QUEUES)
    centre.call("older", "b")
    centre.wait(1)
    centre.call("urgent", "a", priority=1)
    assert only(centre.hang_up(offer), Offer).call == "urgent"


def test_c03_a_call_at_the_head_never_stops_the_others() -> None:
    """The first in line cannot be served by Anna: those behind are."""
    agents = {"anna": AgentSettings(skills={"sales": 1}), "bob": AgentSettings({"french": 1})}
    centre = Centre(settings({"q": queue("anna", "bob")}, agents=agents))
    centre.tell(AgentPaused("bob", "lunch"))
    assert of(centre.call("french", priority=9, skills="french"), Offer) == []
    assert only(centre.call("anybody"), Offer).agent == "anna"


def test_c04_eligibility_comes_before_priority() -> None:
    """Anna is outside the tier of the urgent queue, so the plain queue may have her."""
    urgent = QueueSettings(
        members=(Member("anna", tier=2),), priority=5, steps=(Step(0, tier=1), Step(60, tier=2))
    )
    centre, offer = busy_centre(plain=queue("anna"), urgent=urgent)
    centre.call("urgent", "urgent")
    centre.call("plain", "plain")
    assert only(centre.hang_up(offer), Offer).call == "plain"


def test_c05_an_agent_exists_once_and_queues_refer_to_them() -> None:
    """No queue has a copy that could lag behind: what is true in one is true in all, at once."""
    centre = Centre(settings(TWO_QUEUES))
    seats = [q.seats["anna"] for q in centre.engine.floor.queues.values()]
    centre.call("one", "a")
    assert [seat.agent.state for seat in seats] == [State.RINGING, State.RINGING]
    assert seats[0].agent is seats[1].agent


def test_c06_callers_are_always_served_in_parallel() -> None:
    centre = Centre(settings({"q": queue("anna", "bob")}))
    assert only(centre.call("one"), Offer).agent == "anna"
    assert only(centre.call("two"), Offer).agent == "bob"  # while the first still rings


def test_c07_a_change_of_priority_ranks_anew_at_once() -> None:
    centre, offer = busy_centre()
    centre.call("one")
    centre.call("two")
    centre.tell(PriorityChanged("two", 3))
    assert only(centre.hang_up(offer), Offer).call == "two"


def test_c08_c09_whoever_ranks_first_is_served_first() -> None:
    """Two hundred callers of any priority, one agent: exactly the order of the ranks."""
    rng = Random(1)
    centre, offer = busy_centre()
    ranks: dict[str, float] = {}
    for n in range(200):
        priority = rng.randrange(-3, 4)
        ranks[f"c{n}"] = centre.now - 60 * priority
        centre.call(f"c{n}", priority=priority)
        centre.wait(rng.choice((0.0, 1.0, 30.0)))
    served = []
    while offers := of(centre.hang_up(offer), Offer):
        (offer,) = offers
        served.append(offer.call)
        centre.take(offer.offer)
    assert served == sorted(ranks, key=lambda call: (ranks[call], int(call[1:])))


def test_c10_arrival_is_kept_over_menus_and_queues() -> None:
    centre, offer = busy_centre()
    centre.call("menu")
    centre.wait(10)
    centre.call("waiting")
    centre.tell(CallEnded("nobody"))
    centre.wait(5)
    centre.call("from menu", arrived=centre.now - 12)
    assert only(centre.hang_up(offer), Offer).call == "menu"
    assert centre.engine.floor.queues["q"].line[0][3].call.id == "menu"
    assert [row[3].call.id for row in centre.engine.floor.queues["q"].line][1] == "from menu"


def test_c11_the_next_tier_opens_when_the_first_does_not_answer() -> None:
    """The idle but absent agent of tier 1 is skipped for this call."""
    steps = (Step(0, tier=1), Step(600, tier=2))
    members = (Member("lazy", tier=1), Member("anna", tier=2))
    centre = Centre(settings({"q": QueueSettings(members=members, steps=steps)}))
    assert only(centre.call("one"), Offer).agent == "lazy"
    assert only(centre.wait(20), Offer).agent == "anna"


@given(
    st.lists(st.tuples(st.floats(1, 100), st.none() | st.integers(0, 9)), max_size=5),
    st.lists(st.floats(0.1, 40), max_size=8),
)
def test_c12_what_is_asked_is_a_pure_function_of_the_wait(
    rows: list[tuple[float, int | None]], strides: list[float]
) -> None:
    """In whatever strides time passes: the last step whose time has come, and nothing else."""
    steps = tuple(
        Step(after, skills=None if level is None else f"sales >= {level}", tier=None)
        for after, level in rows
    )
    rules = queue("anna", skills="sales >= 10", steps=steps)
    centre = Centre(settings({"q": rules}, agents={"anna": AgentSettings({"sales": 1})}))
    centre.tell(AgentPaused("anna", ""))
    centre.call("one")
    start = centre.now
    for stride in strides:
        centre.wait(stride)
        entry = centre.engine.floor.calls["one"].entries["q"]
        due = [s for s in sorted(steps, key=lambda s: s.after) if s.after + start <= centre.now]
        asked = [step.skills for step in due if step.skills is not None]
        assert entry.queue.needs(entry).skills == (asked or ["sales >= 10"])[-1]


def test_c14_linear_has_the_order_of_the_list() -> None:
    centre = Centre(settings({"q": queue("zoe", "anna", "bob", strategy="linear")}))
    assert [only(centre.call(f"c{n}"), Offer).agent for n in range(3)] == ["zoe", "anna", "bob"]


def test_c15_whoever_did_not_answer_is_not_asked_again_for_this_call() -> None:
    centre = Centre(settings({"q": queue("anna", "bob")}))
    assert only(centre.call("one"), Offer).agent == "anna"
    assert only(centre.wait(20), Offer).agent == "bob"
    assert only(centre.call("two"), Offer).agent == "anna"


def test_c17_the_round_robin_pointer_is_the_queues_own() -> None:
    rule = {"strategy": "round-robin"}
    centre = Centre(settings({"q": queue("a", "b", "c", **rule), "other": queue("b", "c", **rule)}))
    assert centre.serve("1") == "a"
    assert centre.serve("2", "other") == "b"
    assert centre.serve("3") == "b"


def test_c18_a_newcomer_is_not_flooded() -> None:
    """Fewest calls counts per ready time: after the newcomer's share it is the others' turn."""
    centre = Centre(
        settings({"q": queue("a", "b", strategy="fewest-calls")}, ageing=60), login=False
    )
    centre.tell(AgentLoggedIn("a", "a"))
    for n in range(20):
        centre.serve(f"a{n}")
        centre.wait(30)
    centre.tell(AgentLoggedIn("b", "b"))
    shares = [centre.serve(f"b{n}") for n in range(20)]
    assert 5 <= shares.count("b") <= 15


# --- agents: ringing, busy, wrap-up, pause ----------------------------------------------------


def test_c19_talking_agent_is_never_offered() -> None:
    centre, _ = busy_centre()
    assert of(centre.call("second"), Offer) == []


def test_c20_a_call_outside_the_queue_is_busy_too() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.tell(AgentLegStarted("anna", "private"))
    assert of(centre.call("one"), Offer) == []
    assert only(centre.tell(AgentLegEnded("anna", "private")), Offer).agent == "anna"


def test_c21_every_leg_counts_until_the_last_has_ended() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.tell(AgentLegStarted("anna", "held"), AgentLegStarted("anna", "active"))
    centre.call("one")
    assert of(centre.tell(AgentLegEnded("anna", "active")), Offer) == []
    assert of(centre.tell(AgentLegEnded("anna", "held")), Offer) != []


@pytest.mark.parametrize("hindrance", [AgentRegistered("anna", False), AgentDnd("anna", True)])
def test_c22_unregistered_and_dnd_are_not_eligible(hindrance: AgentRegistered | AgentDnd) -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.tell(hindrance)
    assert of(centre.call("one"), Offer) == []


@pytest.mark.parametrize(
    "word",
    [
        AgentRegistered("anna", False),
        AgentDnd("anna", True),
        AgentPaused("anna", "lunch"),
        AgentLoggedOut("anna"),
        AgentLoggedIn("anna", "104"),
    ],
)
def test_c22_what_an_agent_has_answered_is_not_taken_away(word: Event) -> None:
    """A supervisor pauses Anna, or her registration lapses, while she hears the whisper."""
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    centre.tell(OfferAnswered(offer.offer, f"leg-{offer.offer}"))
    assert of(centre.tell(word), Withdraw) == []
    ended = only(centre.tell(Connected(offer.offer)), OfferEnded)
    assert ended.outcome is OfferOutcome.ANSWERED
    assert of(centre.call("two"), Offer) == []


def test_c23_wrap_up_is_the_agents_and_holds_in_all_queues() -> None:
    centre, offer = busy_centre(long=queue("anna", wrap_up=30), short=queue("anna"))
    centre.call("two", "short")
    assert of(centre.hang_up(offer), Offer) == []
    assert of(centre.wait(29.9), Offer) == []
    assert only(centre.wait(0.2), Offer).call == "two"


def test_c24_wrap_up_starts_when_the_agents_own_leg_ends() -> None:
    """The caller was transferred and talks on: nothing to do with Anna."""
    centre, offer = busy_centre(q=queue("anna", wrap_up=10))
    assert AgentChanged("anna", State.WRAP_UP, "", centre.now + 10) in centre.hang_up(offer)
    assert centre.tell(CallEnded("first")) == []


def test_c25_wrap_up_shows_with_its_end() -> None:
    centre, offer = busy_centre(q=queue("anna", wrap_up=10))
    centre.hang_up(offer)
    until = centre.now + 60
    centre.wait(5)
    changed = only(centre.tell(WrapUpExtended("anna", 55)), AgentChanged)
    assert (changed.state, changed.until) == (State.WRAP_UP, until)
    assert only(centre.tell(WrapUpEnded("anna")), AgentChanged).state is State.IDLE


def test_c26_each_agent_leaves_wrap_up_on_their_own() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", wrap_up=10)}))
    offers = [only(centre.call(name), Offer) for name in ("one", "two")]
    for offer in offers:
        centre.take(offer.offer)
        centre.hang_up(offer)
        centre.wait(4)
    idle = [a.agent for a in of(centre.wait(3), AgentChanged)]
    assert idle == ["anna"]


def test_c27_pausing_in_wrap_up_keeps_one_truth() -> None:
    centre, offer = busy_centre(q=queue("anna", wrap_up=10))
    centre.hang_up(offer)
    centre.tell(AgentPaused("anna", "tea"))
    assert centre.engine.floor.agents["anna"].state is State.WRAP_UP
    assert only(centre.wait(10), AgentChanged).state is State.PAUSED


def test_c28_new_settings_reset_nothing() -> None:
    centre, offer = busy_centre(q=queue("anna", wrap_up=10))
    centre.hang_up(offer)
    centre.call("two")
    centre.tell(Reconfigured(settings({"q": queue("anna", "bob", wrap_up=10, ring_time=5)})))
    assert centre.engine.floor.agents["anna"].state is State.WRAP_UP
    assert only(centre.wait(10), Offer).call == "two"


def test_c29_a_pause_has_a_reason_from_login_to_restart() -> None:
    centre = Centre(settings({"q": queue("anna")}), login=False)
    centre.tell(AgentLoggedIn("anna", "101", paused="training"))
    agent = copy_of(centre.engine).floor.agents["anna"]
    assert (agent.state, agent.detail) == (State.PAUSED, "training")


def test_c30_only_several_misses_in_a_window_pause() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    for n in range(2):
        centre.call(f"c{n}")
        centre.wait(20)
        centre.tell(CallEnded(f"c{n}"))
    assert centre.engine.floor.agents["anna"].state is State.IDLE
    centre.call("c3")
    changes = of(centre.wait(20), AgentChanged)
    assert changes[-1].state is State.PAUSED
    assert "no-answer" in changes[-1].detail


def test_c31_a_network_failure_is_no_no_answer() -> None:
    """Once more after a rest, then a pause; the turn is not lost."""
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    changes = of(centre.tell(OfferFailed(offer.offer, OfferOutcome.UNREACHABLE)), AgentChanged)
    assert changes[-1].state is State.RESTING
    offer = only(centre.wait(10), Offer)
    centre.tell(OfferFailed(offer.offer, OfferOutcome.UNREACHABLE))
    assert centre.engine.floor.agents["anna"].state is State.PAUSED


def test_c32_losers_of_ring_all_ring_on_until_the_bridge_stands() -> None:
    """The first to answer hangs up during the whisper: the others never stopped ringing."""
    centre = Centre(settings({"q": queue("anna", "bob", strategy="ring-all")}))
    anna, bob = of(centre.call("one"), Offer)
    assert of(centre.tell(OfferAnswered(anna.offer)), Withdraw) == []
    assert of(centre.tell(OfferFailed(anna.offer, OfferOutcome.REJECTED)), Offer) == []
    assert of(centre.tell(OfferAnswered(bob.offer)), Connect) != []
    assert of(centre.tell(Connected(bob.offer)), Left)[0].agent == "bob"


def test_c33_ring_all_rings_each_agent_once() -> None:
    centre = Centre(settings({"q": queue("a", "b", "c", strategy="ring-all")}))
    offers = of(centre.call("one"), Offer)
    assert sorted(offer.agent for offer in offers) == ["a", "b", "c"]


@pytest.mark.parametrize("answered", [False, True])
def test_c34_a_reservation_ends_by_itself(answered: bool) -> None:
    """Whatever word is lost, the agent is free when the lease is over."""
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    if answered:
        centre.tell(OfferAnswered(offer.offer))
    centre.tell(CallEnded("nobody"))
    said = centre.wait(31)
    assert Withdraw(offer.offer, "anna") in said


def test_c35_a_lost_bye_frees_the_agent_in_bounded_time() -> None:
    centre, _ = busy_centre()
    centre.tell(CallEnded("first"))
    assert centre.wait(29) == []
    assert only(centre.wait(2), AgentChanged).state is State.IDLE


def test_c35_reconciliation_and_command_free_an_agent() -> None:
    centre, _ = busy_centre()
    assert centre.tell(AgentLegsCounted("anna", ()))[-1] == AgentChanged("anna", State.IDLE)
    centre, _ = busy_centre()
    assert centre.tell(AgentFreed("anna"))[-1] == AgentChanged("anna", State.IDLE)


def test_c36_a_caller_who_hangs_up_stops_the_ringing_and_a_late_answer_is_let_go() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    assert Withdraw(offer.offer, "anna") in centre.tell(CallEnded("one"))
    assert centre.tell(OfferAnswered(offer.offer)) == [Withdraw(offer.offer, "")]


def test_c37_a_caller_is_served_by_one() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", strategy="ring-all")}))
    anna, bob = of(centre.call("one"), Offer)
    centre.tell(OfferAnswered(anna.offer))
    late = centre.tell(OfferAnswered(bob.offer))
    assert Withdraw(bob.offer, "bob", answered_elsewhere=True) in late
    assert of(late, Connect) == []


def test_c38_an_agents_reject_never_touches_the_caller() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    said = centre.tell(OfferFailed(offer.offer, OfferOutcome.REJECTED))
    assert of(said, Left) == []
    assert centre.engine.floor.queues["q"].position(
        centre.engine.floor.calls["one"].entries["q"]
    ) == 1  # fmt: skip


@pytest.mark.parametrize("recall", [False, True])
def test_c39_a_caller_forgotten_on_hold_is_reclaimed(recall: bool) -> None:
    """The agent is reminded, then rung with the caller, or the caller is taken away."""
    rules = queue("anna", max_hold=60, hold_grace=10, hold_recall=recall, wrap_up=5)
    centre, offer = busy_centre(q=rules)
    leg = f"leg-{offer.offer}"
    centre.tell(AgentHeld("anna", leg, True))
    assert centre.wait(59) == []
    assert centre.wait(1) == [Remind("first", "q", "anna", leg, 60)]
    centre.engine = copy_of(centre.engine)  # killed meanwhile
    assert centre.wait(10) == [Reclaim("first", "q", "anna", leg, 70, recall)]
    assert centre.wait(600) == []


def test_c39_a_recalled_conversation_goes_on_over_another_leg() -> None:
    centre, _ = busy_centre(q=queue("anna", max_hold=60, wrap_up=5))
    centre.wait(10)
    centre.tell(AgentHeld("anna", "leg-1", True), AgentLegStarted("anna", "new"))
    centre.wait(80)
    said = centre.tell(AgentLegReplaced("anna", "leg-1", "new"))
    assert said == [Held("first", "q", "anna", False)]
    assert centre.tell(AgentLegEnded("anna", "leg-1")) == []
    assert only(centre.tell(AgentLegReplaced("anna", "leg-1", "x")), Refused)
    centre.wait(30)
    ended = only(centre.tell(AgentLegEnded("anna", "new")), TalkEnded)
    assert (ended.talked, ended.held) == (120, 80)
    assert centre.engine.floor.agents["anna"].state is State.WRAP_UP


def test_c39_who_forgot_a_caller_is_not_asked_for_him_again_at_once() -> None:
    """Nor does he wait for that agent, or for the next tier."""
    members = (Member("anna", tier=1), Member("bob", tier=2))
    steps = (Step(0, tier=1), Step(600, tier=2))
    rules = QueueSettings(members=members, steps=steps, sticky=60)
    centre = Centre(settings({"q": rules}))
    assert only(centre.call("one", customer="+1", preferred="anna", avoid="anna"), Offer).agent == (
        "bob"
    )
    centre = Centre(settings({"q": queue("anna")}))
    assert of(centre.call("one", avoid="anna"), Offer) == []
    assert only(centre.wait(60), Offer).agent == "anna"


def test_c39_who_takes_the_caller_back_is_not_reminded() -> None:
    centre, offer = busy_centre(q=queue("anna", max_hold=60))
    leg = f"leg-{offer.offer}"
    for on in (True, False, True, False):
        centre.tell(AgentHeld("anna", leg, on))
        assert centre.wait(59) == []
    assert centre.wait(600) == []


def test_c40_losers_hear_that_it_was_answered_elsewhere() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", strategy="ring-all")}))
    anna, bob = of(centre.call("one"), Offer)
    assert Withdraw(bob.offer, "bob", answered_elsewhere=True) in centre.take(anna.offer)


@pytest.mark.parametrize(
    "outcome",
    [
        OfferOutcome.REJECTED,
        OfferOutcome.NO_ANSWER,
        OfferOutcome.BUSY,
        OfferOutcome.UNREACHABLE,
    ],
)
def test_c72_every_outcome_of_an_offer_is_told_apart(outcome: OfferOutcome) -> None:
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    assert only(centre.tell(OfferFailed(offer.offer, outcome)), OfferEnded).outcome is outcome


def test_c73_the_only_agent_is_not_rung_again_at_once() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    centre.tell(OfferFailed(offer.offer, OfferOutcome.REJECTED))
    assert of(centre.wait(59), Offer) == []
    assert only(centre.wait(2), Offer).agent == "anna"


def test_c73_a_pause_is_effective_before_the_next_match() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.call("one")
    assert of(centre.tell(AgentPaused("anna", "tea")), Offer) == []
    assert of(centre.wait(120), Offer) == []


def test_c74_any_call_returns_the_agent_to_what_they_had_chosen() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.tell(AgentPaused("anna", "break"), AgentLegStarted("anna", "out"))
    said = centre.tell(AgentLegEnded("anna", "out"))
    assert only(said, AgentChanged) == AgentChanged("anna", State.PAUSED, "break")


def test_c75_nobody_is_rung_for_a_caller_who_has_gone() -> None:
    centre, offer = busy_centre()
    centre.call("two")
    centre.tell(CallEnded("two"))
    assert of(centre.hang_up(offer), Offer) == []


def test_c76_an_agent_has_one_reservation() -> None:
    centre = Centre(settings({"a": queue("anna"), "b": queue("anna")}))
    centre.call("one", "a")
    assert of(centre.call("two", "b"), Offer) == []


# --- statistics, announcements, callbacks, operations ----------------------------------------


def test_c41_statistics_are_the_same_after_a_restart() -> None:
    """Nothing counts in memory alone: the journal, walked again, gives the same figures."""
    centre, offer = busy_centre()
    before = Engine(centre.engine.floor.settings)
    centre.call("gone")
    centre.wait(7)
    centre.tell(CallEnded("gone"))
    centre.hang_up(offer)
    live = Logbook()
    for at, action in centre.log:
        live.take([action], at)
    again = replay(before, centre.events).log
    assert queue_tally(again, "q") == queue_tally(live, "q")
    assert agent_tallies(again) == agent_tallies(live)


def test_c46_those_who_gave_up_are_a_query() -> None:
    centre, _ = busy_centre()
    centre.call("gone")
    centre.wait(7)
    centre.tell(CallEnded("gone"))
    log = replay(Engine(centre.engine.floor.settings), centre.events).log
    gone = [visit for visit in log.visits["q"] if visit.outcome is VisitOutcome.ABANDONED]
    assert [(visit.call, visit.waited) for visit in gone] == [("gone", 7.0)]


def test_c42_talk_time_follows_the_agents_own_leg() -> None:
    centre, offer = busy_centre()
    centre.wait(30)
    centre.hang_up(offer)
    centre.wait(3600)
    totals = centre.engine.floor.agents["anna"].ledger.totals(1000.0 + 40)
    assert totals.talk == 30


@pytest.mark.parametrize("ends", ["caller", "agent", "nobody"])
def test_c43_who_ended_a_conversation_and_after_how_long(ends: str) -> None:
    """Of the agent's own leg, in the same event, with the cause."""
    centre, offer = busy_centre()
    centre.wait(42)
    if ends == "caller":
        centre.tell(CallEnded("first"))
    lost = [AgentLegsCounted("anna", ())]
    said = centre.tell(*lost) if ends == "nobody" else centre.hang_up(offer)
    ended = only(said, TalkEnded)
    assert (ended.by, ended.talked) == (ends, 42)


def test_c45_no_visit_is_answered_when_it_is_long_over() -> None:
    """Words about an offer that has ended change nothing any more."""
    centre = Centre(settings({"q": queue("anna")}))
    offer = only(centre.call("one"), Offer)
    centre.tell(CallEnded("one"))
    centre.wait(3600)
    assert of(centre.take(offer.offer), Left) == []
    assert centre.engine.floor.queues["q"].ended[VisitOutcome.ANSWERED] == 0


def test_c44_the_outcome_is_decided_once() -> None:
    centre, offer = busy_centre()
    centre.tell(CallEnded("first"))
    centre.hang_up(offer)
    outcomes = [a.outcome for _, a in centre.log if isinstance(a, Left)]
    assert outcomes == [VisitOutcome.ANSWERED]


def test_c48_a_membership_has_its_own_view() -> None:
    centre, _ = busy_centre(**TWO_QUEUES)
    (talk,) = centre.engine.floor.agents["anna"].talks.values()
    assert talk.queue == "a"


def test_c51_announcements_never_delay_a_match() -> None:
    rules = queue("anna", announcements=(Announcement(("welcome",), first=0.0),))
    centre = Centre(settings({"q": rules}))
    assert only(centre.call("one"), Offer).agent == "anna"


def test_c52_c53_announcements_follow_their_schedule() -> None:
    schedule = (
        Announcement(("position",), first=10, every=30),
        Announcement(("news", "offer"), first=20, every=30, times=3),
    )
    centre, _ = busy_centre(q=queue("anna", announcements=schedule))
    joined = centre.now
    centre.call("one")
    centre.wait(200)
    spoken = [(at - joined, a.what) for at, a in centre.log if isinstance(a, Announce)]
    assert [at for at, what in spoken if what == "position"] == [10, 40, 70, 100, 130, 160, 190]
    assert [row for row in spoken if row[1] != "position"] == [
        (20, "news"),
        (50, "offer"),
        (80, "news"),
    ]


def test_position_never_goes_up_unexplained() -> None:
    schedule = (Announcement(("position",), first=10, every=10),)
    centre, _ = busy_centre(q=queue("anna", announcements=schedule))
    centre.call("one")
    centre.wait(11)
    centre.call("urgent", priority=2)
    told = [a for a in of(centre.wait(10), Announce) if a.call == "one"]
    assert [(a.value, a.because) for a in told] == [(2.0, "priority")]


def test_c50_an_expected_wait_is_never_told_longer_without_a_word() -> None:
    """Ten minutes of one call where three minutes are usual: the caller is told that it is slow."""
    schedule = (Announcement(("wait",), first=10, every=30),)
    centre, _ = busy_centre(q=queue("anna", announcements=schedule))
    centre.call("one")
    told = [a for a in of(centre.wait(600), Announce) if a.value is not None]
    waits = [a.value for a in told if a.value is not None]
    assert waits[:3] == sorted(waits[:3], reverse=True)
    risen = [after for before, after in pairwise(told) if (after.value or 0) > (before.value or 0)]
    assert {a.because for a in risen} <= {"slower than expected"}
    assert all(a.upper is not None and a.upper >= (a.value or 0) for a in told)


def test_c55_callbacks_do_not_beat_older_live_callers() -> None:
    centre, offer = busy_centre()
    centre.call("live")
    centre.wait(1)
    centre.call("back")
    centre.tell(CallbackRequested("back", "+1"))
    assert only(centre.hang_up(offer), Offer).call == "live"


def test_c56_one_callback_a_number_and_every_attempt_once() -> None:
    rules = queue("anna", callback=CallbackSettings(mode=Callback.CUSTOMER_FIRST, lead=0))
    centre, offer = busy_centre(q=rules)
    centre.call("one")
    centre.call("two")
    centre.tell(CallbackRequested("one", "+1"))
    assert of(centre.tell(CallbackRequested("two", "+1")), Refused) != []
    centre.tell(CallEnded("two"))
    assert only(centre.hang_up(offer), DialCallback).attempt == 1
    assert of(centre.wait(40), DialCallback) == []
    assert only(centre.tell(CallbackAnswered("one", 1)), Offer).call == "one"


def test_c56_c58_no_agents_no_dialling() -> None:
    rules = queue("anna", callback=CallbackSettings(mode=Callback.CUSTOMER_FIRST))
    centre, offer = busy_centre(q=rules)
    centre.call("one")
    centre.tell(CallbackRequested("one", "+1"), AgentPaused("anna", "lunch"))
    centre.hang_up(offer)
    assert of(centre.wait(600), DialCallback) == []
    assert only(centre.tell(AgentResumed("anna")), DialCallback).number == "+1"


def test_c57_a_callback_keeps_its_place_and_gives_up_at_its_deadline() -> None:
    centre, offer = busy_centre()
    centre.call("back")
    centre.wait(1)
    centre.tell(CallbackRequested("back", "+1"), CallEnded("back"))
    centre.call("later")
    offered = only(centre.hang_up(offer), Offer)
    assert (offered.call, offered.callback) == ("back", "+1")
    centre.tell(AgentPaused("anna", ""))
    assert VisitOutcome.EXPIRED in [a.outcome for a in of(centre.wait(5 * 3600), Left)]


def cost_of_events(agents: int, waiting: int) -> float:
    """Functions called for each event of a busy centre, whatever machine it runs on."""
    names = [f"a{n}" for n in range(agents)]
    rules = {
        f"q{n}": queue(*names[n::10], *names[n + 1 :: 10], reserve=1 if n == 0 else 0)
        for n in range(10)
    }
    engine, now = Engine(settings(rules, audit_every=0)), 0.0
    for name in names:
        engine.handle(AgentLoggedIn(name, name), now)
    talks: list[tuple[str, str]] = []

    def obey(said: list[Action]) -> None:
        for offer in of(said, Offer):
            engine.handle(OfferAnswered(offer.offer, f"leg{offer.offer}"), now)
            engine.handle(Connected(offer.offer), now)
            talks.append((offer.agent, f"leg{offer.offer}"))

    for n in range(agents + waiting):
        obey(engine.handle(CallJoined(f"c{n}", (f"q{n % 10}",)), now))
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    for n in range(200):
        obey(engine.handle(AgentLegEnded(*talks.pop(0)), now))
        obey(engine.handle(CallJoined(f"more{n}", (f"q{n % 10}",)), now))
    sys.setprofile(None)
    return calls


def test_c62_an_event_costs_the_same_in_a_large_centre() -> None:
    """Ten times the agents and the callers; nobody is looked at who has nothing to do with it."""
    assert cost_of_events(300, 600) < 1.3 * cost_of_events(30, 60)


def test_c65_an_agents_event_speaks_of_the_agent_only() -> None:
    """Not once for each queue they sit at."""
    centre = Centre(settings({f"q{n}": queue("anna") for n in range(50)}))
    assert len(centre.tell(AgentPaused("anna", "tea"))) == 1


def test_c66_settings_log_nobody_out() -> None:
    centre = Centre(settings({"q": queue("anna")}))
    centre.tell(Reconfigured(settings({"q": queue("anna", strategy="random", max_wait=9)})))
    assert only(centre.call("one"), Offer).agent == "anna"


def test_c68_distribution_goes_on_without_the_last_of_the_list() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", strategy="linear")}))
    centre.tell(AgentPaused("bob", ""))
    assert centre.serve("one") == centre.serve("two") == "anna"


def test_c70_wrap_up_may_end_while_a_call_waits() -> None:
    centre, offer = busy_centre(q=queue("anna", wrap_up=5))
    centre.call("two")
    centre.hang_up(offer)
    assert only(centre.wait(6), Offer).call == "two"


def test_a_strategy_changes_live_also_for_those_who_wait() -> None:
    centre = Centre(settings({"q": queue("anna", "bob", strategy="linear")}))
    centre.tell(AgentPaused("anna", ""), AgentPaused("bob", ""))
    centre.call("one")
    centre.tell(
        StrategyChanged("q", "ring-all"), AgentLoggedOut("anna"), AgentLoggedIn("anna", "1")
    )
    assert len(of(centre.tell(AgentResumed("bob")), Offer)) == 1
    assert centre.engine.floor.calls["one"].asked == {"anna", "bob"}


def test_bad_settings_name_their_key() -> None:
    with pytest.raises(SettingError, match=r"queues\.q\.strategy: there is no strategy 'longest'"):
        Centre(settings({"q": queue("anna", strategy="longest")}))
