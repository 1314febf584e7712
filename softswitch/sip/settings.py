"""What a user agent says of itself, and how long it waits.

Plain values; where they come from (a configuration, a test) is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softswitch.sip.timers import Timers
from softswitch.sip.types import Address, Seconds


@dataclass(frozen=True)
class UaSettings:
    """What a user agent says of itself, and its patience."""

    timers: Timers = field(default_factory=Timers)
    product: str = "softswitch"
    """User-Agent and Server; empty to say nothing."""
    supported: tuple[str, ...] = ("100rel", "replaces", "timer")
    """Option tags that peers may require of us."""
    tolerated: tuple[str, ...] = ("path", "outbound", "gruu", "eventlist", "norefersub")
    """Option tags that a peer may require although we do not announce them."""
    allow: tuple[str, ...] = (
        "INVITE",
        "ACK",
        "CANCEL",
        "BYE",
        "OPTIONS",
        "UPDATE",
        "PRACK",
        "INFO",
        "REFER",
        "NOTIFY",
        "MESSAGE",
        "SUBSCRIBE",
        "REGISTER",
        "PUBLISH",
    )
    session_expires: Seconds = 1800
    """The session interval that we ask for; 0 asks for none (RFC 4028)."""
    min_se: Seconds = 90
    """The least session interval that we take."""
    udp_limit: int = 1300
    """Octets beyond which a request goes by TCP if the peer can (RFC 3261 §18.1.1)."""
    symmetric: bool = False
    """Answers go to where a request came from even if it asks for none of RFC 3581."""
    requires_reliable: bool = False
    """Calls are for those who have 100rel only: others get 421, and refuse ours by 420."""
    address: Address = ("127.0.0.1", 5060)
    """What our Via names where `UserAgent.advertise` is not set."""

    @property
    def allow_text(self) -> str:
        return ", ".join(self.allow)
