"""What the measurements of sound share: a crowd of phones, an account of CPU, the cores.

Whoever is measured runs on the first core that we may use, the crowd on the last: both have
one to themselves where the machine has two.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from bench.cores import CROWD as CROWD
from bench.cores import MEASURED as MEASURED
from bench.figure import Raw
from bench.load_rtp import DRAIN, HOST, Outcome
from media.client import Media, MediaLeg
from media.settings import BackendName, MediaSettings
from media.stream import Stream
from media.types import Address, Seconds

Figures: TypeAlias = Raw

PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
_SETTLE: Seconds = 0.2
_WARM_UP: Seconds = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A span of load: what the measured process spent, and what the crowd saw."""

    seconds: Seconds
    user: Seconds
    kernel: Seconds
    outcome: Outcome
    core: float
    """Part of the measured core that was not idle: with what the network stack does in interrupts,
    which is nobody's CPU time, and with whatever else ran there."""

    @property
    def cpu(self) -> Seconds:
        return self.user + self.kernel

    @property
    def load(self) -> float:
        """Part of one core."""
        return self.cpu / self.seconds

    def per(self, count: int) -> float:
        """Microseconds for each of `count` packets or frames."""
        return 1e6 * self.cpu / max(count, 1)


def _idle() -> Seconds:
    """How long the measured core has been idle so far."""
    (core,) = MEASURED
    times = psutil.cpu_times(percpu=True)[core]
    return float(times.idle + times.iowait)


class Phones:
    """The crowd in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, ports: list[int]) -> None:
        self._process = process
        self.addresses: list[Address] = [(HOST, port) for port in ports]

    async def run(
        self, pid: int, targets: Sequence[Address], seconds: Seconds, sending: bool = True
    ) -> Reading:
        """Let phone i talk to `targets[i]`, which process `pid` serves, and take the account
        once all streams are under way."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        measured = psutil.Process(pid)
        order = {"targets": list(targets), "warm": _WARM_UP, "seconds": seconds, "sending": sending}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdout.readline()
        before, idle = measured.cpu_times(), _idle()
        await self._process.stdout.readline()
        after, idle = measured.cpu_times(), _idle() - idle
        outcome = Outcome(**await self._line())
        user, kernel = after.user - before.user, after.system - before.system
        return Reading(seconds, user, kernel, outcome, 1 - idle / (seconds + DRAIN))

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return line


@contextlib.asynccontextmanager
async def crowd(phones: int, *payload_types: int) -> AsyncIterator[Phones]:
    """So many phones; they speak PCMU, or these payload types in turn."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.load_rtp", str(phones), *map(str, payload_types)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        limit=1 << 24,
    )
    place(process.pid, CROWD)
    assert process.stdout is not None
    try:
        yield Phones(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def engine(legs: int, backend: BackendName = "auto") -> AsyncIterator[Media]:
    """A media plane with ports for so many legs, its engine alone on its core."""
    first = free_ports(2 * legs + 40)
    ports = first, first + 2 * legs + 39
    media = Media(MediaSettings(HOST, ports=ports, backend=backend))
    await media.start()
    place(media.pids[0], MEASURED)
    try:
        yield media
    finally:
        await media.stop()


def place(pid: int, cores: set[int]) -> None:
    """Give a process its core, before others on a busy machine if we are allowed to."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.sched_setaffinity(int(task.name), cores)
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK  # threads made later stand back
            os.sched_setscheduler(int(task.name), policy, os.sched_param(1))


def hosts(legs: Sequence[MediaLeg]) -> list[Address]:
    """Where the phones of these legs are to send."""
    return [(HOST, leg.port) for leg in legs]


def opened(
    media: Media,
    phones: Phones,
    codecs: Sequence[str] = ("PCMU",),
    only: Sequence[int] | None = None,
) -> list[MediaLeg]:
    """A leg for each phone, or for `only` these, connected; the codecs in turn."""
    legs = []
    for number in range(len(phones.addresses)) if only is None else only:
        codec = codecs[number % len(codecs)]
        kind = PAYLOAD_TYPES[codec]
        leg = media.open(lambda event: None)
        stream = Stream(phones.addresses[number], codec, send_pt=kind, receive_pts={kind: codec})
        leg.connect(stream)
        legs.append(leg)
    return legs


async def sound_figures(
    media: Media, phones: Phones, legs: Sequence[MediaLeg], seconds: Seconds, sending: bool = True
) -> dict[str, float | int | str]:
    """What every measurement of mixed sound tells, for each frame that was sent to a phone.

    The legs are connected, and hear what they are to hear as soon as the engine has got to it.
    """
    await media.stats()
    await settle()
    (before,) = await media.stats()
    reading = await phones.run(media.pids[0], hosts(legs), seconds, sending)
    (after,) = await media.stats()
    seen = reading.outcome
    return {
        "late_ticks": after.late_ticks - before.late_ticks,
        "us_per_frame": reading.per(seen.received),
        "user_us_per_frame": 1e6 * reading.user / max(seen.received, 1),
        "load": reading.load,
        "core_load": reading.core,
        "frames": seen.received,
        "lost": seen.lost,
        "spacing_p999_ms": 1e3 * seen.spacing_p999,
        "crowd_late_ms": seen.late_slots,
    }


BUSY = 0.7
BUSY_SECONDS: Seconds = 20.0
"""A thousand ticks, so that one in a thousand is among them."""
_KEPT = ("load", "core_load", "frames", "lost", "spacing_p999_ms", "late_ticks", "crowd_late_ms")


def scaled(count: int, load: float) -> int:
    """How many would take `BUSY` of a core, if so many take `load` of it."""
    return max(round(count * BUSY / load), 1)


def busy(count: int, told: Mapping[str, float | int | str]) -> dict[str, float | int | str]:
    """What is told of the load that fills the core so far: how punctual the sound was."""
    return {"busy_count": count, **{f"busy_{key}": told[key] for key in _KEPT}}


async def settle() -> None:
    """Let what was set up come to rest before the account is opened."""
    await asyncio.sleep(_SETTLE)


def free_ports(count: int) -> int:
    """The first port of a range below the kernel's own where nobody listens now."""
    for first in range(12000, 32000 - count, 500):
        if all(map(_is_free, range(first, first + count))):
            return first
    raise OSError(f"no {count} neighbouring ports are free below 32000")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.bind((HOST, port))
        except OSError:
            return False
    return True


def report(figures: Callable[[bool], Figures], doc: str) -> None:
    """The main program of a measurement: `--quick` for a short run, `--json` for machines."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter and smaller")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):  # of the engine's own log
        found = figures(chosen.quick)
    show(found, as_json=chosen.json)


def show(found: Figures, *, as_json: bool) -> None:
    """Print what was measured, a figure a line or for machines."""
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
