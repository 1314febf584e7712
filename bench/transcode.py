"""Figure: calls between PCMU and G.722, both ways.

    python -m bench.transcode [--quick] [--json]

Microseconds of one core for each leg and 20 ms frame, and how many such calls a core would take.
How punctual the sound is, is measured at seven tenths of a core as well.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.types import Seconds


async def measure(calls: int, seconds: Seconds) -> dict[str, float | int | str]:
    async with rig.engine(2 * calls) as media, rig.crowd(2 * calls, 0, 9) as phones:
        legs = rig.opened(media, phones, ("PCMU", "G722"))
        for one, other in zip(legs[::2], legs[1::2], strict=True):
            one.hear(other)
            other.hear(one)
        told = await rig.sound_figures(media, phones, legs, seconds)
    return {"calls": calls, **told, "calls_on_a_core": calls / float(told["load"])}


def figures(quick: bool) -> rig.Figures:
    if quick:
        return asyncio.run(measure(100, 1.0))
    told = asyncio.run(measure(300, 8.0))
    more = rig.scaled(300, float(told["core_load"]))
    return told | rig.busy(more, asyncio.run(measure(more, rig.BUSY_SECONDS)))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
