"""How packets get in and out: one small interface, two implementations, one memory layout.

Everything above sees only `Batch` and `Backend`; nothing above knows which one runs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from media.backends.pace import Pace
from media.backends.pool import Pool
from media.types import Ints, Quads, Seconds


class Batch(NamedTuple):
    """Packets that came in one turn; entry i of each array is one packet.

    They lie in the backend's pool and stay there until the next `wait`.
    """

    sockets: Ints
    """Index of the socket: twice the row for RTP, one more for RTCP."""
    rows: Ints
    """Row of the pool that holds the packet and its source address."""
    lengths: Ints
    """Octets; packets longer than the pool's room are left out and counted."""
    control: bool
    """Whether the control descriptor became readable."""


class Backend(Protocol):
    """Receives batches and sends batches.  One thread owns it."""

    name: str
    pool: Pool
    pace: Pace
    """How long a batch may be gathered."""
    oversize: int
    """Packets too long to be taken whole."""
    refused: int
    """Sends that the kernel refused; the packet is lost, nothing else."""

    def listen(self, socket: int) -> None:
        """Begin to receive on a socket, by its index; what came before is thrown away."""

    def deafen(self, socket: int) -> None:
        """Stop receiving on it.  Packets already on their way may still come."""

    def wait(self, timeout: Seconds) -> Batch:
        """Send what was queued, then wait for packets, at most `timeout`.

        Ends the life of everything in the last batch and in the rows given by `reserve`.
        """

    def reserve(self, count: int) -> int:
        """First of `count` consecutive pool rows to compose packets in."""

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        """Queue datagrams, each from pool memory at `addresses[i]` to its socket's peer."""

    def flush(self) -> None:
        """Send what was queued now, without waiting for anything."""

    def close(self) -> None:
        """Give everything back to the kernel."""
