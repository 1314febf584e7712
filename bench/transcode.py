"""Figure: calls between PCMU and G.722, both ways.

    python -m bench.transcode [--quick] [--json]

Microseconds of one core for each leg and 20 ms frame, and how many such calls a core would take.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.types import Seconds


async def measure(calls: int, seconds: Seconds) -> rig.Figures:
    async with rig.engine(2 * calls) as media, rig.crowd(2 * calls, 0, 9) as phones:
        legs = rig.opened(media, phones, ("PCMU", "G722"))
        for one, other in zip(legs[::2], legs[1::2], strict=True):
            one.hear(other)
            other.hear(one)
        await legs[-1].stats()
        await rig.settle()
        reading = await phones.run(media.pids[0], rig.hosts(legs), seconds)
        (engine,) = await media.stats()
    told = rig.sound_figures(reading)
    return {
        "calls": calls,
        **told,
        "late_ticks": engine.late_ticks,
        "calls_on_a_core": calls / reading.load,
    }


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(measure(100, 1.0) if quick else measure(300, 8.0))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
