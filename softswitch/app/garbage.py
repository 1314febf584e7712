"""When the collector of cycles runs: in quiet moments, since it holds up everything else.

What a call made is freed by reference counts, without the collector (`Leg.part`,
`Session._release`).  It finds cycles by walking through everything that is alive, which with
thousands of calls takes as long as a caller waits for ringing; so it does not run by itself.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import structlog

from softswitch.sip.types import Seconds

log = structlog.get_logger("app")

LOOK_EVERY: Seconds = 10.0
SOME = 20_000
"""Objects that came since the last time, those that went taken off: worth a look when it is
quiet."""
MANY = 5_000_000
"""So many that it has to be now: some 500 MB."""


def settle() -> None:
    """What was built lives as long as the process: the collector need never look at it again."""
    gc.collect()
    gc.freeze()
    gc.disable()


async def collect_when_quiet(calls: Callable[[], int]) -> None:
    """Collect while no calls go on, or when it must be."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        collect_if_due(calls())


def collect_if_due(calls: int) -> bool:
    """Whether there was reason to collect."""
    grown = gc.get_count()[0]
    due = grown >= MANY or (grown >= SOME and not calls)
    if due:
        found = gc.collect()
        log.debug("garbage collected", objects=grown, in_cycles=found)
    return due
