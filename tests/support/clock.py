"""A clock that is set by hand."""

from __future__ import annotations

from softswitch.sip.types import Instant, Seconds


class Clock:
    """Stands still until it is moved; calling it tells the time."""

    def __init__(self, now: Instant = 0.0) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return self.now

    def advance(self, seconds: Seconds) -> None:
        self.now += seconds
