"""Free ports, apart for each test worker, so that phones of parallel tests never meet.

Each worker has 3000 ports of its own, below those that a switch of the same machine takes for its
sound by default; a port handed out was free over UDP and TCP a moment ago and is not handed out
again.
"""

import os
import socket
from itertools import cycle

WIDTH = 3000
FIRST = 4_300


def _worker() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4


_LOW = FIRST + _worker() * WIDTH
_candidates = cycle(range(_LOW + os.getpid() % 100 * 10, _LOW + WIDTH - 300, 10))


def free_ports(count: int = 1, host: str = "127.0.0.1") -> int:
    """The first of `count` (at most 10) consecutive free ports; it is even."""
    for _ in range(WIDTH // 10):
        first = next(_candidates)
        if all(is_free(host, first + offset) for offset in range(count)):
            return first
    raise RuntimeError(f"no {count} free ports from {_LOW} on")


def media_range(count: int = 300) -> tuple[int, int]:
    """Ports for the media of one switch: the last of the worker's own, or others when taken."""
    low = _LOW + WIDTH - count
    while not is_free("127.0.0.1", low):
        low += 12_000 if low < 32_000 else 2
    return low, low + count - 1


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
