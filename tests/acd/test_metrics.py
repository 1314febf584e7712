"""Every figure by its definition, from the engine's own actions."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.actions import Offer
from acd.events import (
    AgentHeld,
    AgentLegEnded,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    AgentTransferred,
    CallbackRequested,
    CallEnded,
    CallLeft,
    OfferFailed,
)
from acd.metrics.definitions import AGENT, QUEUE, difference, explain, figures
from acd.metrics.logbook import Logbook, Stretch
from acd.metrics.proportions import distinguish, first_contact_resolution, share
from acd.metrics.queue_log import QueueLogError, Writer, load
from acd.metrics.reference import page
from acd.metrics.tallies import Planned, QueueTally, agent_tallies, queue_tally
from acd.types import OfferOutcome, VisitOutcome
from tests.acd.floorplan import Centre, only, queue, settings


def logbook(centre: Centre) -> Logbook:
    """Everything the centre has said until now."""
    log = Logbook()
    for at, action in centre.log:
        log.take([action], at)
    log.take([], centre.now)
    return log


def quiet_centre(**given: object) -> Centre:
    """One agent whose phone rings as long as the test wants."""
    return Centre(settings({"q": queue("anna", ring_time=1e4, **given)}))


def worked_day() -> Centre:
    """60 answered within 20 s, 20 later; 5 gone within 5 s, 3 within 20, 7 later; 5 sent on."""
    centre = quiet_centre()
    waits = [10.0] * 59 + [20.0] + [20.5] * 19 + [90.0]
    for n, wait in enumerate(waits):
        offer = only(centre.call(f"answered{n}"), Offer)
        centre.wait(wait)
        centre.take(offer.offer)
        centre.wait(100)
        centre.hang_up(offer)
    for n, wait in enumerate([3.0] * 4 + [5.0] + [12.0] * 3 + [60.0] * 7):
        centre.call(f"abandoned{n}")
        centre.wait(wait)
        centre.tell(CallEnded(f"abandoned{n}"))
    for n in range(5):
        centre.call(f"sent-on{n}")
        centre.wait(30)
        centre.tell(CallLeft(f"sent-on{n}", outcome=VisitOutcome.OVERFLOWED, target="voicemail:q"))
    return centre


def test_service_levels_of_the_worked_day() -> None:
    """One day, seven answers: 100 offered, 80 answered, 15 abandoned, 5 sent on; target 20 s."""
    found = figures(QUEUE, queue_tally(logbook(worked_day()), "q", target=20, short=5))
    assert {name: round(100 * (v or 0), 1) for name, v in found.items() if name[:3] == "SL-"} == {
        "SL-A": 75.0,
        "SL-B": 71.6,
        "SL-C": 63.2,
        "SL-C-": 66.7,
        "SL-C+": 60.0,
        "SL-D": 68.0,
        "SL-E": 65.2,
        "SL-H": 0,
    }
    assert found["SL-H"] is None  # nobody waits now


def test_other_figures_of_the_worked_day() -> None:
    found = figures(QUEUE, queue_tally(logbook(worked_day()), "q"))
    assert (found["offered"], found["answered"], found["abandoned"]) == (100, 80, 15)
    assert (found["short_abandoned"], found["flow_out"], found["ring_abandoned"]) == (5, 5, 15)
    assert found["abandonment"] == 0.15
    assert found["abandonment_without_short"] == pytest.approx(10 / 95)
    assert found["ASA"] == pytest.approx((590 + 20 + 19 * 20.5 + 90) / 80)
    assert found["longest_wait"] == 90
    assert found["AHT"] == found["DCP"] == found["talk"] == pytest.approx(100)


def test_nothing_over_nothing_is_none() -> None:
    """Not 0 and not 100: nothing was promised to anybody."""
    found = figures(QUEUE, QueueTally())
    assert {name for name, value in found.items() if value is None} == {
        "SL-A", "SL-B", "SL-C", "SL-C-", "SL-C+", "SL-D", "SL-E", "SL-H", "ASA", "average_wait",
        "DCP", "talk", "hold", "wrap_up", "AHT", "abandonment", "abandonment_without_short",
        "transfer_rate", "cost_per_offered", "cost_per_answered",
    }  # fmt: skip


def test_talk_hold_wrap_up_and_transfer_follow_the_agents_own_leg() -> None:
    centre = quiet_centre(wrap_up=15.0)
    offer = only(centre.call("one"), Offer)
    centre.take(offer.offer)
    centre.wait(40)
    leg = f"leg-{offer.offer}"
    centre.tell(AgentHeld("anna", leg, True))
    centre.wait(10)
    centre.tell(AgentHeld("anna", leg, False), AgentTransferred("anna", leg))
    centre.wait(20)
    centre.tell(CallEnded("one"))
    centre.wait(2)
    centre.hang_up(offer)
    centre.wait(60)
    log = logbook(centre)
    found = figures(QUEUE, queue_tally(log, "q"))
    assert (found["DCP"], found["hold"], found["talk"]) == (72, 10, 62)
    assert (found["wrap_up"], found["AHT"], found["transfer_rate"]) == (15, 87, 1)
    assert log.visits["q"][0].contact
    assert log.visits["q"][0].contact.by == "caller"


def test_an_agents_hours() -> None:
    """Logged in for 400 s, 100 of them paused; 10 s of ringing, 90 of talk, 0 of wrap-up."""
    centre = Centre(settings({"q": queue("anna")}), login=False)
    centre.tell(AgentLoggedIn("anna", "phone"))
    centre.wait(50)
    offer = only(centre.call("one"), Offer)
    centre.wait(10)
    centre.take(offer.offer)
    centre.wait(90)
    centre.hang_up(offer)
    centre.tell(AgentPaused("anna", "lunch"))
    centre.wait(100)
    centre.tell(AgentResumed("anna"))
    centre.wait(150)
    centre.tell(AgentLoggedOut("anna"))
    centre.wait(1000)
    found = figures(AGENT, agent_tallies(logbook(centre))["anna"])
    assert (found["logged_in"], found["paused"], found["idle"]) == (400, 100, 200)
    assert found["occupancy_with_ringing"] == pytest.approx(100 / 300)
    assert found["occupancy_without_ringing"] == pytest.approx(90 / 300)
    assert (found["answered"], found["answer_rate"]) == (1, 1)


def test_utilisation_and_adherence_are_of_planned_time() -> None:
    """Planned: work 1000 to 1400, a break 1400 to 1500.  Late by 50 s, back 20 s too early."""
    centre = Centre(settings({"q": queue("anna")}), login=False)
    centre.wait(50)
    centre.tell(AgentLoggedIn("anna", "phone"))
    offer = only(centre.call("one"), Offer)
    centre.take(offer.offer)
    centre.wait(100)
    centre.hang_up(offer)
    centre.wait(250)
    centre.tell(AgentPaused("anna", "lunch"))
    centre.wait(80)
    centre.tell(AgentResumed("anna"))
    centre.wait(100)
    plan = {"anna": (Planned(Stretch(1000, 1400)), Planned(Stretch(1400, 1500), work=False))}
    found = figures(AGENT, agent_tallies(logbook(centre), plans=plan)["anna"])
    assert found["adherence"] == pytest.approx((350 + 80) / 500)
    assert found["utilisation"] == pytest.approx(100 / 500)
    assert figures(AGENT, agent_tallies(logbook(centre))["anna"])["adherence"] is None


def test_cost_per_call_says_of_which_calls() -> None:
    tally = queue_tally(logbook(worked_day()), "q", cost=400.0)
    found = figures(QUEUE, tally)
    assert (found["cost_per_offered"], found["cost_per_answered"]) == (4.0, 5.0)


def test_counts_go_where_the_visit_began_and_time_is_split() -> None:
    """Joined at 1050, answered 1070, ended 1170; intervals of 100 s."""
    centre = quiet_centre()
    centre.wait(50)
    offer = only(centre.call("one"), Offer)
    centre.wait(20)
    centre.take(offer.offer)
    centre.wait(100)
    centre.hang_up(offer)
    centre.wait(200)
    log = logbook(centre)
    first, second = (queue_tally(log, "q", at, at + 100) for at in (1000, 1100))
    assert (first.offered, first.answered, first.talk_and_hold) == (1, 1, 100)
    assert second == QueueTally()
    times = [agent_tallies(log, at, at + 100)["anna"].talk_and_hold for at in (1000, 1100, 1200)]
    assert times == [30, 70, 0]


def test_offers_that_the_caller_ended_are_nobodys_miss() -> None:
    """Four outcomes, one miss, one answer: rate 1/2."""
    centre = quiet_centre()
    centre.call("gone")
    centre.wait(5)
    centre.tell(CallEnded("gone"))
    offer = only(centre.call("rejected"), Offer)
    centre.tell(OfferFailed(offer.offer, OfferOutcome.REJECTED), CallEnded("rejected"))
    centre.serve("served")
    found = figures(AGENT, agent_tallies(logbook(centre))["anna"])
    assert (found["answered"], found["misses"], found["answer_rate"]) == (1, 1, 0.5)


def test_who_waits_now() -> None:
    centre = quiet_centre()
    centre.take(only(centre.call("busy"), Offer).offer)
    centre.call("long")
    centre.wait(50)
    centre.call("short")
    centre.wait(10)
    tally = queue_tally(logbook(centre), "q", target=20)
    assert (tally.waiting_now, tally.waiting_over, tally.longest_now) == (2, 1, 60)
    assert QUEUE["SL-H"].value(tally) == 0.5


def test_a_callback_is_neither_abandoned_nor_offered_twice() -> None:
    centre = quiet_centre()
    centre.take(only(centre.call("busy"), Offer).offer)
    centre.call("one")
    centre.wait(10)
    centre.tell(CallbackRequested("one", "100"))
    tally = queue_tally(logbook(centre), "q")
    assert (tally.offered, tally.callback, tally.abandoned) == (2, 1, 0)
    assert (tally.callbacks, tally.waiting_now) == (1, 0)


def test_c49_definitions_explain_themselves_and_each_other() -> None:
    tally = queue_tally(logbook(worked_day()), "q")
    assert explain(QUEUE["SL-A"], tally) == "SL-A = answered_in_T / answered = 60 / 80 = 0.75"
    told = difference(QUEUE["SL-A"], QUEUE["SL-C"], tally)
    assert told.endswith("from the first to the second: +15 to divide by")


def test_what_is_forgotten_does_not_count_and_the_rest_does() -> None:
    log = logbook(worked_day())
    middle = log.visits["q"][50].joined
    log.forget(middle)
    assert queue_tally(log, "q").offered == 50
    assert log.visits["q"][-1].outcome is VisitOutcome.OVERFLOWED


def exported(centre: Centre) -> list[str]:
    writer = Writer(epoch=1_700_000_000)
    return [line for at, action in centre.log for line in writer.take([action], at)]


def test_the_queue_log_of_asterisk_gives_the_same_figures_back() -> None:
    """Exported and imported: waits are whole seconds there, so the target is met by 20.5 s too."""
    lines = exported(worked_day())
    tally = queue_tally(load(lines), "q")
    assert (tally.offered, tally.answered, tally.abandoned, tally.flow_out) == (100, 80, 15, 5)
    assert (tally.answered_within, tally.short) == (79, 5)
    assert tally.talk_and_hold / tally.contacts == pytest.approx(100, abs=1)


def test_lines_of_the_queue_log() -> None:
    centre = quiet_centre()
    offer = only(centre.call("one"), Offer)
    centre.wait(7)
    centre.take(offer.offer)
    centre.wait(30)
    centre.tell(CallEnded("one"), AgentLegEnded("anna", f"leg-{offer.offer}"))
    centre.tell(AgentPaused("anna", "tea"))
    assert exported(centre) == [
        "1700001000|NONE|NONE|anna|AGENTLOGIN|",
        "1700001000|one|q|NONE|ENTERQUEUE|||1",
        "1700001007|one|q|anna|CONNECT|7|one|7",
        "1700001037|one|q|anna|COMPLETECALLER|7|30|1",
        "1700001037|NONE|NONE|anna|PAUSEALL|tea",
    ]


def test_a_real_fragment_of_asterisk() -> None:
    """As app_queue writes it; what is unknown is passed over, what is no line is refused."""
    text = """\
1366720340|NONE|NONE|NONE|QUEUESTART|
1366720350|NONE|support|SIP/300|ADDMEMBER|
1366720577|1366720574.105|support|NONE|ENTERQUEUE||5551234|1
1366720587|1366720574.105|support|SIP/300|RINGNOANSWER|9000
1366720590|1366720574.105|support|SIP/300|CONNECT|13|1366720587.108|3
1366720650|1366720574.105|support|SIP/300|COMPLETECALLER|13|60|1
1366720700|1366720699.110|support|NONE|ENTERQUEUE||5559876|1
1366720731|1366720699.110|support|NONE|ABANDON|1|1|31
"""
    log = load(text.splitlines())
    found = figures(QUEUE, queue_tally(log, "support"))
    assert (found["offered"], found["SL-C-"], found["ASA"], found["DCP"]) == (2, 0.5, 13, 60)
    agent = agent_tallies(log)["SIP/300"]
    assert (agent.misses, agent.answered, agent.talk_and_hold) == (1, 1, 60)
    with pytest.raises(QueueLogError, match="line 1"):
        load(["what is this"])


def test_the_handbooks_conversions_are_not_to_be_told_apart() -> None:
    """44 of 118 is 29 to 46 %, 53 of 189 is 22 to 35 %: z = 1.70, p = 0.09."""
    one, other = share(44, 118), share(53, 189)
    assert [round(100 * value) for value in (*one[2:], *other[2:])] == [29, 46, 22, 35]
    z, p = distinguish(one, other)
    assert (round(z, 2), round(p, 2)) == (1.70, 0.09)
    assert (share(0, 0).value, distinguish(one, share(0, 0))) == (None, (0.0, 1.0))


def test_resolution_at_first_contact() -> None:
    """Four callers answered, one of them again next day, the last too lately to be judged."""
    centre = quiet_centre()
    who = {"one": "a", "two": "b", "again": "b", "late": "c"}
    for name in ("one", "two", "again"):
        centre.serve(name)
        centre.wait(86_400)
    centre.wait(8 * 86_400)
    centre.serve("late")
    found = first_contact_resolution(logbook(centre), "q", who)
    assert (found.part, found.whole) == (2, 3)


def test_the_page_of_the_manual_is_as_the_code_has_it() -> None:
    """Made by `make docs`."""
    written = Path(__file__).parents[2] / "docs" / "figures.md"
    assert written.read_text(encoding="utf-8") == "\n".join(page()) + "\n"
