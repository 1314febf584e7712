"""Figure: conferences where all talk: one large room, and many small ones.

    python -m bench.rooms [--quick] [--json]

Microseconds of one core for each participant and 20 ms frame: to receive, decode, buffer, mix
without oneself, encode and send.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.types import Seconds


async def measure(rooms: int, members: int, seconds: Seconds) -> dict[str, float]:
    """So many rooms of so many, all of whom talk all the time."""
    count = rooms * members
    async with rig.engine(count) as media, rig.crowd(count) as phones:
        legs = rig.opened(media, phones)
        for first in range(0, count, members):
            room = media.room()
            for leg in legs[first : first + members]:
                room.add(leg)
                leg.hear(room)
        await legs[-1].stats()
        await rig.settle()
        reading = await phones.run(media.pids[0], rig.hosts(legs), seconds)
        (engine,) = await media.stats()
    return rig.sound_figures(reading) | {"late_ticks": engine.late_ticks}


def figures(quick: bool) -> rig.Figures:
    """One room of 1000 and 100 of 10; a third of that when quick."""
    large, small, seconds = (300, 30, 1.0) if quick else (1000, 100, 8.0)
    found: dict[str, float | int | str] = {}
    for name, shape in (("one_room", (1, large)), ("rooms_of_10", (small, 10))):
        told = asyncio.run(measure(*shape, seconds))
        found |= {f"{name}_legs": shape[0] * shape[1]}
        found |= {f"{name}_{key}": value for key, value in told.items()}
    return found


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
