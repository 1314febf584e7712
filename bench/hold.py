"""Figure: listeners on hold, all hearing one class of music.

    python -m bench.hold [--quick] [--json]

Microseconds of one core for each listener and 20 ms frame.  How punctual the sound is, is measured
at seven tenths of a core as well.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.items import File
from media.prompts import HOLD_MUSIC
from media.types import Seconds


async def measure(listeners: int, seconds: Seconds) -> dict[str, float | int | str]:
    """So many phones that are sent music and say nothing."""
    async with rig.engine(listeners) as media, rig.crowd(listeners) as phones:
        legs = rig.opened(media, phones)
        music = media.player(File(str(HOLD_MUSIC)), loop=True, shared="hold")
        for leg in legs:
            leg.hear(music)
        told = await rig.sound_figures(media, phones, legs, seconds, sending=False)
    return {"listeners": listeners, **told}


def figures(quick: bool) -> rig.Figures:
    if quick:
        return asyncio.run(measure(300, 1.0))
    told = asyncio.run(measure(1000, 8.0))
    more = rig.scaled(1000, float(told["core_load"]))
    return told | rig.busy(more, asyncio.run(measure(more, rig.BUSY_SECONDS)))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
