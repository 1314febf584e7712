"""The pre-bound RTP/RTCP socket pairs of one engine, and the peer of each socket.

Row r owns sockets 2r (RTP, even port) and 2r + 1 (RTCP, the odd port after it).
Knows nothing of legs: a row is a pair of ports and nothing more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import time
from collections.abc import Set
from typing import TypeAlias

import numpy as np

from media.backends import sockaddr
from media.settings import MediaSettings
from media.types import Address, Ints, Mask, Octets

PEER_STRIDE = 32
_NOBODY = bytes(sockaddr.IPV4_LENGTH)  # family AF_UNSPEC: connect(2) dissolves the association
_libc = ctypes.CDLL(None)
_SPARE_DESCRIPTORS = 256
_RECEIVE_BUFFER = 256 * 1024
_PATIENCE = 5.0
"""Seconds that ports which somebody holds may take to become free, if most are held."""
Pair: TypeAlias = tuple[int, int, int]
"""Port, and the descriptors of its RTP and RTCP sockets."""


class Sockets:
    """All port pairs that could be bound, IPv4 rows first.

    Ports that somebody else holds are left out.  If the process may not open as many
    descriptors as the range asks for, the range is cut short.
    """

    @classmethod
    def bind(cls, settings: MediaSettings) -> Sockets:
        """All pairs of the configured range and addresses."""
        budget = _descriptors() // (4 if settings.address6 else 2)
        deadline = time.monotonic() + _PATIENCE  # for both: who holds one holds the other
        pairs = _bind_patiently(settings, settings.address, budget, deadline)
        count4 = len(pairs)
        if settings.address6:
            pairs += _bind_patiently(settings, settings.address6, budget, deadline)
        return cls(pairs, count4)

    @classmethod
    def loopback(cls) -> Sockets:
        """One pair on the loopback, wherever there is room."""
        for low in range(20000, 60000, 64):
            pairs = _bind_range(MediaSettings(ports=(low, low + 1)), "127.0.0.1", 1)
            if pairs:
                return cls(pairs, 1)
        raise OSError("no port is free on the loopback")

    def __init__(self, pairs: list[Pair], count4: int) -> None:
        """`pairs` are (RTP port, RTP descriptor, RTCP descriptor); the first `count4` are IPv4."""
        self.count4 = count4
        self.ports = [port for port, _, _ in pairs]
        self.descriptors: Ints = np.array(
            [fd for _, rtp, rtcp in pairs for fd in (rtp, rtcp)], np.int64
        )
        self.rows = len(pairs)
        self.ipv6 = self.rows > self.count4
        self.peers: Octets = np.zeros((2 * self.rows, PEER_STRIDE), np.uint8)
        self.name_lengths: Ints = np.full(2 * self.rows, sockaddr.IPV6_LENGTH, np.int64)
        self.name_lengths[: 2 * count4] = sockaddr.IPV4_LENGTH

    def aim(self, index: int, peer: Address | None) -> None:
        """Where a socket's datagrams go; None: nowhere."""
        self.peers[index] = 0  # no family: the kernel refuses to send
        if peer is not None:
            packed = sockaddr.pack(peer)
            self.peers[index, : len(packed)] = np.frombuffer(packed, np.uint8)

    def tie(self, index: int, peer: Address | None) -> None:
        """Connect a socket, so that the kernel drops all but its peer; None: to nobody again."""
        fd = int(self.descriptors[index])
        packed = _NOBODY if peer is None else sockaddr.pack(peer)
        _libc.connect(fd, packed, len(packed))

    def peer(self, index: int) -> Address | None:
        packed = self.peers[index].tobytes()
        return sockaddr.unpack(packed) if any(packed[:2]) else None

    def aimed(self, indices: Ints) -> Mask:
        """Which of these sockets have a peer."""
        mask: Mask = np.any(self.peers[indices, :2], axis=1)
        return mask

    def drain(self, index: int) -> None:
        """Throw away what came while nobody owned the socket."""
        descriptor = int(self.descriptors[index])
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                os.read(descriptor, 1)

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for fd in self.descriptors.tolist():
            os.close(fd)
        self.descriptors = self.descriptors[:0]


def _descriptors() -> int:
    """How many more descriptors this process may open, after asking for all it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS


def _bind_patiently(settings: MediaSettings, host: str, budget: int, deadline: float) -> list[Pair]:
    """All pairs of the range; where most are taken, those of an engine that is just dying.

    The kernel takes a moment to close an io_uring, and with it the sockets, after a kill.
    """
    pairs = _bind_range(settings, host, budget)
    low, high = settings.ports
    enough = min((high - low + 1) // 2, budget) // 2
    while len(pairs) < enough and time.monotonic() < deadline:
        time.sleep(_PATIENCE / 50)
        bound = {port for port, _, _ in pairs}
        pairs = sorted(pairs + _bind_range(settings, host, budget - len(pairs), bound))
    return pairs


def _bind_range(
    settings: MediaSettings, host: str, budget: int, bound: Set[int] = frozenset()
) -> list[Pair]:
    """Pairs that are not `bound` already, as far as they are free."""
    low, high = settings.ports
    pairs: list[Pair] = []
    for port in range(low + low % 2, high, 2):
        if len(pairs) >= budget:
            break
        if port in bound:
            continue
        try:
            rtp = _bind(settings, host, port)
        except OSError:
            continue
        try:
            rtcp = _bind(settings, host, port + 1)
        except OSError:
            os.close(rtp)
            continue
        pairs.append((port, rtp, rtcp))
    return pairs


def _bind(settings: MediaSettings, host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if family == socket.AF_INET6:
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, settings.dscp << 2)
        else:
            own.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, settings.dscp << 2)
        own.bind((host, port))
    except OSError:
        own.close()
        raise
    return own.detach()
