"""One TCP or TLS connection that carries SIP (RFC 3261 §18, RFC 5626 §3.5.1).

Octets in, messages out; keep-alives are answered here.  Knows neither who listens nor
who connects, and does not look into messages; `Streams` keeps the books on all of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from softswitch.sip import framing
from softswitch.sip.framing import PING_ANSWER, FramingError, KeepAlive, StreamFramer
from softswitch.sip.types import Address, Flow, Instant, Seconds
from softswitch.transport.addresses import unmapped

if TYPE_CHECKING:
    from softswitch.transport.streams import Streams


LINGER: Seconds = 2.0
"""How long a refused peer may go on sending before the connection is closed."""


class StreamConnection(asyncio.Protocol):
    """A connection, from its acceptance or our connect to its end.

    Contract: `flow` is set once it is open; `send` after the end is False; the end is
    told to the owner once, whoever brought it about.
    """

    __slots__ = (
        "_framer",
        "_leaving",
        "_owner",
        "_transport",
        "accepted",
        "flow",
        "heard",
        "known",
        "unfinished",
    )

    def __init__(self, owner: Streams, *, accepted: bool) -> None:
        self._owner, self.accepted = owner, accepted
        limits = owner.limits
        bounds = framing.Limits(limits.header, limits.body, limits.message_time)
        self._framer = StreamFramer(bounds)
        self._transport: asyncio.Transport | None = None
        self.flow = Flow(owner.transport, ("", 0), ("", 0))
        self.heard: Instant = owner.now()
        """When the peer last sent anything; at first, when it connected."""
        self.known = False
        """Whether a whole message has come by it."""
        self._leaving = False
        self.unfinished = 0
        """Octets of a message whose end has not come."""

    @property
    def source(self) -> str:
        """The peer's address, by which connections are counted."""
        return self.flow.remote[0]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        local, remote = _ends(transport)
        self.flow = Flow(self._owner.transport, local, remote, self._owner.next_id())
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever the reason, it is over
        self._transport = None
        self._owner.closed(self)

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return  # what follows a message that was refused; see `_leave`
        now = self.heard = self._owner.now()
        try:
            frames = self._framer.feed(data, now)
        except FramingError as fault:
            self._take(fault.before)
            self._owner.receiver.refuse(fault, self.flow)
            self._leave()
            return
        if self._framer.next_timeout() is not None:
            grown = len(data) if frames else self.unfinished + len(data)
            self._owner.unfinished(self, grown)
        elif self.unfinished:
            self._owner.unfinished(self, 0)
        self._take(frames)

    def send(self, data: bytes) -> bool:
        """Write; False if the connection is over, or the peer has left too much unread."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        transport.write(data)
        if transport.get_write_buffer_size() > self._owner.limits.unread:
            transport.abort()
            return False
        return True

    def overdue(self, now: Instant) -> bool:
        """Whether a time limit has passed: for a message, for the first one, for silence."""
        limits = self._owner.limits
        if self._leaving:
            return now >= self.heard + LINGER
        deadline = self._framer.next_timeout()
        if deadline is not None:
            return now >= deadline
        patience = limits.idle_time if self.known else limits.message_time
        return now >= self.heard + patience

    def abort(self) -> None:
        """End it now; for those who had their time."""
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        """End it so that the refusal can be read.

        Closing at once, while the peer still sends, would have the kernel send a reset,
        which takes our last answer from the peer's hands: so we only finish writing, and
        let the rest of what was refused run into nothing for a moment.
        """
        self._leaving = True
        if self.unfinished:
            self._owner.unfinished(self, 0)
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        elif self._transport is not None:
            self._transport.close()

    def _take(self, frames: list[framing.Frame]) -> None:
        for frame in frames:
            if isinstance(frame, bytes):
                if not self.known:
                    self._owner.introduced(self)
                self._owner.receiver.receive(frame, self.flow)
            elif frame is KeepAlive.PING:
                self.send(PING_ANSWER)


def _ends(transport: asyncio.BaseTransport) -> tuple[Address, Address]:
    """Our address and the peer's; a peer that has gone already has none."""
    local = transport.get_extra_info("sockname")
    remote = transport.get_extra_info("peername")
    return unmapped(local or ("", 0)), unmapped(remote or ("", 0))
