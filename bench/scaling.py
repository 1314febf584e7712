"""Figure: how the cost of sound grows with the number of calls, members and listeners.

    python -m bench.scaling [--quick] [--json]

Microseconds of one core for each packet or frame at 1×, 10× and 100×; the fewer they are, the more
the engine's turns cost each of them.
"""

from __future__ import annotations

import asyncio

from bench import hold, relay, rig, rooms

TIMES = (1, 10, 100)
CALLS, MEMBERS, LISTENERS = 6, 10, 10


async def _measure(seconds: float) -> rig.Figures:
    found: dict[str, float | int | str] = {}
    for times in TIMES:
        calls, members, listeners = times * CALLS, times * MEMBERS, times * LISTENERS
        reading = await relay.ours("auto", calls, seconds)
        room = await rooms.measure(1, members, seconds)
        held = await hold.measure(listeners, seconds)
        found |= {
            f"relay_us_per_packet_at_{calls}_calls": reading.per(reading.outcome.received),
            f"room_us_per_frame_at_{members}_members": room["us_per_frame"],
            f"hold_us_per_frame_at_{listeners}_listeners": held["us_per_frame"],
        }
    return found


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(_measure(0.6 if quick else 5.0))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
