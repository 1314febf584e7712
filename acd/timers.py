"""Every deadline of the engine in one heap, one per key; re-arming replaces.

What is due at the same instant comes in the order of its key, never of its arming, so a set of
deadlines rebuilt from a snapshot fires exactly as the original would.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TypeAlias

from acd.types import Instant


class Due:
    """What a deadline is about.  Plain numbers: they are hashed at every event."""

    OFFER, AGENT, CALL, PLACE, LEASE = range(5)


Key: TypeAlias = tuple[int, str | int]
"""(what it is about, which one): the number of an offer, a name, or nothing."""


class Timers:
    """Deadlines by key.  Arm and disarm are O(log n) and O(1); stale heap rows are dropped late."""

    __slots__ = ("_heap", "armed")

    def __init__(self) -> None:
        self.armed: dict[Key, Instant] = {}
        self._heap: list[tuple[Instant, Key]] = []

    def arm(self, key: Key, at: Instant | None) -> None:
        """Set the deadline of `key`, or with None have none."""
        if at is None:
            self.armed.pop(key, None)
        elif self.armed.get(key) != at:
            self.armed[key] = at
            heappush(self._heap, (at, key))
            if len(self._heap) > 64 + 3 * len(self.armed):
                self._heap = [(at, key) for key, at in self.armed.items()]
                heapify(self._heap)

    def next_timeout(self) -> Instant | None:
        """The earliest deadline there is."""
        while self._heap:
            at, key = self._heap[0]
            if self.armed.get(key) == at:
                return at
            heappop(self._heap)
        return None

    def any_due(self, now: Instant) -> bool:
        """False if nothing is due; True if something may be.  O(1)."""
        heap = self._heap
        return bool(heap) and heap[0][0] <= now

    def pop(self, now: Instant) -> Key | None:
        """Take the next deadline that is due, disarmed."""
        at = self.next_timeout()
        if at is None or at > now:
            return None
        _, key = heappop(self._heap)
        del self.armed[key]
        return key
