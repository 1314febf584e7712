"""From `ready` to the last farewell: starting, reloading, draining, and what stands in the way."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.interop.holdings import holdings
from tests.interop.phones import Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
    accept_bye,
    ack,
    answer,
    credentials,
    expect,
    invited,
    recv,
    scenario,
    sdp,
)
from tests.interop.switch import Switch, running, told

pytestmark = pytest.mark.interop

CALLEE = scenario(expect("INVITE"), answer(200, "OK", sdp()), expect("ACK"), *accept_bye())
CALLER = scenario(*invited(), recv(200), ack(), *accept_bye())


@contextmanager
def call(switch: Switch, folder: Path) -> Iterator[tuple[Sipp, Sipp]]:
    """101 talks with 102 until the switch ends the call."""
    with Sipp(folder / "callee", CALLEE) as callee:
        callee.listening()
        register(switch.account("102"), callee.port)
        remote, fields = f"127.0.0.1:{switch.port}", [credentials("101")]
        with Sipp(folder / "caller", CALLER, remote, service="102", fields=fields) as caller:
            caller.until(lambda: bool(told(switch, "calls")), "a call")
            callee.until(lambda: told(switch, "calls")[0]["state"] == "talking", "an answer")
            yield caller, callee


def asked(switch: Switch, method: str, user: str = "") -> str:
    """The final answer to one request outside dialogs, over UDP."""
    uri = f"sip:{user}{'@' if user else ''}127.0.0.1:{switch.port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(15)
        port = wire.getsockname()[1]
        request = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}\r\n"
            f"From: <sip:probe@office.test>;tag=1\r\nTo: <{uri}>\r\nCall-ID: probe{port}\r\n"
            f"CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        wire.sendto(request.encode(), ("127.0.0.1", switch.port))
        return wire.recv(4096).decode()


def health(switch: Switch) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{switch.http_port}/healthz") as page:
            return int(page.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running(tmp_path_factory.mktemp("lifecycle") / "switch") as switch:
        yield switch


@pytest.fixture
def office(started: Switch) -> Iterator[Switch]:
    """A switch that other tests use too: afterwards its settings are as they were."""
    text = started.settings.read_text()
    yield started
    started.settings.write_text(text)
    assert started.command("reload").returncode == 0


def signalled(switch: Switch, says: str) -> None:
    """SIGHUP, and what it says to it once more than before."""
    before = switch.output().count(says)
    switch.process.send_signal(signal.SIGHUP)
    switch.until(lambda: switch.output().count(says) > before, says)


def test_ready_means_that_every_listener_answers(office: Switch) -> None:
    assert asked(office, "OPTIONS").startswith("SIP/2.0 200")
    assert health(office) == 200
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, office.port), timeout=15).close()
    line = next(line for line in office.output().splitlines() if line.startswith("ready "))
    assert line.split()[1:] == told(office, "status")["listening"]


def test_draining_lets_calls_end_and_takes_no_new_ones(tmp_path: Path) -> None:
    switch = Switch(tmp_path / "switch", drain=2.5)
    try:
        switch.ready()
        with call(switch, tmp_path) as (caller, callee):
            switch.process.send_signal(signal.SIGTERM)
            switch.wait_for_output('"draining"')

            refused = asked(switch, "OPTIONS")
            assert refused.startswith("SIP/2.0 503") and "Retry-After: 10" in refused
            assert health(switch) == 503
            assert holdings(switch)["calls"] == 1, "the call goes on"

            assert caller.wait(30).code == 0, caller.messages()[-2000:]
            assert callee.wait(30).code == 0, callee.messages()[-2000:]
            assert switch.process.wait(30) == 0
    finally:
        switch.stop()

    switch.start()
    switch.ready()
    (record,) = told(switch, "records")["records"]
    assert switch.stop() == 0
    assert record["cause"] == "shut-down"
    assert record["ended_at"] - record["began_at"] > 2


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    switch = Switch(tmp_path / "switch", drain=60)
    try:
        switch.ready()
        with call(switch, tmp_path) as (caller, _):
            switch.process.send_signal(signal.SIGTERM)
            switch.wait_for_output('"draining"')
            asked_at = time.monotonic()
            switch.process.send_signal(signal.SIGTERM)
            assert switch.process.wait(30) == 0
            assert time.monotonic() - asked_at < 45, "it drains for a minute"
            assert caller.wait(30).code == 0, "it was told BYE"
    finally:
        switch.stop()


def attempt(path: Path, settings: str) -> tuple[int, str]:
    """Try to start a switch that cannot; its exit code and what it says."""
    path.write_text(settings)
    words = [sys.executable, "-m", "softswitch", "run", "--config", str(path)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    return run.returncode, run.stderr


def test_what_is_in_the_way_is_said_in_a_sentence(tmp_path: Path) -> None:
    with running(tmp_path / "first") as first:
        text = first.settings.read_text()
        elsewhere = re.sub(r'\nports = ".*"', '\nports = "45000-45009"', text)
        sip, http, data = str(first.port), f"127.0.0.1:{first.http_port}", 'data = "data"'
        attempts = {
            "sound": text.replace(data, 'data = "sound"'),
            "sip": elsewhere.replace(data, 'data = "sip"'),
            "http": elsewhere.replace(data, 'data = "http"')
            .replace("4500", "4501")
            .replace(sip, str(first.port + 4)),
            "data": text.replace(data, f'data = "{tmp_path / "first" / "data"}"'),
            "wrong": text + "\n[sip.timer]\nt1 = 1\n",
        }
        with ThreadPoolExecutor() as pool:
            paths = [tmp_path / f"{name}.toml" for name in attempts]
            said = dict(zip(attempts, pool.map(attempt, paths, attempts.values()), strict=True))

    assert f"cannot listen on udp:127.0.0.1:{sip}: another program has this port" in said["sip"][1]
    assert f"api.listen: {http}: " in said["http"][1]
    assert "media.ports: no port" in said["sound"][1]
    assert "belongs to a switch that is running" in said["data"][1]
    assert "did you mean" in said["wrong"][1]
    assert {name: code for name, (code, _) in said.items()} == {
        "sound": 1,
        "sip": 1,
        "http": 1,
        "data": 1,
        "wrong": 2,
    }
    for _, sentences in said.values():
        assert "Traceback" not in sentences and len(sentences.splitlines()) <= 3, sentences


def test_a_reload_applies_the_file_whole_and_touches_no_call(
    office: Switch, tmp_path: Path
) -> None:
    with call(office, tmp_path) as (caller, callee):
        text = office.settings.read_text()
        office.settings.write_text(text + '[extensions.150]\npassword = "secret-150"\n')

        done = office.command("reload")

        assert done.stdout == "extensions: 150 added\n"
        register(office.account("150"), 5999)
        assert told(office, "calls")[0]["state"] == "talking"
        assert office.command("reload").stdout == "nothing has changed\n"
        office.command("hangup", "--all")
        assert caller.wait(30).code == 0
        assert callee.wait(30).code == 0


def test_a_faulty_file_is_refused_whole(office: Switch) -> None:
    text = office.settings.read_text()
    office.settings.write_text(
        text + '[extensions.160]\npassword = "secret-160"\n[guard]\nslow_afer = 1\n'
    )

    by_command = office.command("reload")
    signalled(office, "settings not reloaded")

    assert by_command.returncode == 1
    assert "did you mean slow_after?" in by_command.stderr
    register(office.account("101"), 5999)
    with pytest.raises(AssertionError, match="401"):
        register(office.account("160"), 5999)


def test_sighup_reloads_and_what_needs_a_restart_is_said(office: Switch) -> None:
    text = office.settings.read_text()
    changed = text.replace("[classes.staff]", "[guard]\nslow_after = 3\n[classes.staff]")
    office.settings.write_text(changed.replace("office.test", "other.test"))

    signalled(office, "settings reloaded")

    assert "switch.domain: can only change with a restart" in office.output()
    assert told(office, "status")["domain"] == "office.test"
    register(office.account("101"), 5999)


def test_an_engine_that_dies_ends_its_calls_raises_an_alarm_and_comes_back(tmp_path: Path) -> None:
    with running(tmp_path / "switch") as switch:
        with call(switch, tmp_path) as (caller, callee):
            (engine,) = psutil.Process(switch.pid).children()
            os.kill(engine.pid, signal.SIGKILL)
            switch.wait_for_output("died")
            assert caller.wait(30).code == 0
            assert callee.wait(30).code == 0
        switch.until(lambda: not told(switch, "status")["alarms"], "an end of the alarm")

        assert "alarm over" in switch.output()
        (record,) = told(switch, "records")["records"]
        assert record["ended_at"] is not None
        with call(switch, tmp_path / "again"):
            switch.command("hangup", "--all")


def test_every_message_is_copied_to_homer(office: Switch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as homer:
        homer.bind(("127.0.0.1", 0))
        homer.settimeout(15)
        text = office.settings.read_text()
        server = f'[hep]\nserver = "127.0.0.1:{homer.getsockname()[1]}"\n'
        office.settings.write_text(text + server)
        assert office.command("reload").returncode == 0
        asked(office, "OPTIONS")
        copies = [homer.recv(65536) for _ in range(2)]

        office.settings.write_text(text)
        assert office.command("reload").returncode == 0
        asked(office, "OPTIONS")
        homer.setblocking(False)
        with pytest.raises(BlockingIOError):
            homer.recv(65536)

    assert all(copy.startswith(b"HEP3") for copy in copies)
    assert b"OPTIONS sip:" in copies[0] and b"SIP/2.0 200 OK" in copies[1]
