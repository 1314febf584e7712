"""The engine's time: epoch seconds that never go back, whatever is done to the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from acd.types import Instant


class Clock:
    """Starts with the wall clock, goes with the monotonic one; `not_before` outlives restarts."""

    def __init__(
        self, monotonic: Callable[[], float], wall: Callable[[], float] = time.time
    ) -> None:
        self._monotonic = monotonic
        self._ahead = wall() - monotonic()

    def __call__(self) -> Instant:
        return self._monotonic() + self._ahead

    def not_before(self, instant: Instant) -> None:
        """The last run saw `instant` already: go on from there, though the wall clock lags."""
        self._ahead = max(self._ahead, instant - self._monotonic())

    def monotonic(self, instant: Instant) -> float:
        """`instant` as the event loop counts."""
        return instant - self._ahead
