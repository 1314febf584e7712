"""What agents of queues do and what is done to them, on real calls.

One switch and eight phones serve all tests of this page: Anna's and Boris's, one that is not in the
office, those of callers; and SIPp where a phone must be ruder than a real one.  Agents are whoever
answers there, by whatever phone (complaint 71).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.centre import MUSIC, STAFF, Office, in_peace, joined, opened
from tests.interop.phones import Sipp
from tests.interop.phones.live import LivePhone, LivePhones, LiveTalk, until
from tests.interop.phones.registering import register
from tests.interop.phones.steps import answer, expect, scenario

pytestmark = pytest.mark.interop

MOBILE, TONE = "89161234567", 1000
MORE = """
[agents.clara]
number = "89161234567"
class = "mobiles"
[agents.dora]
code = "43"
pin = "4711"
[agents.emil]
extension = "107"
max_calls = 2
[agents.rude]
extension = "110"
[extensions.110]
password = "secret-110"
[destinations]
mobile = ["89"]
[classes.mobiles]
dial = ["mobile"]
trunks = ["city"]
[trunks.city]
server = "sip:127.0.0.1:{port}"
ping = 0
inbound_username = "city"
inbound_password = "secret-city"
"""
RESTS = (
    "no_answer = { back_off = 100, reject_back_off = 200, busy_back_off = 300,"
    " unreachable_back_off = 400, pause_after = 2 }"
)
QUEUES = {
    "plain": f'number = "700"\nagents = {STAFF}',
    "diligent": 'number = "701"\nagents = ["anna"]\nwrap_up = 600',
    "strict": f'number = "702"\nagents = ["anna"]\nring_time = 1\n{RESTS}',
    "resting": f'number = "703"\nagents = ["anna", "boris"]\n{RESTS}',
    "rude": f'number = "704"\nagents = ["rude", "boris"]\n{RESTS}',
    "outside": 'number = "705"\nagents = ["clara"]',
    "hot": 'number = "706"\nagents = ["dora"]\nwrap_up = 0',
    "twofold": 'number = "707"\nagents = ["emil"]',
    "recalling": f'number = "708"\nagents = {STAFF}\nring_time = 15\n'
    "forgotten = { after = 1, grace = 0.5 }",
    "returning": f'number = "709"\nagents = {STAFF}\n'
    'forgotten = { after = 1, grace = 0.5, then = "return" }',
}


class Place(NamedTuple):
    """The office, and the phone that is not in it."""

    office: Office
    mobile: LivePhone


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    phones, folder = LivePhones(), tmp_path_factory.mktemp("office") / "switch"
    more = MORE.replace("{port}", str(phones.port))
    with opened(folder, QUEUES, more, phones=phones) as office:
        yield Place(office, phones.stranger(MOBILE, TONE))


@pytest.fixture
def office(whole: Place) -> Iterator[Office]:
    with in_peace(whole.office, "anna", "boris") as office:
        yield office


def rest(office: Office, agent: str) -> float:
    """How long the agent is left in peace, in seconds; then that is ended."""
    office.until_state(agent, "resting")
    row = office.agent(agent)
    for verb in ("pause", "resume"):
        office.command(agent, verb)
    return round(float(row["until"]) - float(row["since"]))


# -- calls that are not taken --------------------------------------------------------------------


def test_two_missed_calls_pause_an_agent(office: Office) -> None:
    """Each has the agent rest first; once paused, she is for no queue."""
    for caller, consequence in ((office.first, "resting"), (office.second, "paused")):
        assert not office.anna.is_rung
        talk = caller.calls("702")
        office.anna.misses()
        office.until_state("anna", consequence)
        if consequence == "resting":
            assert rest(office, "anna") == 100
        talk.hang_up()
    assert "missed calls" in office.agent("anna")["reason"]
    joined(office.first.calls("700"), office.boris.takes())


def test_who_rejects_and_who_cannot_be_reached_rest_for_their_own_times(office: Office) -> None:
    talk = office.first.calls("703")
    office.anna.rings().reject()
    ringing = office.boris.rings()
    assert rest(office, "anna") == 200
    office.boris.leave()
    ringing.over()
    office.until_state("boris", "unreachable")
    talk.hears(MUSIC)
    office.boris.come_back()
    assert rest(office, "boris") == 400


def test_a_phone_that_is_busy_and_one_that_is_broken(office: Office, tmp_path: Path) -> None:
    """SIPp says 486 at once, then 503; the caller hears nothing of it."""
    for status, text, seconds in ((486, "Busy Here", 300), (503, "Service Unavailable", 400)):
        steps = [expect("INVITE"), answer(status, text), expect("ACK")]
        with Sipp(tmp_path / text, scenario(*steps)) as rude:
            rude.listening()
            register(office.switch.account("110"), rude.port)
            office.command("rude", "login")
            talk = office.first.calls("704")
            joined(talk, office.boris.takes())
            assert rest(office, "rude") == seconds
            done = rude.wait()
            assert done.code == 0, done.errors
            register(office.switch.account("110"), rude.port, expires=0)
        office.command("rude", "logout")
        office.phones.hang_up_all()
        office.until_state("boris", "idle")


# -- where agents sit ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["1", "5"])
def test_an_agent_outside_takes_a_call_by_a_key(whole: Place, office: Office, key: str) -> None:
    """D23: the caller hears music until then; any other key leaves the call to others."""
    office.command("clara", "login")
    talk = office.first.calls("705")
    answered = whole.mobile.takes().hears_voice()
    talk.hears(MUSIC)
    answered.press(key)
    if key == "1":
        joined(talk, answered)
    else:
        answered.over()
        talk.hears(MUSIC)
    talk.hang_up()
    answered.over()
    office.command("clara", "logout")


def test_a_hot_desk_asks_for_the_pin_and_pauses_have_reasons(office: Office) -> None:
    login = office.desk.calls("*45").hears_voice().press("43#")
    typed = login.pieces
    until(lambda: login.has_heard_voice(typed + 2), "the question for the PIN")
    login.press("4711#").over()
    until(lambda: office.agent("dora")["phone"] == "106", "Dora at that desk")
    office.desk.calls("*46").press("3#")
    until(lambda: office.agent("dora")["reason"] == "3", "a reason")
    office.phones.hang_up_all()
    talk = office.waits(office.first, "706")
    assert not office.desk.is_rung
    office.command("dora", "resume")
    joined(talk, office.desk.takes())
    office.phones.hang_up_all()
    office.command("dora", "logout")


# -- during and after calls ----------------------------------------------------------------------


def test_after_call_work_is_stretched_and_ended_by_code(office: Office) -> None:
    """*495: five minutes; *49: until *47."""
    talk = office.first.calls("701")
    joined(talk, office.anna.takes())
    talk.hang_up()
    office.until_state("anna", "wrap-up")
    for code, lasts in (("*4912", True), ("*49", False)):
        office.anna.calls(code).hears_voice().hang_up()
        office.until_state("anna", "wrap-up")
        assert (office.agent("anna")["until"] is not None) is lasts
    office.anna.calls("*47").hears_voice().hang_up()
    office.until_state("anna", "idle")


def test_an_agent_may_have_two_calls_at_once(office: Office) -> None:
    office.command("emil", "login")
    first = office.first.calls("707")
    one = office.third.takes()
    joined(first, one)
    second = office.second.calls("707")
    other = office.third.takes()
    joined(second, other)
    third = office.waits(office.other, "707")
    assert not office.third.is_rung
    assert len(office.agent("emil")["calls"]) == 2
    first.hang_up()
    one.over()
    joined(third, office.third.takes())
    office.phones.hang_up_all()
    office.command("emil", "logout")


@pytest.mark.parametrize("first", ["caller", "agent", "both", "caller while answered"])
def test_whoever_hangs_up_first_both_sides_are_left_right(office: Office, first: str) -> None:
    """In any order and in the same moment: nobody stays on the line, the agent is free."""
    talk = office.first.calls("700")
    agent = office.anna.rings()
    if first == "caller while answered":
        answer = office.phones.begin(agent.call.answer())
        talk.hang_up()
        answer.exception(30)
    else:
        joined(talk, agent.answer())
        if first == "both":
            ends = [office.phones.begin(each.call.hangup()) for each in (talk, agent)]
            for end in ends:
                end.exception(30)
        else:
            (talk if first == "caller" else agent).hang_up()
    talk.over()
    agent.over()
    office.until_state("anna", "idle")
    assert office.ask("calls") == [] and office.ask("waiting") == []


# -- complaint 39: forgotten on hold -------------------------------------------------------------


def held(office: Office, number: str) -> tuple[LiveTalk, LiveTalk]:
    """A caller whom Anna leaves on hold; both ends of it."""
    talk = office.first.calls(number)
    agent = office.anna.takes()
    joined(talk, agent)
    agent.hold()
    talk.hears(MUSIC)
    return talk, agent


def test_an_agent_who_forgets_a_caller_on_hold_is_rung(office: Office) -> None:
    """Alarm, then the phone rings beside the call on hold, and they talk on."""
    talk, agent = held(office, "708")
    until(lambda: "on hold" in office.alarms(), "an alarm")
    again = office.anna.rings()
    assert "On hold" in again.shown
    joined(talk, again.answer())
    agent.over()
    until(lambda: "on hold" not in office.alarms(), "the end of the alarm")
    assert office.state("anna") == "talking"
    talk.hang_up()
    again.over()
    office.until_state("anna", "idle")
    figures = office.queue_figures("recalling")
    assert figures["answered"] == 1 and figures["hold"] > 1.4


def test_a_caller_forgotten_on_hold_returns_to_the_queue(office: Office) -> None:
    """To the old place: before one who came later."""
    talk, agent = held(office, "709")
    office.command("boris", "pause")
    later = office.waits(office.second, "709")
    office.command("anna", "pause")
    agent.over()
    until(lambda: office.waiting() == ["101", "102"], lambda: f"both: {office.waiting()}")
    office.command("boris", "resume")
    joined(talk, office.boris.takes())
    later.hears(MUSIC)
    assert [row["agent"] for row in visits(office, "returning")] == ["anna", "boris"]


def visits(office: Office, queue: str) -> list[dict[str, object]]:
    """Those that an agent took, in order."""
    rows = [row for row in office.ask("visits?since=0") if row["queue"] == queue and row["agent"]]
    rows.sort(key=lambda row: row["entered_at"])
    assert all(one["entered_at"] < two["entered_at"] for one, two in pairwise(rows))
    return rows
