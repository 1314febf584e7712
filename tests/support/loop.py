"""An event loop whose time jumps: nothing waits, and a minute passes in no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from softswitch.sip.types import Instant, Seconds

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """When there is nothing to do now, it is at once the time of the next timer."""

    def __init__(self) -> None:
        self._now: Instant = 1000.0
        super().__init__(_Jumping(self))

    def time(self) -> Instant:
        return self._now

    def jump(self, seconds: Seconds) -> None:
        self._now += seconds


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self._loop.jump(timeout)
        return ready


def live(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)


async def pass_time(seconds: Seconds) -> None:
    """Let that much time pass."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    timer = loop.call_later(seconds, done.set_result, None)
    try:
        await done
    finally:
        timer.cancel()
