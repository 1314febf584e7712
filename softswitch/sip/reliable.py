"""Reliable provisional responses (RFC 3262): numbers, repetition, acknowledgement.

Knows RSeq and RAck.  Refuses to know what a response says and when one is worth sending.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from random import Random

from softswitch.sip.message import Request, Response
from softswitch.sip.timers import NEVER, Alarm, TimerHeap, Timers
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Instant

_RACK = re.compile(r"(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\S+)", re.ASCII)


class ReliableSender(Alarm):
    """The server's half: one response at a time, the others wait for its PRACK (§3).

    Repeats at T1, doubling without limit, and calls `on_silence` after 64*T1.
    """

    __slots__ = (
        "_current",
        "_give_up",
        "_heap",
        "_interval",
        "_number",
        "_on_silence",
        "_queue",
        "_timers",
        "_tx",
    )

    def __init__(
        self,
        tx: ServerTransaction,
        timers: Timers,
        heap: TimerHeap,
        rng: Random,
        on_silence: Callable[[], None],
    ) -> None:
        self.due = self.queued = NEVER
        self._tx, self._timers, self._heap, self._on_silence = tx, timers, heap, on_silence
        # "uniformly distributed between 1 and 2**31 - 1" (§3); room is left to count on
        self._number = rng.randrange(1, 2**30)
        self._current: Response | None = None
        self._queue: deque[Response] = deque()

    @property
    def withholds_answer(self) -> bool:
        """Whether a 2xx must wait: a response with SDP is not acknowledged yet (§3)."""
        waiting = [*self._queue] if self._current is None else [self._current, *self._queue]
        return any(response.body for response in waiting)

    def send(self, response: Response, now: Instant) -> None:
        """Send `response` reliably, now or when those before it are acknowledged."""
        response.headers.add("Require", "100rel")
        if self._current is None:
            self._start(response, now)
        else:
            self._queue.append(response)

    def acknowledge(self, request: Request, invite_number: int, now: Instant) -> bool:
        """Whether this PRACK is for a response of ours; if so, the next one is sent."""
        match = _RACK.fullmatch(request.headers.get("RAck") or "")
        if match is None or match[3] != "INVITE" or int(match[2]) != invite_number:
            return False
        if int(match[1]) != self._number or self._current is None:
            return False
        self._current = None
        self._heap.disarm(self)
        if self._queue:
            self._start(self._queue.popleft(), now)
        return True

    def stop(self) -> None:
        """Repeat nothing more, since a final response was sent; a late PRACK still fits."""
        self._queue.clear()
        self._heap.disarm(self)

    def ring(self, now: Instant) -> None:
        assert self._current is not None  # else this would not be armed
        if now >= self._give_up:
            self.stop()
            self._on_silence()
            return
        self._tx.respond(self._current, now)
        self._interval *= 2
        self._heap.arm(self, min(now + self._interval, self._give_up))

    def _start(self, response: Response, now: Instant) -> None:
        self._number += 1
        response.headers.set("RSeq", str(self._number))
        self._current = response
        self._interval, self._give_up = self._timers.t1, now + self._timers.give_up
        self._tx.respond(response, now)
        self._heap.arm(self, now + self._interval)


def reliable_number(response: Response) -> int | None:
    """The RSeq of a provisional response that wants a PRACK, else None (§4)."""
    text = response.headers.get("RSeq")
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 10:
        return None
    return int(text) if "100rel" in response.require else None
