"""Figure: relayed, mixed and held sound by Asterisk, beside ours in the same run.

    python -m bench.asterisk [--quick] [--json]

Both are given the same crowd on the same core: two-party calls in one codec, rooms of ten in which
all talk, and listeners of one class of music.  A conference holds as many as hear all they should,
in steps of fifty: no frame in ten thousand missing, one in a hundred 5 ms early or late at most.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import hold, relay, rig, rooms
from bench.cores import MEASURED
from bench.peers import asterisk_sound
from bench.peers.b2buas import has_asterisk
from media.types import Seconds

_ROOM = 10
_STEP, _MOST = 50, 1500
_LOSS, _APART = 1e-4, 0.005


async def theirs(kind: str, phones: int, seconds: Seconds) -> rig.Reading:
    """Asterisk under this load, from its start on."""
    with tempfile.TemporaryDirectory() as name:
        async with rig.crowd(phones) as crowd:
            with asterisk_sound.running(Path(name) / "asterisk") as line:
                where = crowd.addresses
                if kind == "relay":
                    pairs = zip(where[::2], where[1::2], strict=True)
                    found = [line.call(f"call{n}", *pair) for n, pair in enumerate(pairs)]
                elif kind == "rooms":
                    found = [line.call(f"room{n // _ROOM}", one) for n, one in enumerate(where)]
                else:
                    found = [line.call(asterisk_sound.HOLD, one) for one in where]
                targets = [address for call in found for address in call]
                rig.place(line.pid, MEASURED)  # the threads of the calls too
                await rig.settle()
                return await crowd.run(line.pid, targets, seconds, kind != "hold")


def suffers(reading: rig.Reading, phones: int) -> bool:
    """Whether frames are missing, or come too irregularly."""
    seen, wanted = reading.outcome, phones * 50 * reading.seconds
    missing = 1 - seen.received / wanted
    return max(missing, seen.loss) > _LOSS + 1 / wanted or seen.spacing_p99 > _APART


async def limit(load: Callable[[int], Awaitable[rig.Reading]], first: int) -> int:
    """The most phones that the load bears, each step tried twice; 0 if not even the first."""
    held = 0
    for phones in range(first, _MOST + 1, _STEP):
        if suffers(await load(phones), phones) and suffers(await load(phones), phones):
            break
        held = phones
    return held


async def _measure(phones: int, seconds: Seconds) -> rig.Figures:
    found: dict[str, float | int | str] = {"phones": phones}
    for kind in ("relay", "rooms", "hold"):
        their = await theirs(kind, phones, seconds)
        found[f"asterisk_{kind}_us_per_frame"] = their.per(their.outcome.received)
        found[f"asterisk_{kind}_spacing_p999_ms"] = 1e3 * their.outcome.spacing_p999
    our = await relay.ours("auto", phones // 2, seconds)
    found["switch_relay_us_per_frame"] = our.per(our.outcome.received)
    mixed = await rooms.measure(phones // _ROOM, _ROOM, seconds)
    held = await hold.measure(phones, seconds)
    for kind, told in (("rooms", mixed), ("hold", held)):
        found[f"switch_{kind}_us_per_frame"] = told["us_per_frame"]
        found[f"switch_{kind}_spacing_p999_ms"] = told["spacing_p999_ms"]
    return found


async def _limits(first: int, seconds: Seconds) -> rig.Figures:
    most = await limit(lambda phones: theirs("rooms", phones, seconds), first)
    wanted = 5 * most
    told = await rooms.measure(max(wanted // _ROOM, 1), _ROOM, seconds)
    return {
        "asterisk_most_members": most,
        "switch_members": wanted,
        "switch_members_load": told["load"],
        "switch_members_lost": told["lost"],
        "switch_members_spacing_p999_ms": told["spacing_p999_ms"],
    }


def figures(quick: bool) -> rig.Figures:
    if not has_asterisk():
        return {"asterisk": "is absent; make peers installs it where the distribution has it"}
    if quick:
        return asyncio.run(_measure(100, 1.0))
    return {**asyncio.run(_measure(300, 6.0)), **asyncio.run(_limits(100, 4.0))}


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
