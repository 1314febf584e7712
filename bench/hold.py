"""Figure: listeners on hold, all hearing one class of music.

    python -m bench.hold [--quick] [--json]

Microseconds of one core for each listener and 20 ms frame.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.items import File
from media.prompts import HOLD_MUSIC
from media.types import Seconds


async def measure(listeners: int, seconds: Seconds) -> rig.Figures:
    """So many phones that are sent music and say nothing."""
    async with rig.engine(listeners) as media, rig.crowd(listeners) as phones:
        legs = rig.opened(media, phones)
        music = media.player(File(str(HOLD_MUSIC)), loop=True, shared="hold")
        for leg in legs:
            leg.hear(music)
        await legs[-1].stats()
        await rig.settle()
        reading = await phones.run(media.pids[0], rig.hosts(legs), seconds, sending=False)
        (engine,) = await media.stats()
    told = rig.sound_figures(reading)
    return {"listeners": listeners, **told, "late_ticks": engine.late_ticks}


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(measure(300, 1.0) if quick else measure(1000, 8.0))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
