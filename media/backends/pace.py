"""How long to gather a batch, so that no packet is under way for much longer than was allowed.

A packet waits for the rest of its batch and then for the batch to be handled.  The busier the
engine is, the longer the second takes, and the sooner the batch must be closed.
"""

from __future__ import annotations

from media.types import Instant, Seconds

_WEIGHT = 0.05
"""Of the last turn in the estimate of how busy the engine is."""
_FREE = 0.4
"""Part of its time that an engine may be busy before it gathers for less than it may."""


class Pace:
    """Turns of one engine: from waking to waking."""

    __slots__ = ("_busy", "_load", "_woke", "gather")

    def __init__(self, gather: Seconds) -> None:
        """`gather`: the time that an idle engine may take; may be changed at any time."""
        self.gather = gather
        self._woke: Instant = 0.0
        self._busy: Seconds = 0.0
        self._load = 0.0

    def left(self, now: Instant) -> Seconds:
        """To be asked when all is handled: how much longer the batch may be gathered."""
        self._busy = now - self._woke
        return self.gather * min(1 + _FREE - self._load, 1) - self._busy

    def wake(self, now: Instant) -> None:
        """A batch is handled from now on."""
        turn = now - self._woke
        if turn > 0:
            self._load += _WEIGHT * (self._busy / turn - self._load)
        self._woke = now
