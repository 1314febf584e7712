"""What signalling costs: registrations and calls with digest, beside Kamailio under the same load.

SIPp plays both phones on one core, the server under test has the other.  CPU is the
operating system's account of all the server's processes (the media engine apart, told by
itself); what counts is the ratio, since machines differ and this one is shared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.rig import CROWD, MEASURED
from tests.interop.phones import Account, Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.steps import (
    ack,
    answer,
    done,
    expect,
    hang_up,
    invited,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
)
from tests.interop.ports import free_ports
from tests.interop.switch import running

MS = 1000.0
TALK_MS = 200
CALLER, CALLEE = "201", "202"
PEOPLE = "".join(
    f'[extensions.{user}]\nname = "{user}"\npassword = "secret-{user}"\nclass = "staff"\n'
    "max_calls = 100000\ndevices = 50\n"
    for user in (CALLER, CALLEE)
)
OPEN_DOOR = "[guard]\nflood_rate = 1e6\nflood_burst = 1000000\n[limits]\ncalls = 5000\n"


class Server(NamedTuple):
    """A server under test; its media engine, if it has one, is accounted for by itself."""

    port: int
    signalling: list[psutil.Process]
    media: list[psutil.Process]


class Measured(NamedTuple):
    """One load: how many units passed and failed, and CPU milliseconds for each."""

    passed: int
    failed: int
    signalling: float
    media: float


@contextmanager
def switch(folder: Path) -> Iterator[Server]:
    """Our switch; its media engine is a process of its own."""
    with running(folder, PEOPLE + OPEN_DOOR, transports="udp") as started:
        process = psutil.Process(started.pid)
        engines = process.children()
        pin([process, *engines])
        yield Server(started.port, [process], engines)


@contextmanager
def kamailio(folder: Path) -> Iterator[Server]:
    """The stateful proxy in C that others are compared with."""
    folder.mkdir(parents=True)
    port = free_ports()
    text = (Path(__file__).parent / "peers" / "kamailio.cfg").read_text()
    config = folder / "kamailio.cfg"
    config.write_text(text.replace("PORT", str(port)))
    with (folder / "log").open("wb") as log:
        words = ["kamailio", "-DD", "-E", "-f", str(config), "-Y", str(folder)]
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        time.sleep(1.5)
        process = psutil.Process(server.pid)
        everybody = [process, *process.children(recursive=True)]
        pin(everybody)
        yield Server(port, everybody, [])
    finally:
        server.terminate()
        server.wait(10)


def pin(processes: list[psutil.Process]) -> None:
    for process in processes:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, MEASURED)


def cpu(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that they have used."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def calls(server: Server, folder: Path, count: int, rate: float) -> Measured:
    """Whole calls with digest: INVITE, 401, INVITE, 180, 200, ACK, BYE, through both legs."""
    steps = [expect("INVITE"), answer(180, "Ringing"), answer(200, "OK", sdp())]
    callee = Sipp(
        folder / "callee",
        scenario(*steps, expect("ACK"), expect("BYE"), done()),
        calls=count,
        timeout=120,
    )
    caller_steps = [*invited(), recv(180), recv(200), ack(), pause(TALK_MS), *hang_up()]
    try:
        callee.listening()
        register(Account(CALLEE, f"secret-{CALLEE}", port=server.port), callee.port)
        return _load(server, folder / "caller", scenario(*caller_steps), count, rate)
    finally:
        callee.stop()


def registrations(server: Server, folder: Path, count: int, rate: float) -> Measured:
    """REGISTER, 401, REGISTER, 200: a binding stored."""
    first = request("REGISTER", 1, dialog=False).replace("sip:[service]@", "sip:")
    again = request("REGISTER", 2, dialog=False, extra="[field1]\nExpires: 600").replace(
        "sip:[service]@", "sip:"
    )
    steps = [send(first, retrans=True), recv(401, auth=True), send(again, retrans=True), recv(200)]
    text = scenario(*steps).replace("<sip:[service]@office.test>", f"<sip:{CALLER}@office.test>")
    return _load(server, folder / "phones", text, count, rate)


def _load(server: Server, folder: Path, text: str, count: int, rate: float) -> Measured:
    row = [CALLER, f"[authentication username={CALLER} password=secret-{CALLER}]"]
    before = cpu(server.signalling), cpu(server.media)
    with Sipp(
        folder,
        text,
        f"127.0.0.1:{server.port}",
        service=CALLEE,
        calls=count,
        rate=rate,
        fields=[row],
        timeout=120,
    ) as crowd:
        os.sched_setaffinity(crowd.pid, CROWD)
        run = crowd.wait(150)
    time.sleep(0.3)
    after = cpu(server.signalling), cpu(server.media)
    signalling, media = (late - early for early, late in zip(before, after, strict=True))
    unit = MS / max(run.passed, 1)
    return Measured(run.passed, run.failed, signalling * unit, media * unit)


SERVERS = {"switch": switch, "kamailio": kamailio}
LOADS = {"call": (calls, 60.0), "registration": (registrations, 200.0)}


def figures(quick: bool) -> dict[str, float | int]:
    """CPU milliseconds for each call and registration, and the ratio to Kamailio where it is."""
    seconds = 5 if quick else 20
    found: dict[str, float | int] = {}
    for name, start in SERVERS.items():
        if name == "kamailio" and shutil.which(name) is None:
            continue
        for load, (measure, rate) in LOADS.items():
            with tempfile.TemporaryDirectory() as folder, start(Path(folder) / name) as server:
                measured = measure(server, Path(folder), int(rate * seconds), rate)
            found[f"{name}_{load}_ms"] = round(measured.signalling, 3)
            found[f"{name}_{load}_failed"] = measured.failed
            if measured.media:
                found[f"{name}_{load}_media_ms"] = round(measured.media, 3)
    for load in LOADS:
        if found.get(f"kamailio_{load}_ms"):
            ratio = found[f"switch_{load}_ms"] / found[f"kamailio_{load}_ms"]
            found[f"{load}_ratio_to_kamailio"] = round(ratio, 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    wishes = parser.parse_args()
    found = figures(wishes.quick)
    if wishes.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:36} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
