"""A long run of relayed calls and conferences in one engine: does anything get lost or grow?

    python -m bench.media_soak [--minutes N] [--calls N] [--mixed N] [--quick] [--json]

Between two spans of load some calls are ended and others begun, a player is made, and the
figures of the engine process are taken.  The first span does not count towards growth.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence

import psutil

from bench import rig
from media.client import Media, MediaLeg
from media.items import Tone
from media.types import Seconds

_SPAN: Seconds = 10.0
_RENEWED = 20
"""Calls that end and begin anew between two spans."""
_ROOM = 10


class Soak:
    """The legs of one run: first those of calls, then those of rooms."""

    def __init__(self, media: Media, phones: rig.Phones, calls: int) -> None:
        self._media, self._phones, self._calls = media, phones, calls
        self.legs = rig.opened(media, phones)
        for call in range(calls):
            self._bridge(call)
        mixed = self.legs[2 * calls :]
        for first in range(0, len(mixed), _ROOM):
            self._gather(mixed[first : first + _ROOM])

    def _bridge(self, call: int) -> None:
        one, other = self.legs[2 * call : 2 * call + 2]
        one.hear(other)
        other.hear(one)

    def _gather(self, members: Sequence[MediaLeg]) -> None:
        room = self._media.room()
        for leg in members:
            room.add(leg)
            leg.hear(room)

    def renew(self, first: int) -> None:
        """End some calls and begin as many, after a moment of ringing."""
        tone = self._media.player(Tone("ringback"))
        for call in range(first, min(first + _RENEWED, self._calls)):
            for side in (2 * call, 2 * call + 1):
                self.legs[side].close()
                (self.legs[side],) = rig.opened(self._media, self._phones, only=[side])
                self.legs[side].hear(tone)
            self._bridge(call)
        tone.close()


async def measure(calls: int, mixed: int, minutes: float) -> dict[str, float]:
    """Losses and growth over so long."""
    count = 2 * calls + mixed
    spans = max(round(minutes * 60 / _SPAN), 2)
    async with rig.engine(count + 4 * _RENEWED) as media, rig.crowd(count) as phones:
        soak = Soak(media, phones, calls)
        process = psutil.Process(media.pids[0])
        readings, sizes, descriptors = [], [], []
        for span in range(spans):
            await media.stats()
            await rig.settle()
            readings.append(await phones.run(process.pid, rig.hosts(soak.legs), _SPAN))
            sizes.append(process.memory_info().rss)
            descriptors.append(process.num_fds())
            soak.renew(span * _RENEWED % max(calls, 1))
        (engine,) = await media.stats()
    seen = [reading.outcome for reading in readings]
    return {
        "calls": calls,
        "mixed_legs": mixed,
        "minutes": spans * _SPAN / 60,
        "load": sum(reading.load for reading in readings) / spans,
        "packets": sum(outcome.received for outcome in seen),
        "lost": sum(outcome.lost for outcome in seen),
        "spacing_p999_ms": 1e3 * max(outcome.spacing_p999 for outcome in seen),
        "late_ticks": engine.late_ticks,
        "skipped_frames": engine.skipped_frames,
        "grown_megabytes": (sizes[-1] - sizes[0]) / 1e6,
        "grown_descriptors": descriptors[-1] - descriptors[0],
        "crowd_late_ms": sum(outcome.late_slots for outcome in seen),
    }


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(measure(100, 100, 0.4) if quick else measure(300, 300, 10))


def main() -> None:
    parser = argparse.ArgumentParser(description="A long run of relayed calls and conferences.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--mixed", type=int, default=300)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.quick:
        found = figures(True)
    else:
        found = asyncio.run(measure(given.calls, given.mixed, given.minutes))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
