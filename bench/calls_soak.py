"""Ten thousand phones, a hundred calls at once for a minute: what fails, is lost, or stays?

    python -m bench.calls_soak [--quick] [--json]

Phones register; the switch is stopped and started and must still know them all; then calls stand
with sound both ways (SIPp sends it, SIPp echoes it), end, and what the switch holds is counted
beside what it held before them.  CPU is that of both processes of the switch.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.rig import Figures, report
from tests.interop.holdings import holdings, processes
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
from tests.interop.switch import DOMAIN, Switch

SETTINGS = """
[guard]
trusted = ["127.0.0.0/8"]
[extensions.200]
password = "secret-200"
max_calls = 1000
"""
SILENCE = b"\xd5" * 8000
"""A second of A-law that says nothing."""
RATE = 10
"""Calls begun a second."""
PATIENCE = 60.0
CALLEE = scenario(expect("INVITE"), answer(200, "OK", sdp()), expect("ACK"), *accept_bye())


def figures(quick: bool) -> Figures:
    phones, calls, length = (1000, 20, 5) if quick else (10_000, 100, 60)
    users = [str(number) for number in range(20_000, 20_000 + phones)]
    people = "".join(f'[extensions.{user}]\npassword = "secret-{user}"\n' for user in users)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = "silence = 20"
        switch = Switch(folder / "switch", SETTINGS + people, media=media, ports=4 * calls + 100)
        try:
            switch.ready()
            return {**_registrations(switch, users), **_calls(switch, folder, calls, length)}
        finally:
            switch.stop()


def _registrations(switch: Switch, users: list[str]) -> Figures:
    """Register, restart, count."""
    crowd = Crowd(switch.port, DOMAIN)
    before = _spent(switch)
    crowd.register(users)
    spent = _spent(switch) - before
    crowd.close()
    switch.stop()
    switch.start()
    switch.ready()
    held = {
        row["extension"] for row in json.loads(switch.command("registrations", "--json").stdout)
    }
    return {
        "phones": len(users),
        "registrations_failed": len(users) - len(crowd.registered),
        "registrations_lost": len(crowd.registered - held),
        "ms_per_registration": 1e3 * spent / len(users),
    }


def _calls(switch: Switch, folder: Path, calls: int, length: int) -> Figures:
    """As many calls at once as named, each `length` seconds long, twice over."""
    with Sipp(
        folder / "callee", CALLEE, calls=10 * calls, timeout=600, options=("-rtp_echo",)
    ) as callee:
        callee.listening()
        register(switch.account("200"), callee.port, expires=3600)
        _hold(switch, folder / "warm", 10, 1)
        _until(lambda: holdings(switch)["sip_alive"] == 0, "an end of what went before")
        before, spent = holdings(switch), _spent(switch)
        failed = _hold(switch, folder / "callers", calls, length)
        spent = _spent(switch) - spent
        _until(lambda: holdings(switch) == before, f"holdings as before: {before}")
        after = holdings(switch)
    left = {f"{name}_left": after[name] - before[name] for name in before}
    return {
        "calls": calls,
        "seconds": length,
        "calls_failed": failed,
        "ms_per_call_with_sound": 1e3 * spent / calls,
        **left,
    }


def _hold(switch: Switch, folder: Path, calls: int, length: int) -> int:
    """Calls that failed."""
    folder.mkdir(parents=True)
    sound = folder / "silence.al"
    sound.write_bytes(SILENCE)
    speaks = f'<nop><action><exec rtp_stream="{sound},-1,8"/></action></nop>'
    quiet = '<nop><action><exec rtp_stream="pause"/></action></nop>'
    steps = [*invited(), recv(200), ack(), speaks, pause(1000 * length), quiet, *hang_up()]
    with Sipp(
        folder,
        scenario(*steps),
        f"127.0.0.1:{switch.port}",
        service="200",
        calls=calls,
        rate=RATE,
        fields=[credentials("101")],
        timeout=int(length + calls / RATE + PATIENCE),
        options=("-l", str(calls)),
    ) as phones:
        run = phones.wait(length + calls / RATE + PATIENCE)
    return calls - run.passed


def _spent(switch: Switch) -> float:
    """CPU seconds of the switch and its engine so far."""
    return sum(sum(each.cpu_times()[:2]) for each in processes(switch))


def _until(fact: Callable[[], bool], what: str) -> None:
    """Wait for what takes the transactions' 32 s; a soak that waits in vain goes on and tells."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > deadline:
            print(f"no {what} within {PATIENCE:g} s", file=sys.stderr)
            return
        time.sleep(0.2)


if __name__ == "__main__":
    report(figures, __doc__ or "")
