"""Figure: conferences where all talk: one large room, and many small ones.

    python -m bench.rooms [--quick] [--json]

Microseconds of one core for each participant and 20 ms frame: to receive, decode, buffer, mix
without oneself, encode and send.  How punctual the sound is, is measured at seven tenths of a core
as well.
"""

from __future__ import annotations

import asyncio

from bench import rig
from media.types import Seconds


async def measure(rooms: int, members: int, seconds: Seconds) -> dict[str, float | int | str]:
    """So many rooms of so many, all of whom talk all the time."""
    count = rooms * members
    async with rig.engine(count) as media, rig.crowd(count) as phones:
        legs = rig.opened(media, phones)
        for first in range(0, count, members):
            room = media.room()
            for leg in legs[first : first + members]:
                room.add(leg)
                leg.hear(room)
        return await rig.sound_figures(media, phones, legs, seconds)


def grown(shape: tuple[int, int], load: float) -> tuple[int, int]:
    """The same kind of rooms, so many that they fill the core: more rooms, or a larger one."""
    rooms, members = shape
    if rooms == 1:
        return 1, rig.scaled(members, load)
    return rig.scaled(rooms, load), members


def figures(quick: bool) -> rig.Figures:
    """One room of 1000 and 100 of 10, and as many as fill the core to seven tenths; a third when
    quick."""
    large, small, seconds = (300, 30, 1.0) if quick else (1000, 100, 8.0)
    found: dict[str, float | int | str] = {}
    for name, shape in (("one_room", (1, large)), ("rooms_of_10", (small, 10))):
        told = asyncio.run(measure(*shape, seconds))
        found |= {f"{name}_legs": shape[0] * shape[1]}
        found |= {f"{name}_{key}": value for key, value in told.items()}
        if not quick:
            more = grown(shape, float(told["core_load"]))
            punctual = asyncio.run(measure(*more, rig.BUSY_SECONDS))
            punctual = rig.busy(more[0] * more[1], punctual)
            found |= {f"{name}_{key}": value for key, value in punctual.items()}
    return found


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
