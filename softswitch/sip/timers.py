"""The protocol's timer values, and the one heap that wakes everything that waits.

Knows instants and durations.  Refuses to know what it wakes, and never reads a clock.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import count

from softswitch.sip.types import Instant, Seconds

NEVER: Instant = math.inf


@dataclass(frozen=True)
class Timers:
    """RFC 3261 table 4.  Timers B, F, H, J, L and M all last 64*T1."""

    t1: Seconds = 0.5
    """Estimate of the round trip."""
    t2: Seconds = 4.0
    """Longest interval between retransmissions of anything but an INVITE request."""
    t4: Seconds = 5.0
    """How long a message may stay in the network."""

    @cached_property
    def give_up(self) -> Seconds:
        """64*T1: when an exchange that got no answer is over."""
        return 64 * self.t1


class Alarm:
    """Something that may be woken at one instant; arming it again replaces that instant.

    `due` is when it wants to ring, `queued` the earliest heap entry that points to it.
    The two differ because re-arming for later does not touch the heap: an entry that
    comes up too early is simply put back at the instant due by then.
    """

    __slots__ = ("due", "queued")

    def __init__(self) -> None:
        self.due = self.queued = NEVER

    def ring(self, now: Instant) -> None:
        """Do what was waited for.  Called once for each arming, never early."""
        raise NotImplementedError


class TimerHeap:
    """All alarms of a stack, soonest first; O(log n) to arm, nothing to disarm."""

    def __init__(self) -> None:
        self._entries: list[tuple[Instant, int, Alarm]] = []
        self._numbers = count()  # first in, first out at equal instants
        self._disarmed = 0

    def __len__(self) -> int:
        """How many alarms are armed.  O(n): for tests and overviews."""
        return len({id(alarm) for _, _, alarm in self._entries if alarm.due != NEVER})

    def arm(self, alarm: Alarm, at: Instant) -> None:
        alarm.due = at
        if at < alarm.queued:
            alarm.queued = at
            heappush(self._entries, (at, next(self._numbers), alarm))

    def disarm(self, alarm: Alarm) -> None:
        """Make sure that `alarm` does not ring.  Harmless if it was not armed."""
        if alarm.due == NEVER:
            return
        alarm.due = NEVER
        self._disarmed += 1
        if self._disarmed > 512 and 2 * self._disarmed > len(self._entries):
            self._sweep()

    def next_timeout(self) -> Instant | None:
        """When `ring` next has work to do, or None.  Amortised O(log n)."""
        entries = self._entries
        while entries:
            at, _, alarm = entries[0]
            if at == alarm.queued and alarm.due <= at:
                return at
            heappop(entries)
            if at == alarm.queued:
                alarm.queued = NEVER
                if alarm.due != NEVER:
                    self.arm(alarm, alarm.due)
        return None

    def take_due(self, now: Instant) -> Alarm | None:
        """The next alarm that is due at `now`, taken off the heap, or None."""
        at = self.next_timeout()
        if at is None or at > now:
            return None
        alarm = heappop(self._entries)[2]
        alarm.due = alarm.queued = NEVER
        return alarm

    def _sweep(self) -> None:
        """Drop what will never ring, so that long timers of ended calls cost no memory."""
        kept = [e for e in self._entries if e[2].due != NEVER and e[0] == e[2].queued]
        for _, _, alarm in self._entries:
            if alarm.due == NEVER:
                alarm.queued = NEVER
        self._entries = kept
        heapify(self._entries)
        self._disarmed = 0


class Bell(Alarm):
    """An alarm that calls something once."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self._call = call

    def ring(self, now: Instant) -> None:
        self._call()
