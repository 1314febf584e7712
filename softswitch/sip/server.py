"""The server's two machines: one request, answered once, the answer repeated on demand.

RFC 3261 §17.2, RFC 6026.  Contract: see transaction.py.
"""

from __future__ import annotations

from softswitch.sip.message import Response
from softswitch.sip.transaction import (
    ACCEPTED,
    CHALLENGES,
    COMPLETED,
    CONFIRMED,
    PROCEEDING,
    TRYING,
    ServerTransaction,
)
from softswitch.sip.types import Instant


class NonInviteServer(ServerTransaction):
    """RFC 3261 §17.2.2.  Unanswered after 64*T1 it is forgotten: so has the client by then."""

    __slots__ = ()

    def respond(self, response: Response, now: Instant) -> None:
        if self.state is not TRYING and self.state is not PROCEEDING:
            return
        self._send(response)
        if response.status < 200:
            self.state = PROCEEDING
        else:  # timer J: 64*T1 for unreliable transports, zero for reliable ones
            forgets = self.destination.reliable or self._is_first_challenge(response)
            self._complete(COMPLETED, 0.0 if forgets else self._layer.timers.give_up, now)


class InviteServer(ServerTransaction):
    """RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §8.5."""

    __slots__ = ("_give_up", "_interval")

    def respond(self, response: Response, now: Instant) -> None:
        if self.state is not PROCEEDING:
            return
        self._send(response)
        if response.status < 200:
            return
        timers = self._layer.timers
        self._give_up = now + timers.give_up
        if response.status < 300:  # timer L; repeating the 2xx is the owner's affair
            self._complete(ACCEPTED, timers.give_up, now)
        elif self._is_first_challenge(response):
            self._complete(COMPLETED, 0.0, now)
        else:
            self._interval = timers.t1
            sent_once = self.destination.reliable or response.status in CHALLENGES
            self._complete(COMPLETED, timers.give_up if sent_once else timers.t1, now)

    def receive_ack(self, now: Instant) -> bool:
        """Whether the ACK is the transaction's own; one for a 2xx is not."""
        if self.state is COMPLETED:
            self.state = CONFIRMED
            if self.destination.reliable:
                self._terminate()
            else:  # timer I absorbs ACKs that come again
                self._layer.heap.arm(self, now + self._layer.timers.t4)
        return self.state is not ACCEPTED

    def ring(self, now: Instant) -> None:
        """Timer G repeats the refusal until timer H gives up; L and I just end."""
        if self.state is not COMPLETED or now >= self._give_up:
            self._terminate()
            return
        self.resend()
        self._interval = min(2 * self._interval, self._layer.timers.t2)
        self._layer.heap.arm(self, min(now + self._interval, self._give_up))
