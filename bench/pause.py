"""For how long work that goes on beside an event loop keeps that from anything else."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from softswitch.store.engine_log import EngineLog

LOOK: float = 0.001
"""Seconds between two looks at the clock."""


async def longest_pause(work: Awaitable[None]) -> float:
    """Seconds by which the loop was late at most while `work` was done."""
    longest = 0.0

    async def look() -> None:
        nonlocal longest
        while True:
            before = perf_counter()
            await asyncio.sleep(LOOK)
            longest = max(longest, perf_counter() - before - LOOK)

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    await work
    looking.cancel()
    return longest


def snapshot_pause(state: Callable[[], Any]) -> float:
    """Of a snapshot of the queues, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        log = EngineLog(Path(folder))
        try:
            return asyncio.run(longest_pause(log.snapshot_aside(state)))
        finally:
            log.close()
