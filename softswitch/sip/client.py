"""The client's two machines: one request, repeated until it is answered or given up.

RFC 3261 §17.1, RFC 6026.  Contract: see transaction.py.
"""

from __future__ import annotations

from softswitch.sip.message import Response
from softswitch.sip.transaction import (
    ACCEPTED,
    CALLING,
    COMPLETED,
    PROCEEDING,
    TRYING,
    ClientTransaction,
    Transmit,
)
from softswitch.sip.types import Instant


class NonInviteClient(ClientTransaction):
    """RFC 3261 §17.1.2.  Its owner hears provisional responses too."""

    __slots__ = ()

    def receive(self, response: Response, now: Instant) -> None:
        if self.state is not TRYING and self.state is not PROCEEDING:
            return
        tell = self.on_response
        if response.status < 200:
            self.state = PROCEEDING
        else:  # timer K: T4 for unreliable transports, zero for reliable ones
            lasts = 0.0 if self.destination.reliable else self._layer.timers.t4
            self._linger(COMPLETED, lasts, now)
        tell(response)

    def ring(self, now: Instant) -> None:
        """Timer E repeats until timer F gives up; K just ends."""
        if self.state is COMPLETED:
            self.terminate()
        elif now >= self._give_up:
            self._fail(408)
        else:
            self._resend()
            t2 = self._layer.timers.t2  # once Proceeding, E is T2 from the start
            self._interval = t2 if self.state is PROCEEDING else min(2 * self._interval, t2)
            self._layer.heap.arm(self, min(now + self._interval, self._give_up))


class InviteClient(ClientTransaction):
    """RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §8.4; ACKs refusals itself."""

    __slots__ = ("_ack",)

    first_state = CALLING
    _ack: bytes

    def receive(self, response: Response, now: Instant) -> None:
        status, state = response.status, self.state
        if status >= 300:
            self._receive_refusal(response, now)
        elif status >= 200:
            self._receive_success(response, now)
        elif state is CALLING or state is PROCEEDING:
            self.state = PROCEEDING
            self._layer.heap.disarm(self)
            self.on_response(response)

    def _receive_success(self, response: Response, now: Instant) -> None:
        if self.state is CALLING or self.state is PROCEEDING:
            self._linger(ACCEPTED, self._layer.timers.give_up, now)  # timer M
        if self.state is ACCEPTED:
            self.on_response(response)

    def _receive_refusal(self, response: Response, now: Instant) -> None:
        if self.state is COMPLETED:
            self._layer.output.append(Transmit(self._ack, self.destination))
        elif self.state is CALLING or self.state is PROCEEDING:
            # "The ACK MUST be sent to the same address, port, and transport" (§17.1.1.2)
            to = response.headers.get("To") or self.draft.to
            via = self._layer.via(self.destination, self.branch)
            self._ack = self.draft.ack(to).wire(via)
            self._layer.output.append(Transmit(self._ack, self.destination))
            # timer D: at least 32 s for unreliable transports, zero for reliable ones
            lasts = 0.0 if self.destination.reliable else self._layer.timers.give_up
            tell = self.on_response
            self._linger(COMPLETED, lasts, now)
            tell(response)

    def ring(self, now: Instant) -> None:
        """Timer A repeats, doubling without limit, until timer B gives up; D and M just end."""
        if self.state is not CALLING:
            self.terminate()
        elif now >= self._give_up:
            self._fail(408)
        else:
            self._resend()
            self._interval *= 2
            self._layer.heap.arm(self, min(now + self._interval, self._give_up))
