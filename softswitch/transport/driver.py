"""Where the user agent meets sockets and the clock: feed it, perform, re-arm.  Nothing else.

One message costs one call through here, without tasks or queues.  Knows no socket
itself: `Wires` sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from softswitch.sip.message import Request, Response
from softswitch.sip.parser import parse
from softswitch.sip.timers import NEVER
from softswitch.sip.types import Address, Destination, Flow, Instant, ParseError, Seconds, Target
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
    """The user agent as the driver sees it (see `sip.ua`); none of this raises."""

    def receive(self, message: Request | Response, flow: Flow, now: Instant) -> None: ...
    def receive_faulty(self, fault: ParseError, flow: Flow) -> None: ...
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
    """Datagrams that only keep a NAT open."""
    dropped: int = 0
    """Messages that the guard did not let in."""


class Driver:
    """The one shell around the user agent.

    `admit(source, now)` is asked before a message is parsed: how long it has to wait,
    None if it is not let in (see `sip.guard`).  Let the user agent's output call `wake`
    when its first item comes, so that verbs used outside `receive` are sent as well.
    """

    wires: Wires
    """Set before the first message."""

    on_failed: Callable[[Destination], None]
    """Hears of each flow and target that failed, beside the user agent: a binding whose
    connection is gone may end with it (RFC 5626 §5.3)."""

    def __init__(
        self,
        machine: Machine,
        admit: Callable[[Address, Instant], Seconds | None],
        trace: Trace,
    ) -> None:
        self._machine, self._admit, self._trace = machine, admit, trace
        self.on_failed = _nobody
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._rings_at: Instant = NEVER
        self._failures: list[Destination] = []
        self._busy = self._woken = False
        self.counters = Counters()

    def receive(self, data: bytes, flow: Flow) -> None:
        """Take one message: a datagram, or what was cut from a stream."""
        if len(data) <= KEEPALIVE_OCTETS:
            self.counters.keepalives += 1
            return
        now = self._loop.time()
        wait = self._admit(flow.remote, now)
        if wait is None:
            self.counters.dropped += 1
        elif wait > 0:
            self._loop.call_later(wait, self._take_late, data, flow)
        else:
            self._take(data, flow, now)

    def refuse(self, fault: ParseError, flow: Flow) -> None:
        """Have a stream's fault answered, if it can be; the stream is closed afterwards."""
        if self._admit(flow.remote, self._loop.time()) is None:
            self.counters.dropped += 1
            return
        self.counters.malformed += 1
        self._machine.receive_faulty(fault, flow)
        self.flush()

    def failed(self, destination: Destination) -> None:
        """Nothing can be sent there any more.  UDP's errors count for flow and target."""
        self._failures.append(destination)
        if isinstance(destination, Flow) and destination.transport == "udp":
            self._failures.append(Target("udp", *destination.remote))
        self.wake()

    def wake(self) -> None:
        """Flush before the loop sleeps again, unless that happens anyway."""
        if not (self._busy or self._woken):
            self._woken = True
            self._loop.call_soon(self._flush_later)

    def flush(self) -> None:
        """Send what the user agent has to say, tell it what failed, set the timer."""
        self._busy = True
        try:
            self._perform()
        finally:
            self._busy = False
        at = self._machine.next_timeout()
        if at is not None and at < self._rings_at:
            self._arm(at)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _take_late(self, data: bytes, flow: Flow) -> None:
        self._take(data, flow, self._loop.time())

    def _take(self, data: bytes, flow: Flow, now: Instant) -> None:
        self.counters.received += 1
        self._trace.record(True, flow, data)
        self._busy = True
        try:
            self._machine.receive(parse(data), flow, now)
        except ParseError as fault:
            self.counters.malformed += 1
            self._machine.receive_faulty(fault, flow)
        self.flush()

    def _flush_later(self) -> None:
        self._woken = False
        self.flush()

    def _perform(self) -> None:
        for action in self._machine.drain():
            self._send(action.data, action.destination)
        while self._failures:  # what the machine says to that may fail as well
            self._tell_failures()
            for action in self._machine.drain():
                self._send(action.data, action.destination)

    def _tell_failures(self) -> None:
        failures, self._failures = self._failures, []
        for destination in dict.fromkeys(failures):
            self._machine.transport_failed(destination, self._loop.time())
            self.on_failed(destination)

    def _send(self, data: bytes, destination: Destination) -> None:
        if isinstance(destination, Flow):
            self._trace.record(False, destination, data)
        else:
            remote = destination.host, destination.port
            flow = Flow(destination.transport, self.wires.local(destination), remote)
            self._trace.record(False, flow, data)
        if self.wires.send(data, destination):
            self.counters.sent += 1
        else:
            self.counters.unsent += 1
            self._failures.append(destination)

    def _arm(self, at: Instant) -> None:
        """Ring at `at`, or earlier: a machine called early does nothing and is asked again.

        A handle cannot be asked when it rings: what is due at once has none that could
        tell with uvloop.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = max(at, self._loop.time() + TICK)
        self._timer = self._loop.call_at(self._rings_at, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, NEVER
        self._busy = True
        self._machine.handle_timer(self._loop.time())
        self.flush()


def _nobody(destination: Destination) -> None:
    """Until somebody wants to know."""
