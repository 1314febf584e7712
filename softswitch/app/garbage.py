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
QUIET = 100.0
"""SIP messages a second that may have to wait for it; none may be of a call."""
MANY = 5_000_000
"""So many that it has to be now: some 500 MB."""


def settle() -> None:
    """What was built lives as long as the process: the collector need never look at it again."""
    gc.collect()
    gc.freeze()
    gc.disable()


async def collect_when_quiet(calls: Callable[[], int], messages: Callable[[], int]) -> None:
    """Collect while nobody would notice, or when it must be.

    `calls` that go on, and all `messages` that came so far.
    """
    before = messages()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        came, before = messages() - before, messages()
        collect_if_due(quiet=not calls() and came < QUIET * LOOK_EVERY)


def collect_if_due(*, quiet: bool) -> bool:
    """Whether there was reason to collect."""
    grown = gc.get_count()[0]
    due = grown >= MANY or (grown >= SOME and quiet)
    if due:
        found = gc.collect()
        log.debug("garbage collected", objects=grown, in_cycles=found)
    return due
