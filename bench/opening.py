"""Figure: how long it takes to open a leg, and until a change of whom it hears is heard.

    python -m bench.opening [--quick] [--json]

Opening is what the switch's own loop is held up for.  A change is heard when the first packet
with the marker bit comes (RFC 3551 §4.1), measured from the command's call; the engine ticks
every 20 ms.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time

from bench import rig
from bench.load_rtp import HOST
from media.client import Media
from media.items import Tone
from media.stream import Stream
from media.types import Seconds

_MARKER = 0x80


async def open_legs(media: Media, count: int) -> list[Seconds]:
    """Time of each opening; the legs are closed again."""
    taken, legs = [], []
    for _ in range(count):
        begun = time.perf_counter()
        legs.append(media.open(lambda event: None))
        taken.append(time.perf_counter() - begun)
    for leg in legs:
        leg.close()
    await media.stats()
    return taken


async def hear_changes(media: Media, changes: int) -> list[Seconds]:
    """Time of each change between two tones until its first packet."""
    loop = asyncio.get_running_loop()
    tones = [media.player(Tone(name), loop=True) for name in ("dial", "busy")]
    taken = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, 0))
        phone.setblocking(False)
        leg = media.open(lambda event: None)
        leg.connect(Stream(phone.getsockname()))
        for number in range(changes):
            begun = time.perf_counter()
            leg.hear(tones[number % 2])
            while not (await loop.sock_recv(phone, 2048))[1] & _MARKER:
                pass
            taken.append(time.perf_counter() - begun)
            await asyncio.sleep(0.05 + 0.003 * (number % 7))
        leg.close()
    return taken


async def _measure(legs: int, changes: int) -> rig.Figures:
    async with rig.engine(legs + 1) as media:
        openings = sorted(await open_legs(media, legs))
        heard = sorted(await hear_changes(media, changes))
    return {
        "opening_median_us": 1e6 * statistics.median(openings),
        "opening_p99_us": 1e6 * openings[int(len(openings) * 0.99)],
        "change_median_ms": 1e3 * statistics.median(heard),
        "change_longest_ms": 1e3 * heard[-1],
    }


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(_measure(500, 15) if quick else _measure(2000, 150))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
