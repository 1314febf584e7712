"""Figure: relayed calls that are all recorded in stereo.

    python -m bench.recording [--quick] [--json]

Microseconds of one core for each relayed packet, decoding and writing included.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench import rig
from media.types import Seconds


async def measure(calls: int, seconds: Seconds, folder: Path) -> dict[str, float]:
    async with rig.engine(2 * calls) as media, rig.crowd(2 * calls) as phones:
        legs = rig.opened(media, phones)
        recorders = []
        for number, (one, other) in enumerate(zip(legs[::2], legs[1::2], strict=True)):
            one.hear(other)
            other.hear(one)
            recorders.append(media.record(str(folder / f"{number}.wav"), one, other))
        await legs[-1].stats()
        await rig.settle()
        reading = await phones.run(media.pids[0], rig.hosts(legs), seconds)
        for recorder in recorders:
            recorder.stop()
        (engine,) = await media.stats()
    seen = reading.outcome
    return {
        "us_per_packet": reading.per(seen.received),
        "load": reading.load,
        "loss": seen.loss,
        "delay_p99_ms": 1e3 * seen.delay_p99,
        "late_ticks": engine.late_ticks,
    }


def figures(quick: bool) -> rig.Figures:
    with tempfile.TemporaryDirectory() as folder:
        calls, seconds = (100, 1.0) if quick else (300, 8.0)
        found = asyncio.run(measure(calls, seconds, Path(folder)))
        octets = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {"calls": calls, **found, "megabytes": octets / 1e6}


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
