"""Free ports, apart for each process that runs tests, so that phones of parallel tests never meet.

Each such process has a slot of 3000 ports of its own, held by a lock that ends with it; the first
slots lie below the ports that a switch of the same machine takes for its sound by default.  A port
handed out was free over UDP and TCP a moment ago and is not soon handed out again.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

WIDTH = 3000
SLOTS = (4_300, 7_300, 10_300, 13_300, 16_400, 19_400, 22_400, 25_400, 28_400)
SINGLE = 1200
"""Ports at the beginning of a slot that are handed out one by one; media have the rest."""


def _claim() -> int:
    """The first port of a slot that nobody else holds, held until this process ends."""
    for low in SLOTS:
        path = Path(tempfile.gettempdir()) / f"softswitch-test-ports-{os.getuid()}-{low}"
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return low
    raise RuntimeError(f"more than {len(SLOTS)} processes run tests here")


class _Slot:
    """The ports of this process, claimed when the first one is asked for: phones that are Python
    import this page as well, and ask for none."""

    def __init__(self) -> None:
        self.low: int = _claim()
        self.singles = range(self.low, self.low + SINGLE, 10)
        first = os.getpid() % len(self.singles)  # ports of the last run may still be winding down
        order = [*self.singles[first:], *self.singles[:first]]
        self.candidates: Iterator[int] = cycle(order)
        self.end = self.low + WIDTH
        """Below which the media of the next engine lie."""


_slot = cache(_Slot)


def free_ports(count: int = 1, host: str = "127.0.0.1") -> int:
    """The first of `count` (at most 10) consecutive free ports; it is even."""
    slot = _slot()
    for _ in slot.singles:
        first = next(slot.candidates)
        if all(is_free(host, first + offset) for offset in range(count)):
            return first
    raise RuntimeError(f"no {count} free ports from {slot.low} on")


def media_range(count: int = 300) -> tuple[int, int]:
    """Ports for the media of one engine that none of our others has, nor had lately."""
    slot = _slot()
    for _ in range(2 * WIDTH // count):
        low = slot.end - count & ~1
        if low < slot.low + SINGLE:
            slot.end = slot.low + WIDTH
            continue
        slot.end = low
        if is_free("127.0.0.1", low):
            return low, low + count - 1
    raise RuntimeError(f"no {count} free ports for media from {slot.low + SINGLE} on")


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
                probe.bind((host, port))
    except OSError:
        return False
    return True
