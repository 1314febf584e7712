"""Every rule of a queue on real calls: who is rung, in what order, and what is heard meanwhile.

One switch and seven phones (baresip as a library) serve all tests of this page.  Anna and Boris
serve every queue that has people; each test leaves them logged in and free.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.centre import (
    MUSIC,
    NEXT,
    STAFF,
    WHISPER,
    Office,
    in_peace,
    joined,
    opened,
)
from tests.interop.phones.live import until
from tests.interop.switch import told

pytestmark = pytest.mark.interop

HOT_DESK = """
[agents.carl]
code = "42"
"""
QUEUES = {
    "plain": f'number = "700"\nagents = {STAFF}',
    "impatient": f'number = "701"\nagents = {STAFF}\nring_time = 4',
    "low": 'number = "702"\nagents = ["anna"]',
    "high": 'number = "703"\nagents = ["anna"]\npriority = 5',
    "english": 'number = "704"\nagents = ["boris", "anna"]\nrequires = "english >= 3"\n'
    'relax = [{ after = 2, requires = "english >= 3 or not english" }]',
    "deserted": 'number = "705"\nagents = ["nobody"]\n'
    'exit_keys = { 1 = "extension:103" }\nannounce = { first = 1, every = 0, wait = false }',
    "short": 'number = "706"\nagents = ["nobody"]\nmax_length = 1\n'
    'overflow = { to = "extension:103" }',
    "boxed": 'number = "716"\nagents = ["nobody"]\nmax_wait = 1\n'
    'overflow = { to = "voicemail:109" }',
    "staffed": 'number = "717"\nagents = ["nobody"]\njoin = "logged-in"\nempty = "extension:103"',
    "tiered": 'number = "718"\nagents = ["nobody"]\ntiers = [{ agents = ["boris"], after = 1 }]',
    "brief": 'number = "707"\nagents = ["nobody"]\nmax_wait = 1\noverflow = { to = "queue:plain" }',
    "at-once": 'number = "708"\nagents = ["anna"]\nhold = false\n'
    'overflow = { to = "extension:103" }',
    "whispered": 'number = "709"\nagents = ["anna"]\nwhisper = "told"',
    "called-back": 'number = "711"\nagents = ["anna"]\nexit_keys = { 2 = "callback" }\n'
    'callback = { mode = "agent-first" }',
    "customer-first": 'number = "721"\nagents = ["anna"]\nexit_keys = { 2 = "callback" }\n'
    'callback = { mode = "customer-first" }',
    "kept": 'number = "719"\nagents = ["nobody"]\nkeep_place = 60',
    "closed": 'number = "722"\nagents = ["anna"]\nopen = ["never"]\nclosed = "extension:103"',
    "greeted": 'number = "723"\nagents = ["nobody"]\ngreeting = "told"',
    "sticky": f'number = "712"\nagents = {STAFF}\nsticky = {{ wait = 30 }}',
    "hot": 'number = "713"\nagents = ["carl"]',
    "diligent": 'number = "714"\nagents = ["anna"]\nwrap_up = 600',
    "changing": f'number = "715"\nagents = {STAFF}',
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(tmp_path_factory.mktemp("office") / "switch", QUEUES, HOT_DESK) as office:
        yield office


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    with in_peace(whole, "anna", "boris") as office:
        yield office


# -- who is rung -------------------------------------------------------------------------------


def test_an_agent_who_does_not_answer_is_skipped(office: Office) -> None:
    talk = office.waits(office.first, "701")
    office.anna.rings().over()
    joined(talk, office.boris.takes())


def test_an_agent_who_rejects_is_skipped_while_the_caller_hears_music(office: Office) -> None:
    talk = office.first.calls("700")
    office.anna.rings().reject()
    ringing = office.boris.rings()
    talk.hears(MUSIC)
    joined(talk, ringing.answer())


def test_who_does_not_want_to_be_disturbed_is_not_rung(office: Office) -> None:
    office.anna.calls("*78").hears_voice().hang_up()
    until(lambda: "disturb" in office.why("agent", "anna"), "a reason why anna is not rung")
    talk = office.first.calls("700")
    joined(talk, office.boris.takes())
    assert not office.anna.is_rung
    office.anna.calls("*79").hears_voice().hang_up()


def test_a_requirement_holds_until_it_is_relaxed(office: Office) -> None:
    """Boris, who would be first, lacks a skill that is required for the first two seconds."""
    talk = office.first.calls("704")
    office.anna.rings().reject()
    joined(talk, office.boris.takes())


def test_a_caller_gets_the_agent_of_last_time(office: Office) -> None:
    office.command("anna", "pause")
    talk = office.first.calls("712")
    joined(talk, office.boris.takes())
    talk.hang_up()
    office.command("anna", "resume")
    for agent in ("anna", "boris"):
        office.until_state(agent, "idle")
    again = office.first.dial("712")
    office.boris.rings()
    assert not office.anna.is_rung
    again.hang_up()


def test_more_agents_join_in_for_one_who_has_waited(office: Office) -> None:
    joined(office.waits(office.first, "718"), office.boris.takes())


def test_a_strategy_is_changed_in_the_running_switch(office: Office) -> None:
    """Complaint 67: what is printed is what runs."""

    def strategy() -> str:
        return office.switch.command("settings", "queues.changing.strategy").stdout.strip()

    talk = office.first.calls("715")
    office.anna.rings()
    assert not office.boris.is_rung
    office.switch.command("set", "queues.changing.strategy", "ring-all")
    assert strategy() == 'queues.changing.strategy = "linear"'
    told(office.switch, "reload")
    assert strategy() == 'queues.changing.strategy = "ring-all"'
    talk.hears(MUSIC).hang_up()
    for agent in ("anna", "boris"):
        office.until_state(agent, "idle")
    office.second.calls("715")
    office.anna.rings()
    office.boris.rings()
    office.switch.command("set", "queues.changing.strategy", "linear")
    told(office.switch, "reload")


# -- in what order -----------------------------------------------------------------------------


@pytest.mark.parametrize(("earlier", "later", "wins"), [("702", "703", 1), ("702", "702", 0)])
def test_priority_comes_before_arrival(office: Office, earlier: str, later: str, wins: int) -> None:
    office.command("anna", "pause")
    talks = [office.waits(office.first, earlier), office.waits(office.second, later)]
    office.command("anna", "resume")
    joined(talks[wins], office.anna.takes())
    talks[1 - wins].hears(MUSIC)


def test_a_waiting_call_is_moved_to_another_queue(office: Office) -> None:
    talk = office.waits(office.first, "705")
    [waiting] = office.ask("waiting")
    moved = office.switch.command("waiting", waiting["call"], "--queue", "plain")
    assert moved.returncode == 0, moved.stderr
    joined(talk, office.anna.takes())


def test_the_place_of_one_who_drops_is_kept(office: Office) -> None:
    def callers() -> list[str]:
        return [str(waiting["caller"]) for waiting in office.ask("waiting")]

    dropped = office.waits(office.first, "719")
    office.waits(office.second, "719")
    assert callers() == ["101", "102"]
    dropped.hang_up()
    until(lambda: callers() == ["102"], "one caller who is left")
    office.waits(office.first, "719")
    assert callers() == ["101", "102"]


# -- out of the queue --------------------------------------------------------------------------


def test_a_key_leads_out(office: Office) -> None:
    talk = office.waits(office.first, "705").press("1")
    joined(talk, office.other.takes())


def test_a_full_queue_sends_on(office: Office) -> None:
    stays = office.waits(office.first, "706")
    talk = office.second.dial("706")
    joined(talk, office.other.takes())
    stays.hears(MUSIC)


def test_who_waited_too_long_goes_to_another_queue(office: Office) -> None:
    talk = office.waits(office.first, "707")
    joined(talk, office.anna.takes())


def test_who_waited_too_long_leaves_a_message(office: Office) -> None:
    office.waits(office.first, "716").hears_voice()


def test_nobody_waits_where_nobody_is_on_duty(office: Office) -> None:
    joined(office.first.dial("717"), office.other.takes())


def test_a_closed_queue_sends_on(office: Office) -> None:
    joined(office.first.dial("722"), office.other.takes())


def test_a_queue_without_hold_rings_and_answers_with_the_agent(office: Office) -> None:
    talk = office.first.dial("708")
    ringing = office.anna.rings()
    office.until_state("anna", "ringing")
    assert not talk.is_up
    joined(talk, ringing.answer())


def test_a_queue_without_hold_sends_on_where_nobody_is_free(office: Office) -> None:
    office.command("anna", "pause")
    talk = office.first.dial("708")
    joined(talk, office.other.takes())


def test_a_caller_who_hangs_up_while_an_agent_rings_is_counted(office: Office) -> None:
    def counted() -> float:
        queues = office.ask("statistics?since=0")["queues"]
        [plain] = [row["figures"] for row in queues if row["name"] == "plain"]
        return float(plain["ring_abandoned"])

    before = counted()
    talk = office.waits(office.first, "700")
    ringing = office.anna.rings()
    talk.hang_up()
    ringing.over()
    until(lambda: counted() == before + 1, "a caller more who gave up while it rang")


# -- what is heard -----------------------------------------------------------------------------


def test_the_agent_hears_a_whisper_before_they_are_joined(office: Office) -> None:
    talk = office.waits(office.first, "709")
    answered = office.anna.takes().has_heard(WHISPER)
    joined(talk, answered)


def test_a_caller_is_told_the_position_and_hears_music_again(office: Office) -> None:
    office.waits(office.first, "705").has_heard(NEXT).hears(MUSIC)


def test_a_caller_is_greeted_and_hears_music_then(office: Office) -> None:
    office.first.calls("723").has_heard(WHISPER).hears(MUSIC)


# -- called back -------------------------------------------------------------------------------


def ask_for_callback(office: Office, number: str) -> None:
    """The first phone waits, presses the key, confirms its number, and hangs up."""
    talk = office.waits(office.first, number).press("2").hears_voice().press("1")
    until(lambda: any(w["callback"] for w in office.ask("waiting")), "the promise")
    talk.hang_up()
    talk.over()


def test_a_caller_asks_for_a_callback_and_is_called(office: Office) -> None:
    office.command("anna", "pause")
    ask_for_callback(office, "711")
    office.command("anna", "resume")
    agent = office.anna.takes()
    back = office.first.takes()
    joined(back, agent)


def test_a_callback_may_ring_the_customer_first(office: Office) -> None:
    office.command("anna", "pause")
    ask_for_callback(office, "721")
    office.command("anna", "resume")
    ringing = office.first.rings()
    assert not office.anna.is_rung
    joined(ringing.answer(), office.anna.takes())


# -- agents ------------------------------------------------------------------------------------


def test_a_hot_desk_logs_in_and_out_and_pauses_by_code(office: Office) -> None:
    office.desk.calls("*45").hears_voice().press("42#").over()
    office.until_state("carl", "idle")
    talk = office.waits(office.first, "713")
    joined(talk, office.desk.takes())
    talk.hang_up()
    office.until_state("carl", "idle")
    pausing = office.desk.calls("*46")
    until(lambda: "carl: paused" in office.why("agent", "carl"), "a pause")
    pausing.hang_up()
    office.desk.calls("*46").hears_voice().hang_up()
    office.until_state("carl", "idle")
    office.desk.calls("*45").hears_voice().hang_up()
    office.until_state("carl", "offline")


def test_after_call_work_ends_by_code(office: Office) -> None:
    talk = office.first.calls("714")
    joined(talk, office.anna.takes())
    talk.hang_up()
    office.until_state("anna", "wrap-up")
    office.anna.calls("*47").over()
    office.until_state("anna", "idle")


def test_it_is_told_why(office: Office) -> None:
    office.command("anna", "pause")
    talk = office.waits(office.first, "702")
    [waiting] = office.ask("waiting")
    assert "anna: paused" in office.why("waiting", waiting["call"])
    assert "No call is offered to anna: paused" in office.why("agent", "anna")
    office.command("anna", "resume")
    joined(talk, office.anna.takes())
    told_why = office.why("call", waiting["call"])
    assert "anna" in told_why and "low" in told_why
