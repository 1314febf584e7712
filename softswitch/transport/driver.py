"""Where the user agent meets sockets and the clock: feed it, perform, re-arm.  Nothing else.

One datagram or message costs one call through here, without tasks or queues.  Knows no
socket itself: `Wires` sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.types import Address, Destination, Flow, Instant, ParseError, Target
from softswitch.sip.via import stamp
from softswitch.transport.trace import Trace

TICK = 0.001
"""Seconds; uvloop's clock is no finer, and may ring that much early."""

KEEPALIVE_OCTETS = 8
"""Datagrams as short as this are CRLF, NUL and the like, sent to keep a NAT open."""


class Transmission(Protocol):
    """What the user agent wants sent."""

    @property
    def data(self) -> bytes: ...
    @property
    def destination(self) -> Destination: ...


class Machine(Protocol):
    """The user agent as the driver sees it (see `sip.ua`)."""

    def receive(self, message: Request | Response, flow: Flow, now: Instant) -> None: ...
    def transport_failed(self, destination: Destination, now: Instant) -> None: ...
    def handle_timer(self, now: Instant) -> None: ...
    def next_timeout(self) -> Instant | None: ...
    def drain(self) -> Sequence[Transmission]: ...


class Wires(Protocol):
    """The sockets as the driver sees them (see `transports`)."""

    def send(self, data: bytes, destination: Destination) -> bool: ...
    def local(self, destination: Destination) -> Address: ...


@dataclass(slots=True)
class Counters:
    """What came and went, since the start."""

    received: int = 0
    sent: int = 0
    malformed: int = 0
    unsent: int = 0
    keepalives: int = 0
    crashes: int = 0


class Driver:
    """The one shell around the user agent.

    Whoever calls the user agent from elsewhere calls `flush` afterwards, or `wake` where
    several calls may follow in this turn of the loop.  `crashed(message, error)` hears of
    our own faults; the message is then answered with 500 and the switch goes on.
    """

    wires: Wires
    """Set before the first message."""

    def __init__(
        self,
        machine: Machine,
        trace: Trace,
        crashed: Callable[[Request | Response, Exception], None],
    ) -> None:
        self._machine, self._trace, self._crashed = machine, trace, crashed
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._failures: list[Destination] = []
        self._flushing = self._woken = False
        self.counters = Counters()

    def receive(self, data: bytes, flow: Flow) -> None:
        """Take one message: a datagram, or what was cut from a stream."""
        if len(data) <= KEEPALIVE_OCTETS:
            self.counters.keepalives += 1
            return
        self.counters.received += 1
        self._trace.record(True, flow, data)
        try:
            message = parse(data)
        except ParseError as fault:
            self.refuse(fault, flow)
            return
        try:
            self._machine.receive(message, flow, self._loop.time())
        except Exception as error:  # ours: it ends this message alone
            self._crash(message, flow, error)
        self.flush()

    def refuse(self, fault: ParseError, flow: Flow) -> None:
        """Answer what could not be read, if it can be answered, and forget it (§8.2.6)."""
        self.counters.malformed += 1
        if fault.request is not None:
            self._answer(fault.request, flow, fault.status, fault.reason)

    def failed(self, destination: Destination) -> None:
        """Nothing can be sent there any more.  UDP's errors count for flow and target."""
        self._failures.append(destination)
        if isinstance(destination, Flow) and destination.transport == "udp":
            self._failures.append(Target("udp", *destination.remote))
        self.wake()

    def wake(self) -> None:
        """Flush before the loop sleeps again."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what the user agent has to say, tell it what failed, set the timer."""
        self._woken = False
        if self._flushing:
            return
        self._flushing = True
        try:
            self._perform()
        finally:
            self._flushing = False
        at = self._machine.next_timeout()
        if at is not None and (self._timer is None or at < self._timer.when()):
            self._arm(at)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _perform(self) -> None:
        while (actions := self._machine.drain()) or self._failures:
            for action in actions:
                self._send(action.data, action.destination)
            failures, self._failures = self._failures, []
            for destination in dict.fromkeys(failures):
                self._machine.transport_failed(destination, self._loop.time())

    def _send(self, data: bytes, destination: Destination) -> None:
        if isinstance(destination, Flow):
            self._trace.record(False, destination, data)
        else:
            flow = Flow(destination.transport, self.wires.local(destination), destination[1:])
            self._trace.record(False, flow, data)
        if self.wires.send(data, destination):
            self.counters.sent += 1
        else:
            self.counters.unsent += 1
            self._failures.append(destination)

    def _arm(self, at: Instant) -> None:
        """Ring at `at`, or earlier: a machine called early does nothing and is asked again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(max(at, self._loop.time() + TICK), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._machine.handle_timer(self._loop.time())
        self.flush()

    def _crash(self, message: Request | Response, flow: Flow, error: Exception) -> None:
        self.counters.crashes += 1
        self._crashed(message, error)
        if isinstance(message, Request) and message.method != "ACK":
            self._answer(message, flow, 500, None)

    def _answer(self, request: Request, flow: Flow, status: int, reason: str | None) -> None:
        """Answer without a transaction."""
        way = stamp(request, flow, request.via)
        self._send(reply(request, status, reason).encode(), way)
        self.flush()
