"""The call centre with real phones: callers wait, agents' phones ring, they hear each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.phones import Baresip, Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
    CANCELLABLE,
    REFERENCE,
    accept_bye,
    ack,
    answer,
    credentials,
    expect,
    hang_up,
    invited,
    pause,
    recv,
    scenario,
    sdp,
    terminated,
)
from tests.interop.sound import is_silent, seconds_of_tone
from tests.interop.switch import ExampleOffice, Switch, running, serving, told

pytestmark = pytest.mark.interop

MORE = """
[queues.sales]
wrap_up = 60
[queues.rush]
number = "701"
strategy = "ring-all"
agents = ["olga", "petr"]
[agents.olga]
extension = "105"
logged_in = true
[agents.petr]
extension = "106"
logged_in = true
[extensions.105]
password = "secret-105"
[extensions.106]
password = "secret-106"
"""
QUEUE = """
[agents.anna]
extension = "102"
logged_in = true
[queues.sales]
number = "700"
agents = ["anna"]
"""
BY_HAND = "answermode=manual;audio_codecs=PCMA"
RINGS = [answer(100, "Trying"), answer(180, "Ringing")]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """The example office, with a second queue."""
    switch = ExampleOffice(tmp_path_factory.mktemp("office") / "switch", MORE)
    with serving(switch):
        yield switch


def agent(switch: Switch, name: str) -> dict[str, Any]:
    [found] = [row for row in told(switch, "agents") if row["name"] == name]
    return dict(found)


def test_all_ring_and_the_losers_hear_that_the_call_was_completed_elsewhere(
    office: Switch, tmp_path: Path
) -> None:
    """SIPp agents: 105 answers, 106 gets the CANCEL with its reason; the caller hangs up."""
    wins = [expect("INVITE", matching="rush: Front desk"), *RINGS, pause(500)]
    wins += [answer(200, "OK", sdp()), expect("ACK"), *accept_bye(), REFERENCE]
    loses = [CANCELLABLE, *RINGS, *terminated(matching="completed elsewhere")]
    loses.append(REFERENCE.replace('"1"', '"1,9"'))
    with (
        Sipp(tmp_path / "105", scenario(*wins)) as winner,
        Sipp(tmp_path / "106", scenario(*loses)) as loser,
    ):
        for user, phone in (("105", winner), ("106", loser)):
            phone.listening()
            register(office.account(user), phone.port)
        calls = [*invited(), recv(180, optional=True), recv(200), ack(), pause(1500), *hang_up()]
        row = credentials("101")
        row[1] = row[1].replace("secret-101", office.account("101").password)
        fields = [row]
        to = f"127.0.0.1:{office.port}"
        with Sipp(tmp_path / "101", scenario(*calls), to, service="701", fields=fields) as caller:
            run = caller.wait()
        assert run.code == 0, run.errors + caller.messages()[-2000:]
        for phone in (winner, loser):
            done = phone.wait(20)
            assert done.code == 0, done.errors + phone.messages()[-2000:]
            user = "105" if phone is winner else "106"
            register(office.account(user), phone.port, expires=0)


def test_a_caller_hears_music_then_the_agent_who_then_wraps_up(
    office: Switch, tmp_path: Path
) -> None:
    """700 of the example office, with two baresips; what it came to is told (complaint 47)."""
    with (
        Baresip(office.account("101"), tmp_path / "101", tone=440) as caller,
        Baresip(office.account("102"), tmp_path / "102", tone=880, options=BY_HAND) as anna,
    ):
        caller.registered()
        anna.registered()
        caller.dial("700")
        caller.established()
        anna.wait_for("CALL_INCOMING")
        caller.live(1.5)
        anna.accept()
        anna.established()
        caller.live(2.5)
        caller.hangup()
        anna.closed()
        anna.until(lambda: agent(office, "anna")["state"] == "wrap-up", "a wrap-up", 20)
        ended = office.command("agents", "anna", "end-wrap-up")
        assert ended.returncode == 0, ended.stderr
        assert agent(office, "anna")["state"] == "idle"
        why = office.command("explain", "agent", "anna")
        assert "anna is idle" in why.stdout
        figures = told(office, "statistics")

    assert seconds_of_tone(caller.heard()[0], 880) >= 1
    assert not is_silent(caller.heard()[0])
    assert seconds_of_tone(anna.heard()[0], 440) >= 1
    sales = next(row["figures"] for row in figures["queues"] if row["name"] == "sales")
    assert sales["answered"] == 1


def test_callers_wait_and_talk_on_after_the_switch_was_killed(tmp_path: Path) -> None:
    """The phone is asked inside its dialog, keeps its place, and is served in it; killed again,
    both phones are asked, and their sound flows again."""
    with (
        running(tmp_path / "switch", QUEUE) as switch,
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as caller,
    ):
        caller.registered()
        caller.dial("700")
        caller.established()
        switch.kill()
        switch.start()
        switch.ready()
        with Baresip(switch.account("102"), tmp_path / "102", tone=880) as anna:
            # Her phone may be talking before anybody can hear its events.
            switch.until(lambda: agent(switch, "anna")["state"] == "talking", "her talk")
            anna.live(2.5)
            switch.kill()
            switch.start()
            switch.ready()
            switch.until(lambda: told(switch, "calls"), "their talk again")
            anna.live(2.5)
            caller.hangup()
            anna.closed()
        switch.until(lambda: not told(switch, "calls"), "its end")
        last = told(switch, "records")["records"][0]
        legs = told(switch, "records", "--call", last["id"])["legs"]

    assert seconds_of_tone(anna.heard()[0], 440) >= 1
    assert (last["queue"], last["agent"]) == ("sales", "anna")
    for leg in legs:
        assert leg["quality"]["packets_received"] > 50 and leg["quality"]["packets_sent"] > 50
