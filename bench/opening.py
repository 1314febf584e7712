"""Figure: how long it takes to open a leg, until a change of whom it hears is heard, and what
those who talk notice of a thousand others that come or go at once.

    python -m bench.opening [--quick] [--json]

Opening is what the switch's own loop is held up for.  A change is heard when the first packet
with the marker bit comes (RFC 3551 §4.1), measured from the command's call; the engine ticks
every 20 ms.  Times of packets are the kernel's.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import struct
import time
from collections.abc import Callable
from itertools import pairwise

from bench import rig
from bench.load_rtp import HOST
from media.client import Media, MediaLeg
from media.items import Tone
from media.stream import Stream
from media.types import TICK, Seconds

_MARKER = 0x80
_SO_TIMESTAMPNS = 35
_CONTROL = 64


class Ear:
    """A phone that notes when each packet came."""

    def __init__(self, media: Media) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self.leg = media.open(lambda event: None)
        self.leg.connect(Stream(self._socket.getsockname()))

    async def came(self, first: int = 0) -> float:
        """Wall-clock time of the next packet; with `first` of the next that bears that bit."""
        while True:
            found = self._read()
            if found is None:
                await asyncio.sleep(0.001)
            elif not first or found[1] & first:
                return found[0]

    def so_far(self) -> list[float]:
        """Of all packets that came and were not read yet."""
        return [found[0] for found in iter(self._read, None)]

    def _read(self) -> tuple[float, int] | None:
        try:
            data, control, _, _ = self._socket.recvmsg(2048, _CONTROL)
        except BlockingIOError:
            return None
        seconds, nanoseconds = struct.unpack("qq", control[0][2])
        return seconds + nanoseconds * 1e-9, data[1]

    def close(self) -> None:
        self.leg.close()
        self._socket.close()


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
    tones = [media.player(Tone(name), loop=True) for name in ("dial", "busy")]
    taken = []
    ear = Ear(media)
    for number in range(changes):
        begun = time.time()
        ear.leg.hear(tones[number % 2])
        taken.append(await ear.came(_MARKER) - begun)
        await asyncio.sleep(0.05 + 0.003 * (number % 7))
    ear.close()
    return taken


async def crowd_in(media: Media, count: int) -> tuple[Seconds, Seconds]:
    """By how much more than a tick two packets of who listens to a tone were apart, at most:
    while so many legs were opened and given a tone in one turn, and while they were closed."""
    tone = media.player(Tone("dial"), loop=True)
    ear = Ear(media)
    ear.leg.hear(tone)
    await ear.came()
    legs: list[MediaLeg] = []

    def enter() -> None:
        for _ in range(count):
            leg = media.open(lambda event: None)
            leg.connect(Stream((HOST, 9)))
            leg.hear(tone)
            legs.append(leg)

    def leave() -> None:
        for leg in legs:
            leg.close()

    gaps = [await _longest_gap(media, ear, change) for change in (enter, leave)]
    ear.close()
    return gaps[0] - TICK, gaps[1] - TICK


async def _longest_gap(media: Media, ear: Ear, change: Callable[[], None]) -> Seconds:
    ear.so_far()
    await asyncio.sleep(0.2)
    change()
    await media.stats()
    await asyncio.sleep(0.3)
    came = ear.so_far()
    return max(later - one for one, later in pairwise(came))


async def _measure(legs: int, changes: int, at_once: int) -> rig.Figures:
    async with rig.engine(legs + 2) as media:
        openings = sorted(await open_legs(media, legs))
        heard = sorted(await hear_changes(media, changes))
        entering, leaving = await crowd_in(media, at_once)
    return {
        "opening_median_us": 1e6 * statistics.median(openings),
        "opening_p99_us": 1e6 * openings[int(len(openings) * 0.99)],
        "change_median_ms": 1e3 * statistics.median(heard),
        "change_longest_ms": 1e3 * heard[-1],
        "legs_at_once": at_once,
        "entering_at_once_gap_ms": 1e3 * entering,
        "leaving_at_once_gap_ms": 1e3 * leaving,
    }


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(_measure(500, 15, 300) if quick else _measure(2000, 150, 1000))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
