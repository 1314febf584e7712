"""Figure: how many calls can be relayed on one core before sound suffers, beside rtpengine.

    python -m bench.limits [--quick] [--json]

Sound suffers when one packet in ten thousand is lost, or one in a hundred is delayed by more than
3 ms.  Calls are added by the hundred; a step that fails is tried once more, since others use the
machine too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from bench import relay, rig
from bench.peers import rtpengine
from media.types import Seconds

LOSS, DELAY = 1e-4, 0.003
_STEP, _MOST = 100, 2400


def suffers(reading: rig.Reading) -> bool:
    seen = reading.outcome
    return seen.loss > LOSS or seen.delay_p99 > DELAY


async def limit(relayed: Callable[[int], Awaitable[rig.Reading]], first: int) -> int:
    """The most calls, in steps of a hundred from `first` on, under which sound does not suffer;
    0 if it does under the first."""
    held = 0
    for calls in range(first, _MOST + 1, _STEP):
        if suffers(await relayed(calls)) and suffers(await relayed(calls)):
            break
        held = calls
    return held


async def _measure(first: int, seconds: Seconds) -> rig.Figures:
    found: dict[str, float | int | str] = {}
    for backend in relay.BACKENDS:
        found[f"{backend}_most_calls"] = await limit(
            partial(relay.ours, backend, seconds=seconds), first
        )
    if rtpengine.installed():
        theirs = found["rtpengine_most_calls"] = await limit(
            partial(relay.theirs, seconds=seconds), first
        )
        for backend in relay.BACKENDS:
            found[f"{backend}_most_calls_of_rtpengine"] = float(
                found[f"{backend}_most_calls"]
            ) / max(theirs, 1)
    return found


def figures(quick: bool) -> rig.Figures:
    return asyncio.run(_measure(600, 1.5) if quick else _measure(500, 4.0))


if __name__ == "__main__":
    rig.report(figures, __doc__ or "")
