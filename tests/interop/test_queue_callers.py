"""What callers of queues go through, on real calls: what they hear, when their turn comes, and
where they go else.

One switch and seven phones serve all tests of this page; each leaves Anna and Boris free.
"""

from __future__ import annotations

import io
import time
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.centre import MUSIC, NEXT, STAFF, WHISPER, Office, in_peace, joined, opened
from tests.interop.phones.live import LivePhone, until
from tests.interop.sound import seconds_of_tone

pytestmark = pytest.mark.interop

LONG, NEWS, OFFER, TEA, TIDE, TUNE = 1500, 1600, 1700, 1800, 1900, 2000
SOUNDS = {
    "long": (LONG, 0.6),
    "news": (NEWS, 0.6),
    "offer": (OFFER, 0.6),
    "tea": (TEA, 0.6),
    "tide": (TIDE, 0.6),
    "next": (NEXT, 0.6),
    "whisper": (WHISPER, 0.6),
    "endless": (TUNE, 90.0),
}
PROMPTS = "".join(
    f'[prompts.{prompt}]\nfile = "{file}.wav"\n'
    for prompt, file in (
        ("queue-wait-long", "long"),
        ("callback-offer", "offer"),
        ("news", "news"),
        ("tea", "tea"),
        ("tide", "tide"),
        ("endless", "endless"),
    )
)
MORE = """
[groups.late]
members = ["103"]
ring_time = 1
[modes.fair]
hours = []
[menus.who]
number = "500"
prompt = "tea"
collect = { field = "customer", then = "queue:known" }
"""
HELD_OFF = 'requires = "english >= 9"'
"""Nobody can do that, so callers wait though agents are there."""
QUEUES = {
    "plain": f'number = "700"\nagents = {STAFF}',
    "informed": 'number = "701"\nagents = ["nobody"]\n'
    "announce = { first = 0.5, every = 0, wait_limit = 100 }\n"
    'periodic = [{ prompts = ["tea", "tide"], first = 2.2, every = 3 }]\n'
    'playlist = ["news"]\nplaylist_every = 3.7\n'
    "alarms = { longest_wait = 1, agents_below = 1, waiting = 1 }",
    "chatty": 'number = "702"\nagents = ["anna"]\ngreeting = "endless"',
    "patient": 'number = "703"\nagents = ["anna"]\nageing = { every = 0.4 }',
    "urgent": 'number = "704"\nagents = ["anna"]\nageing = { every = 0.4 }\npriority = 2',
    "guarded": f'number = "705"\nagents = {STAFF}\nreserve_priority = 5',
    "for-ready": 'number = "706"\nagents = ["anna"]\njoin = "ready"\nempty = "extension:103"',
    "for-free": 'number = "707"\nagents = ["anna"]\njoin = "free"\nempty = "extension:103"',
    "while-ready": 'number = "708"\nagents = ["anna"]\nstay = "ready"\n'
    f'empty = "extension:103"\n{HELD_OFF}',
    "while-there": 'number = "709"\nagents = ["anna"]\nstay = "logged-in"\n'
    f'empty = "extension:103"\n{HELD_OFF}',
    "long": 'number = "710"\nagents = ["nobody"]\noverflow = { to = "extension:103", length = 1 }',
    "slow": 'number = "711"\nagents = ["nobody"]\n'
    'overflow = { to = "extension:103", predicted = 100 }',
    "costly": 'number = "712"\nagents = ["nobody"]\ncost_per_minute = 60\nmax_cost = 1\n'
    'overflow = { to = "extension:103" }',
    "hours": 'number = "713"\nagents = ["nobody"]\nopen = ["fair"]\nclosed = "extension:103"',
    "both": 'number = "714"\nagents = ["nobody"]\nalso = ["plain"]',
    "chain": f'number = "715"\nagents = {STAFF}\nstrategy = "skill"\nskills = {{ sales = 1 }}\n'
    'greeting = "told"\nsticky = { wait = 3 }\nring_time = 1\nmax_wait = 4.5\n'
    'overflow = { to = ["group:late", "voicemail:109"] }',
    "known": f'number = "719"\nagents = {STAFF}\nsticky = {{ by = "customer" }}',
    "promise": 'number = "716"\nagents = ["anna"]\n'
    "callback = { offer_after = 100, retries = 1, retry_every = 1 }",
    "forgetful": 'number = "717"\nagents = ["anna"]\nexit_keys = { 2 = "callback" }\n'
    "callback = { deadline = 1 }",
    "taped": 'number = "718"\nagents = ["anna"]\nrecord = true\nrecord_notice = "tea"',
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office") / "switch"
    with opened(folder, QUEUES, PROMPTS + MORE, sounds=SOUNDS) as office:
        yield office


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    with in_peace(whole, "anna", "boris") as office:
        yield office


def visits(office: Office, queue: str) -> list[str]:
    rows = office.ask("visits?since=0")
    return [str(row["outcome"]) for row in rows if row["queue"] == queue and row["outcome"]]


# -- what is heard -------------------------------------------------------------------------------


def test_announcements_come_in_their_turn_and_music_between(office: Office) -> None:
    """Position and expected wait once, messages by turns, news by the playlist's schedule (P8);
    meanwhile the thresholds raise their alarms."""
    tones = (MUSIC, NEXT, LONG, TEA, NEWS, TIDE)
    talk = office.first.calls("701")
    office.second.calls("701")
    told = [NEXT, LONG, TEA, NEWS, TIDE]
    until(
        lambda: [tone for tone in talk.heard_in_turn(*tones) if tone != MUSIC] == told,
        lambda: f"{told}: {talk.heard_in_turn(*tones)}",
    )
    talk.hears(MUSIC)
    turns = talk.heard_in_turn(*tones)
    assert [turns[turns.index(tone) - 1] for tone in (TEA, NEWS, TIDE)] == [MUSIC] * 3
    until(lambda: office.alarms().count("in informed") == 3, lambda: f"alarms: {office.alarms()}")


def test_nothing_that_is_said_delays_a_match(office: Office) -> None:
    """The greeting lasts longer than this test would wait."""
    office.command("anna", "pause")
    talk = office.first.calls("702").hears(TUNE)
    office.command("anna", "resume")
    joined(talk, office.anna.takes())


# -- whose turn it is ----------------------------------------------------------------------------


def test_waiting_makes_up_for_priority(office: Office) -> None:
    """Two levels are worth 0.8 s: who has waited longer than that is served first."""
    office.command("anna", "pause")
    low = office.waits(office.first, "703")
    [waiting] = office.ask("waiting")
    until(lambda: time.time() > waiting["entered_at"] + 1.0, "a second of waiting")
    high = office.waits(office.second, "704")
    office.command("anna", "resume")
    joined(low, office.anna.takes())
    high.hears(MUSIC)
    low.hang_up()
    joined(high, office.anna.takes())


def test_a_reserve_is_kept_for_those_of_a_class_and_priority_is_changed_at_once(
    office: Office,
) -> None:
    def keep(count: int) -> None:
        office.change(lambda tables: tables["queues"]["guarded"].update(reserve=count))

    keep(1)
    joined(office.first.calls("705"), office.anna.takes())
    talk = office.waits(office.second, "705")
    [waiting] = office.ask("waiting")
    assert "kept in reserve" in office.why("waiting", waiting["call"])
    assert not office.boris.is_rung
    raised = office.switch.command("waiting", waiting["call"], "--priority", "5")
    assert raised.returncode == 0, raised.stderr
    joined(talk, office.boris.takes())
    keep(0)


def test_a_caller_waits_in_several_queues_at_once(office: Office) -> None:
    for agent in ("anna", "boris"):
        office.command(agent, "pause")
    talk = office.waits(office.first, "714")
    assert {waiting["queue"] for waiting in office.ask("waiting")} == {"both", "plain"}
    office.command("boris", "resume")
    joined(talk, office.boris.takes())
    assert office.ask("waiting") == []


# -- who may come, who may stay ------------------------------------------------------------------


def test_nobody_joins_where_nobody_is_ready(office: Office) -> None:
    office.command("anna", "pause")
    joined(office.first.dial("706"), office.other.takes())


def test_nobody_joins_where_nobody_is_free(office: Office) -> None:
    joined(office.second.calls("706"), office.anna.takes())
    joined(office.first.dial("707"), office.other.takes())


@pytest.mark.parametrize(("number", "verb"), [("708", "pause"), ("709", "logout")])
def test_nobody_stays_when_the_last_agent_goes(office: Office, number: str, verb: str) -> None:
    talk = office.waits(office.first, number)
    if verb == "logout":  # a pause is not enough there
        office.command("anna", "pause")
        talk.hears(MUSIC)
        assert not office.other.is_rung
    office.command("anna", verb)
    joined(talk, office.other.takes())
    if verb == "logout":
        office.command("anna", "login")


def test_who_would_make_the_line_too_long_goes_elsewhere(office: Office) -> None:
    first = office.waits(office.first, "710")
    joined(office.second.dial("710"), office.other.takes())
    first.hears(MUSIC)
    assert visits(office, "long") == ["overflowed"]


@pytest.mark.parametrize(("number", "queue"), [("711", "slow"), ("712", "costly")])
def test_who_would_wait_too_long_or_too_dearly_goes_elsewhere(
    office: Office, number: str, queue: str
) -> None:
    """By the expected wait at once; by what the wait has cost, after a second."""
    joined(office.first.dial(number), office.other.takes())
    assert visits(office, queue) == ["overflowed" if queue == "slow" else "timed-out"]


def test_service_hours_let_those_stay_who_wait(office: Office) -> None:
    joined(office.first.dial("713"), office.other.takes())
    office.phones.hang_up_all()
    office.ask("modes", "PUT", {"name": "fair"})
    waits = office.waits(office.first, "713")
    office.ask("modes", "PUT", {})
    joined(office.second.dial("713"), office.other.takes())
    waits.hears(MUSIC)


def test_a_chain_from_greeting_to_voicemail_in_one_call(office: Office) -> None:
    """Greeting, the agent of last time, the most skilled, the overflow group, a message."""
    office.command("boris", "pause")
    talk = office.first.calls("715")
    joined(talk, office.anna.takes())
    talk.hang_up()
    office.command("boris", "resume")
    joined(office.second.calls("706"), office.anna.takes())

    assert not office.boris.is_rung and not office.other.is_rung
    talk = office.first.calls("715").has_heard(WHISPER)
    [waiting] = office.ask("waiting")
    assert "still waits for anna" in office.why("waiting", waiting["call"])
    office.boris.misses()
    office.other.misses()
    talk.hears_voice()
    assert visits(office, "chain") == ["answered", "timed-out"]


def test_a_customer_gets_the_agent_of_last_time_from_whatever_phone(office: Office) -> None:
    """Known by what he typed into a menu."""
    office.command("anna", "pause")
    talk = office.first.calls("500").has_heard(TEA).press("77#")
    joined(talk, office.boris.takes())
    talk.hang_up()
    office.command("anna", "resume")
    for agent in ("anna", "boris"):
        office.until_state(agent, "idle")
    talk = office.second.calls("500").has_heard(TEA).press("77#")
    joined(talk, office.boris.takes())
    rows = [row for row in office.ask("visits?since=0") if row["queue"] == "known"]
    assert sorted(row["caller"] for row in rows) == ["101", "102"]


# -- called back ---------------------------------------------------------------------------------


def promised(office: Office, phone: LivePhone, number: str) -> None:
    """`phone` is offered a callback, takes it up, confirms its number, and is let go."""
    talk = phone.calls(number)
    if number == "716":
        talk.has_heard(OFFER)
    talk.press("1" if number == "716" else "2").hears_voice().press("1").over()


def test_a_promise_is_kept_in_its_place_and_tried_again(office: Office) -> None:
    """Offered since the wait would be long.  The customer is busy at first; nobody is called
    twice by one attempt, and who waits on the line comes after."""
    office.command("anna", "pause")
    promised(office, office.first, "716")
    waits = office.waits(office.second, "716")
    assert office.waiting() == ["101", "102"]
    office.command("anna", "resume")
    agent = office.anna.rings()
    assert "101" in agent.shown
    waits.hang_up()
    agent.answer()
    office.first.rings().reject()
    agent.over()

    agent = office.anna.takes()
    back = office.first.takes()
    joined(back, agent)
    assert not office.first.is_rung
    back.hang_up()
    until(lambda: visits(office, "promise").count("answered") == 1, "a visit that was answered")
    assert visits(office, "promise").count("callback") == 1


def test_a_promise_ends_at_its_deadline(office: Office) -> None:
    office.command("anna", "pause")
    promised(office, office.first, "717")
    until(lambda: visits(office, "forgetful") == ["callback", "expired"], "the end of a promise")
    office.command("anna", "resume")
    assert office.ask("waiting") == []


# -- what is kept --------------------------------------------------------------------------------


def test_a_queue_records_both_sides_after_notice(office: Office, tmp_path: Path) -> None:
    """The file is found by the call's id; the caller is on the left."""
    talk = office.first.calls("718")
    agent = office.anna.takes().has_heard(TEA)
    talk.has_heard(TEA)
    joined(talk, agent)
    [call] = office.ask("calls")
    until(lambda: agent.seconds_of(office.first.tone) > 2.5, "some talk")
    talk.hang_up()
    agent.over()
    path = tmp_path / "call.wav"
    until(lambda: fetched(office, call["id"], path), "a recording")
    assert seconds_of_tone(path, office.first.tone, 0) >= 1
    assert seconds_of_tone(path, office.anna.tone, 1) >= 1


def fetched(office: Office, call: str, path: Path) -> bool:
    """Get the sound of a call once it is over."""
    if office.ask(f"records/{call}")["ended_at"] is None:
        return False
    where = f"http://127.0.0.1:{office.switch.http_port}/v1/records/{call}/sound"
    with urllib.request.urlopen(where) as answer:
        path.write_bytes(answer.read())
    with wave.open(io.BytesIO(path.read_bytes())) as sound:
        return bool(sound.getnchannels() == 2 and sound.getnframes())
