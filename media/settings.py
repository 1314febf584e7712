"""What an administrator may set about sound, checked once, at birth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from media.types import Seconds

BackendName = Literal["auto", "io_uring", "epoll"]


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The `[media]` table as the engine needs it; every field has a working default."""

    address: str = "0.0.0.0"
    """IPv4 literal that RTP sockets are bound to."""
    address6: str | None = None
    """IPv6 literal, or None for no IPv6 legs."""
    ports: tuple[int, int] = (16384, 32767)
    """First and last port; RTP takes the even one of each pair, RTCP the odd one after it."""
    workers: int = 1
    """Engine processes; the legs of one call live in one of them."""
    backend: BackendName = "auto"
    gather: Seconds = 0.002
    """How long a batch of packets may be gathered before it is handled (at most 2 ms); while
    nothing is relayed the engine takes 5 ms, since mixed sound waits for the tick anyway."""
    jitter: Seconds = 0.2
    """How much sound a jitter buffer may hold back at most (0.04 to 0.48)."""
    latch_window: Seconds = 10.0
    """How long after signalling a leg behind NAT may choose its first source."""
    source_silence: Seconds = 3.0
    """After how long without a packet the believed source is proven silent."""
    rtcp_interval: Seconds = 5.0
    """Mean time between our RTCP reports on one leg (RFC 3550 §6.2)."""
    quality_interval: Seconds = 30.0
    """How often a leg's quality is reported while it lasts."""
    connect: bool = False
    """Connect a leg's socket once its peer is known: cheaper, but strangers are then dropped
    by the kernel, where we cannot count them."""
    dscp: int = 46
    """Differentiated services code point of RTP: expedited forwarding (RFC 3246)."""

    def share(self, worker: int) -> MediaSettings:
        """These settings with the part of the ports that belongs to one of the workers."""
        low, high = self.ports
        pairs = (high - low + 1) // 2 // self.workers
        first = low + low % 2 + 2 * pairs * worker
        return replace(self, ports=(first, first + 2 * pairs - 1))

    def __post_init__(self) -> None:
        low, high = self.ports
        if not 1024 <= low < high <= 65535:
            raise ValueError(f"media.ports: {low}-{high} is not a range within 1024-65535")
        if self.workers < 1:
            raise ValueError(f"media.workers: {self.workers} is not a number of processes")
        if not 0 <= self.gather <= 0.002:
            raise ValueError("media.gather: at most 0.002 seconds, or callers hear the delay")
