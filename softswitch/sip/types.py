"""The words that every part of the SIP stack shares: time, addresses, faults.

Knows no message and no socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from softswitch.sip.message import Request

Instant: TypeAlias = float
"""A point of the monotonic clock, in seconds."""

Seconds: TypeAlias = float
"""A duration."""

Address: TypeAlias = tuple[str, int]
"""IP literal (IPv6 without brackets) and port."""

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}


class Flow(NamedTuple):
    """One way to a peer that is open now: both addresses, and for streams the connection.

    RFC 5626 §2.  `id` tells connections between the same addresses apart; 0 is UDP.
    """

    transport: str
    local: Address
    remote: Address
    id: int = 0

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats by itself what the network loses."""
        return self.transport != "udp"

    @property
    def secure(self) -> bool:
        """Whether octets are encrypted up to the peer's own end of the flow."""
        return self.transport in ("tls", "wss")


class Target(NamedTuple):
    """Where to send when there is no flow yet; `host` is an IP literal."""

    transport: str
    host: str
    port: int

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats by itself what the network loses."""
        return self.transport != "udp"

    @property
    def secure(self) -> bool:
        """Whether the transport encrypts."""
        return self.transport in ("tls", "wss")


Destination: TypeAlias = Flow | Target


class SwitchError(Exception):
    """Base of everything this project raises on purpose."""


class ParseError(SwitchError):
    """The *peer* sent what the RFCs forbid: ordinary data, caught once, where bytes enter.

    `status` is the response a server owes for it (RFC 3261 §21.4, §21.5); `offset` is
    the byte of the message where the trouble starts, or None.  `request` holds
    what could still be read of a faulty request, enough for `reply` and for nothing
    else; None means that silence is the only answer.
    """

    def __init__(self, reason: str, *, offset: int | None = None, status: int = 400) -> None:
        super().__init__(reason)
        self.reason, self.offset, self.status = reason, offset, status
        self.request: Request | None = None

    def __str__(self) -> str:
        return self.reason if self.offset is None else f"{self.reason} (byte {self.offset})"
