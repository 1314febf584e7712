"""A 2xx to an INVITE, repeated until its ACK comes (RFC 3261 §13.3.1.4).

Knows the schedule.  Refuses to know what the ACK carries and what its absence means.
"""

from __future__ import annotations

from collections.abc import Callable

from softswitch.sip.timers import NEVER, Alarm, TimerHeap, Timers
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Instant


class Acceptance(Alarm):
    """Repeats at T1, doubling up to T2, over streams too; `on_silence` after 64*T1.

    `number` is the CSeq number that the ACK will have; `awaits_answer` tells that the
    2xx carried our offer, so that the ACK must carry the answer.
    """

    __slots__ = (
        "_give_up",
        "_heap",
        "_interval",
        "_on_silence",
        "_timers",
        "_tx",
        "awaits_answer",
        "number",
    )

    def __init__(
        self,
        tx: ServerTransaction,
        number: int,
        timers: Timers,
        heap: TimerHeap,
        on_silence: Callable[[], None],
        now: Instant,
        *,
        awaits_answer: bool,
    ) -> None:
        self.due = self.queued = NEVER
        self._tx, self.number, self._timers, self._heap = tx, number, timers, heap
        self._on_silence, self.awaits_answer = on_silence, awaits_answer
        self._interval, self._give_up = timers.t1, now + timers.give_up
        heap.arm(self, now + timers.t1)

    def stop(self) -> None:
        """The ACK came, or nobody cares any more."""
        self._heap.disarm(self)

    def ring(self, now: Instant) -> None:
        if now >= self._give_up:
            self._on_silence()
            return
        self._tx.resend()
        self._interval = min(2 * self._interval, self._timers.t2)
        self._heap.arm(self, min(now + self._interval, self._give_up))
