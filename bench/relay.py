"""Figure: CPU per relayed packet, loss and added delay, beside rtpengine in the same run.

    python -m bench.relay [--quick] [--json]

*r* is rtpengine's CPU per packet in userspace, under the same load on the same core.  Each is
measured in turn, several times, and the medians are told: a machine that others use is not
equally fast from one minute to the next.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence

from bench import rig
from bench.cores import MEASURED
from bench.peers import rtpengine
from media.settings import BackendName
from media.types import Seconds

_CONTROL = 11222
BACKENDS: tuple[BackendName, ...] = ("io_uring", "epoll")


async def ours(backend: BackendName, calls: int, seconds: Seconds) -> rig.Reading:
    """Relay so many two-party calls in one engine."""
    async with rig.engine(2 * calls, backend) as media, rig.crowd(2 * calls) as phones:
        legs = rig.opened(media, phones)
        for one, other in zip(legs[::2], legs[1::2], strict=True):
            one.hear(other)
            other.hear(one)
        await legs[-1].stats()
        await rig.settle()
        return await phones.run(media.pids[0], rig.hosts(legs), seconds)


async def theirs(calls: int, seconds: Seconds) -> rig.Reading:
    """The same by rtpengine, with one thread, which costs it least on one core."""
    first = rig.free_ports(6 * calls + 100)
    ports = first, first + 6 * calls + 99
    async with rig.crowd(2 * calls) as phones:
        with rtpengine.running(_CONTROL, ports, MEASURED) as peer:
            rig.place(peer.pid, MEASURED)
            pairs = zip(phones.addresses[::2], phones.addresses[1::2], strict=True)
            answers = [peer.call(number, *pair) for number, pair in enumerate(pairs)]
            targets = [address for answer in answers for address in answer]
            await rig.settle()
            return await phones.run(peer.pid, targets, seconds)


def told(readings: Sequence[rig.Reading]) -> dict[str, float]:
    """Medians of what matters."""

    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    seen = [reading.outcome for reading in readings]
    return {
        "us_per_packet": median([r.per(r.outcome.received) for r in readings]),
        "user_us_per_packet": median([1e6 * r.user / r.outcome.received for r in readings]),
        "load": median([r.load for r in readings]),
        "loss": median([o.loss for o in seen]),
        "delay_median_ms": median([1e3 * o.delay_median for o in seen]),
        "delay_p99_ms": median([1e3 * o.delay_p99 for o in seen]),
        "delay_p999_ms": median([1e3 * o.delay_p999 for o in seen]),
        "jitter_median_ms": median([1e3 * o.spacing_median for o in seen]),
        "jitter_p99_ms": median([1e3 * o.spacing_p99 for o in seen]),
        "jitter_p999_ms": median([1e3 * o.spacing_p999 for o in seen]),
        "crowd_late_ms": median([o.late_slots for o in seen]),
    }


async def _measure(calls: int, seconds: Seconds, rounds: int) -> rig.Figures:
    readings: dict[str, list[rig.Reading]] = {}
    for _ in range(rounds):
        if rtpengine.installed():
            readings.setdefault("rtpengine", []).append(await theirs(calls, seconds))
        for backend in BACKENDS:
            readings.setdefault(backend, []).append(await ours(backend, calls, seconds))
    found: dict[str, float | int | str] = {"calls": calls}
    for name, taken in readings.items():
        found |= {f"{name}_{key}": value for key, value in told(taken).items()}
    if "rtpengine" in readings:
        for backend in BACKENDS:
            ratios = [
                one.per(one.outcome.received) / peer.per(peer.outcome.received)
                for one, peer in zip(readings[backend], readings["rtpengine"], strict=True)
            ]
            found[f"{backend}_of_r"] = statistics.median(ratios)
    else:
        found["rtpengine"] = "is not installed: apt-get install rtpengine-daemon"
    return found


def figures(quick: bool) -> rig.Figures:
    """600 calls; medians of five rounds, or one short round."""
    return asyncio.run(_measure(600, 1.0, 1) if quick else _measure(600, 6.0, 5))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
