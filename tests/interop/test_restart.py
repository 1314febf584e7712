"""What was answered outlives `kill -9`; what is over leaves nothing behind."""

import re
import threading
from pathlib import Path

import pytest

from tests.interop.holdings import holdings
from tests.interop.phones import Sipp
from tests.interop.phones.crowd import Crowd
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
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
)
from tests.interop.switch import DOMAIN, Switch, running, told

pytestmark = pytest.mark.interop

CROWD = 10_000
USERS = [str(number) for number in range(20_000, 20_000 + CROWD)]
MANY = '[extensions.200]\npassword = "secret-200"\nmax_calls = 300\n'
TRUST = '[guard]\ntrusted = ["127.0.0.0/8"]\n'
CALLEE = scenario(expect("INVITE"), answer(200, "OK", sdp()), expect("ACK"), *accept_bye())


def caller(hold: int) -> str:
    """Dials, talks for `hold` milliseconds and hangs up."""
    return scenario(*invited(), recv(200), ack(), pause(hold), *hang_up())


def killed_and_restarted(switch: Switch) -> None:
    switch.kill()
    switch.start()
    switch.ready()


def test_every_binding_that_got_its_200_outlives_a_kill(tmp_path: Path) -> None:
    """Killed in the middle of ten thousand registrations, then again when all are there."""
    people = "".join(f'[extensions.{user}]\npassword = "secret-{user}"\n' for user in USERS)
    switch = Switch(tmp_path / "switch", TRUST + people)
    crowd = Crowd(switch.port, DOMAIN)
    try:
        switch.ready()
        work = threading.Thread(target=crowd.register, args=(USERS,))
        work.start()
        switch.until(lambda: len(crowd.registered) > CROWD // 2, "half of the crowd", 60)
        killed_and_restarted(switch)
        answered = len(crowd.registered)
        held = {row["extension"] for row in told(switch, "registrations")}
        assert answered >= CROWD // 2 and len(held) >= CROWD // 2
        work.join(90)

        assert crowd.registered == set(USERS) and crowd.refused == []
        killed_and_restarted(switch)

        assert {row["extension"] for row in told(switch, "registrations")} == set(USERS)
    finally:
        crowd.close()
        switch.stop()


def test_every_call_that_got_its_100_has_a_record_after_a_kill(tmp_path: Path) -> None:
    switch = Switch(tmp_path / "switch", TRUST + MANY)
    try:
        switch.ready()
        with Sipp(tmp_path / "callee", CALLEE, calls=500, timeout=60) as callee:
            callee.listening()
            register(switch.account("200"), callee.port)
            with Sipp(
                tmp_path / "caller",
                caller(60_000),
                f"127.0.0.1:{switch.port}",
                service="200",
                calls=500,
                rate=100,
                fields=[credentials("101")],
                timeout=60,
            ) as phones:
                phones.until(lambda: len(told_100(phones)) > 50, "fifty calls", 20)
                switch.kill()
                tried = told_100(phones)
                phones.process.kill()
            callee.process.kill()
        switch.start()
        switch.ready()

        found = told(switch, "records", "--limit", "1000")["records"]
    finally:
        switch.stop()
    assert len(found) >= len(tried)
    assert {record["cause"] for record in found} == {"interrupted"}
    assert all(record["ended_at"] >= record["began_at"] for record in found)


def told_100(phones: Sipp) -> set[str]:
    """Call-IDs of the INVITEs with a password that were answered by 100."""
    trying = r"SIP/2.0 100 Trying\r?\n(?:[^\r\n]+\r?\n)*?Call-ID: (\S+)\r?\nCSeq: 2 INVITE"
    return set(re.findall(trying, phones.messages()))


def test_a_hundred_calls_at_once_leave_nothing_behind(tmp_path: Path) -> None:
    """Counted: ports, tasks, descriptors, and whatever the SIP stack holds."""
    sip = "timers = { t1 = 0.05, t4 = 0.2 }"
    with (
        running(tmp_path / "switch", TRUST + MANY, sip=sip, ports=600) as switch,
        Sipp(tmp_path / "callee", CALLEE, calls=400, timeout=60) as callee,
    ):
        callee.listening()
        register(switch.account("200"), callee.port)
        told(switch, "records")  # opens the database for reading
        switch.until(lambda: holdings(switch)["sip_alive"] == 0, "an end of registering", 15)
        before = holdings(switch)
        with Sipp(
            tmp_path / "caller",
            caller(3000),
            f"127.0.0.1:{switch.port}",
            service="200",
            calls=200,
            rate=40,
            fields=[credentials("101")],
            timeout=60,
            options=("-l", "110"),
        ) as phones:
            phones.until(lambda: len(told(switch, "calls")) >= 100, "a hundred calls", 30)
            run = phones.wait()
        assert (run.passed, run.failed) == (200, 0), run.errors

        switch.until(lambda: holdings(switch) == before, f"holdings as before: {before}", 15)
        assert told(switch, "records", "--limit", "1")["total"] == 200
