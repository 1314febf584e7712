"""The command line and the HTTP API against a switch with real phones on it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.interop.phones import Baresip
from tests.interop.process import Child
from tests.interop.switch import Switch, running, told

pytestmark = pytest.mark.interop


class Office(NamedTuple):
    switch: Switch
    anna: Baresip
    boris: Baresip

    def talk(self) -> None:
        """101 calls 102, who answers."""
        self.anna.dial("102")
        self.both_talk()

    def both_talk(self) -> None:
        self.boris.established()
        self.anna.established()

    def end(self) -> None:
        """101 hangs up."""
        self.anna.hangup()
        self.both_are_free()

    def both_are_free(self) -> None:
        self.anna.closed()
        self.boris.closed()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One switch, with 101 and 102 registered, for all tests of this page."""
    folder = tmp_path_factory.mktemp("office")
    with (
        running(folder / "switch") as switch,
        Baresip(switch.account("101"), folder / "101") as anna,
        Baresip(switch.account("102"), folder / "102") as boris,
    ):
        anna.registered()
        boris.registered()
        yield Office(switch, anna, boris)


@pytest.fixture
def call(office: Office) -> Iterator[str]:
    """101 talks with 102; the call's id."""
    office.talk()
    (found,) = told(office.switch, "calls")
    yield str(found["id"])
    office.switch.command("hangup", "--all")
    office.both_are_free()


def metrics(switch: Switch) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{switch.http_port}/metrics") as answer:
        page = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_the_status_is_the_switch_on_one_page(office: Office) -> None:
    status = told(office.switch, "status")

    assert status["state"] == "ready"
    assert status["usage"]["registrations"] == {"used": 2, "limit": 20000}
    assert f"udp:127.0.0.1:{office.switch.port}" in status["listening"]
    assert status["media"] in ("io_uring", "epoll")
    assert "registrations  2 of 20000" in office.switch.command("status").stdout


def test_a_call_in_progress_is_shown_and_ended_by_the_beginning_of_its_id(
    office: Office, call: str
) -> None:
    (shown,) = told(office.switch, "calls")
    assert (shown["state"], shown["caller"], shown["dialled"]) == ("talking", "101", "102")
    assert [(leg["party"], leg["codec"]) for leg in shown["legs"]] == [
        ("101", "PCMA"),
        ("102", "PCMA"),
    ]

    answer = office.switch.command("hangup", call[:6])

    assert answer.stdout == f"call {call} is ended\n"
    assert told(office.switch, "calls") == []


def test_an_unknown_call_is_told_so(office: Office) -> None:
    answer = office.switch.command("hangup", "nosuch")

    assert (answer.returncode, answer.stderr) == (1, "there is no call nosuch\n")


def test_originate_rings_one_phone_and_then_the_other(office: Office) -> None:
    call = told(office.switch, "originate", "101", "102")["call"]
    office.both_talk()

    office.end()

    record = told(office.switch, "records", "--call", call)
    assert [leg["party"] for leg in record["legs"]] == ["101", "102"]
    assert (record["caller"], record["dialled"]) == ("101", "102")
    assert (record["cause"], record["answered_by"]) == ("normal", "102")


def test_originate_wants_a_phone_that_is_there(office: Office) -> None:
    answer = office.switch.command("originate", "103", "102")

    assert (answer.returncode, answer.stderr) == (1, "extension 103 is not registered\n")


def test_records_are_found_by_number(office: Office, call: str) -> None:
    office.switch.command("hangup", call)

    found = told(office.switch, "records", "--number", "102", "--limit", "1")["records"]

    assert [record["id"] for record in found] == [call]
    assert call in office.switch.command("records").stdout


def test_a_trace_of_an_extension_is_a_live_ladder(office: Office, tmp_path: Path) -> None:
    with watching(office.switch, tmp_path, "--extension", "102") as trace:
        trace.wait_for_output("REGISTER")  # what passed before is shown first
        office.talk()
        office.end()
        trace.wait_for_output("BYE")

        ladder = trace.output()

    assert f"127.0.0.1:{office.boris.port}" in ladder and "switch" in ladder
    assert "INVITE sip:102" in ladder and "180 Ringing" in ladder


def test_a_trace_of_a_call_shows_it_from_its_beginning(
    office: Office, call: str, tmp_path: Path
) -> None:
    with watching(office.switch, tmp_path, "--call", call, "--json") as trace:
        trace.wait_for_output("ACK sip:102")
        office.switch.command("hangup", call)
        trace.until(lambda: trace.output().count('"summary": "BYE ') == 2, "two BYEs")

        messages = [json.loads(line) for line in trace.output().splitlines()]

    assert {message["call"] for message in messages} == {call}
    assert messages[0]["summary"].startswith("INVITE sip:102")


def watching(switch: Switch, folder: Path, *options: str) -> Child:
    words = [sys.executable, "-u", "-m", "softswitch", "trace", *options]
    return Child([*words, "--config", switch.settings], folder / "trace")


def test_events_tell_a_call_from_beginning_to_end(office: Office) -> None:
    where = f"http://127.0.0.1:{office.switch.http_port}/v1/events?kind=call"
    with urllib.request.urlopen(where) as stream:
        assert stream.readline() == b": ready\n"
        office.talk()
        office.end()
        kinds = []
        while "call.ended" not in kinds:
            line = stream.readline().decode()
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: ").strip())

    assert kinds == ["call.began", "call.target", "call.answered", "call.ended"]


def test_metrics_count_what_passes(office: Office) -> None:
    before = metrics(office.switch)
    office.talk()

    during = metrics(office.switch)
    office.end()

    received = "softswitch_sip_messages_total", "received"
    assert during[received] > before[received]
    assert during["softswitch_calls",] == 1 and during["softswitch_legs",] == 2
    assert during["softswitch_media_ports_used",] == 2


def test_a_guesser_is_listed_and_forgiven(office: Office) -> None:
    stranger = "127.0.0.9"
    guess = (
        "REGISTER sip:office.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5066;branch=z9hG4bK{0}\r\n"
        "From: <sip:101@office.test>;tag=a{0}\r\nTo: <sip:101@office.test>\r\nCall-ID: guess{0}\r\n"
        "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:101@127.0.0.9:5066>\r\n"
        'Authorization: Digest username="101",realm="office.test",nonce="x",uri="sip:office.test",'
        'response="{0:032d}"\r\nContent-Length: 0\r\n\r\n'
    )
    guesses = [guess.format(number) for number in range(20)]
    subprocess.run([sys.executable, "-c", GUESSER, stranger, str(office.switch.port), *guesses])

    (suspect,) = told(office.switch, "status")["suspects"]
    assert (suspect["source"], suspect["state"]) == (stranger, "slowed")
    (line,) = [
        row for row in office.switch.command("status").stdout.splitlines() if stranger in row
    ]
    assert "wrong passwords" in line

    assert stranger not in office.switch.command("status", "--lift", stranger).stdout


GUESSER = """
import socket, sys
mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mine.bind((sys.argv[1], 5066))
mine.settimeout(2)
for guess in sys.argv[3:]:
    mine.sendto(guess.encode(), ("127.0.0.1", int(sys.argv[2])))
mine.recv(2000)
"""
