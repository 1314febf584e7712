"""Figure: CPU per relayed packet, loss and added delay, by backend.

    python -m bench.relay [--calls N] [--seconds S] [--backend io_uring|epoll]

CPU is the operating system's account of the engine process, divided by packets that came
through.  The load generator runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.load_rtp import Outcome
from media.client import Media, MediaLeg
from media.settings import BackendName, MediaSettings
from media.stream import Stream
from media.types import Seconds

_ENGINE_PORTS, _PHONE_PORTS = 30000, 40000
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Figure:
    backend: str
    calls: int
    user: Seconds
    kernel: Seconds
    """Processor time of the engine, as the operating system counts it."""
    seconds: Seconds
    outcome: Outcome

    def __str__(self) -> str:
        seen = self.outcome
        spent, packets = self.user + self.kernel, max(seen.received, 1)
        return (
            f"relay, {self.backend}, {self.calls} calls: {1e6 * spent / packets:.2f} us a packet"
            f" ({1e6 * self.user / packets:.2f} of it not the kernel's),"
            f" {100 * spent / self.seconds:.0f} % of a core, loss {100 * seen.loss:.4f} %, delay"
            f" {1e3 * seen.delay_median:.2f} ms median, {1e3 * seen.delay_p99:.2f} ms p99"
            f" (load generator late in {seen.late_slots} ms)"
        )


async def measure(backend: BackendName, calls: int, seconds: Seconds) -> Figure:
    """Relay `calls` two-party calls in one engine for so long."""
    ports = (_ENGINE_PORTS, _ENGINE_PORTS + 4 * calls + 200)
    media = Media(MediaSettings(_HOST, ports=ports, backend=backend))
    await media.start()
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load_rtp",
        str(2 * calls),
        str(_PHONE_PORTS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        limit=1 << 24,
    )
    assert load.stdin is not None and load.stdout is not None
    phones = json.loads(await load.stdout.readline())
    legs = [_leg(media, port) for port in phones]
    for one, other in zip(legs[::2], legs[1::2], strict=True):
        one.hear(other)
        other.hear(one)
    await legs[-1].stats()
    engine = psutil.Process(media.pids[0])
    before = engine.cpu_times()
    order = {"targets": [(_HOST, leg.port) for leg in legs], "seconds": seconds}
    load.stdin.write(json.dumps(order).encode() + b"\n")
    outcome = Outcome(**json.loads(await load.stdout.readline()))
    after = engine.cpu_times()
    await load.wait()
    running = media.backend
    await media.stop()
    user, kernel = after.user - before.user, after.system - before.system
    return Figure(running, calls, user, kernel, seconds, outcome)


def _leg(media: Media, phone: int) -> MediaLeg:
    leg = media.open(lambda event: None)
    leg.connect(Stream((_HOST, phone)))
    return leg


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--backend", choices=("io_uring", "epoll"))
    chosen = parser.parse_args()
    names: tuple[BackendName, ...] = ("io_uring", "epoll")
    for name in names if chosen.backend is None else (chosen.backend,):
        print(asyncio.run(measure(name, chosen.calls, chosen.seconds)))


if __name__ == "__main__":
    main()
