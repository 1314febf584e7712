"""How fast this machine is at this moment, in two figures that our code cannot change.

Speeds of shared machines drift by half within an hour; what a figure is as a multiple of its
yardstick, taken right before and after, drifts far less.
"""

from __future__ import annotations

import socket
from time import process_time

from bench.catalogue import Yardstick

CALLS, DATAGRAMS, TRIES = 100_000, 2_000, 3


def empty_call(times: int = CALLS) -> float:
    """Microseconds to call a Python function that does nothing, loop included."""

    def nothing() -> None: ...

    begin = process_time()
    for _ in range(times):
        nothing()
    return 1e6 * (process_time() - begin) / times


def datagram(times: int = DATAGRAMS) -> float:
    """Microseconds to send and receive 172 octets over UDP on the loopback, one at a time."""
    octets = bytes(172)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        other.bind(("127.0.0.1", 0))
        one.connect(other.getsockname())
        begin = process_time()
        for _ in range(times):
            one.send(octets)
            other.recv(256)
        return 1e6 * (process_time() - begin) / times


def take() -> dict[Yardstick, float]:
    """Both, the best of a few tries: about 0.1 s."""
    return {
        "empty call": min(empty_call() for _ in range(TRIES)),
        "datagram": min(datagram() for _ in range(TRIES)),
    }
