"""SIP over UDP (RFC 3261 §18): one bound socket, datagrams in and out.

Reads the socket itself when the loop says it is readable, many datagrams at a time,
because only so can ICMP errors be had: asyncio and uvloop swallow them.  The loop watches
an epoll of our own around the socket, since libuv stops watching for ever a descriptor
that reports an error.  Knows flows;
does not look into messages.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from softswitch.sip.types import Address, Flow
from softswitch.transport.addresses import MAPPED, is_wildcard, source_address, unmapped

BATCH = 64
"""Datagrams read before others on the loop have their turn."""

RECEIVE_BUFFER = 8 * 1024 * 1024
"""Octets the kernel may hold for us; it grants what net.core.rmem_max allows."""

MAX_DATAGRAM = 65_507
MAX_FLOWS = 65_536

IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE = 11, 25, 0x2000  # <linux/in.h>, in no Python module
DEAD = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})


class UdpEndpoint:
    """One bound UDP socket.

    `receive(data, flow)` takes each datagram; `failed(flow)` hears that a datagram sent
    earlier found nobody (ICMP), RFC 3261 §18.4.
    """

    def __init__(
        self,
        bound: socket.socket,
        receive: Callable[[bytes, Flow], None],
        failed: Callable[[Flow], None],
    ) -> None:
        self._socket, self._receive, self._failed = bound, receive, failed
        self._six = bound.family == socket.AF_INET6
        self._dual = self._six and not bound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        self.host, self.port = unmapped(bound.getsockname())
        self._flows: dict[tuple[Any, ...], Flow] = {}
        self._view = memoryview(bytearray(MAX_DATAGRAM + 1))
        self.dropped = 0
        """Datagrams that could not be sent: no buffer, no route, too long."""
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, RECEIVE_BUFFER)
        _ask_for_errors(bound)
        self._loop = asyncio.get_running_loop()
        self._poll = select.epoll()
        self._poll.register(bound.fileno(), select.EPOLLIN)
        self._loop.add_reader(self._poll.fileno(), self._readable)

    def close(self) -> None:
        """Stop reading and give the port back.  Twice is harmless."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
            self._socket.close()

    def serves(self, host: str) -> bool:
        """Whether datagrams to `host` can leave here."""
        if is_wildcard(self.host):
            return self._dual or self._six == (":" in host)
        return (":" in self.host) == (":" in host)

    def local(self, remote: str) -> Address:
        """Our address as the peer at `remote` sees it."""
        return source_address(remote) if is_wildcard(self.host) else self.host, self.port

    def send(self, data: bytes, remote: Address) -> bool:
        """Send now; False where the kernel knows already that it cannot arrive."""
        host = MAPPED + remote[0] if self._six and ":" not in remote[0] else remote[0]
        try:
            self._socket.sendto(data, (host, remote[1]))
        except OSError:
            return self._send_again(data, (host, remote[1]))
        return True

    def _send_again(self, data: bytes, remote: Address) -> bool:
        """An error queued for an earlier datagram comes up at the next call: try twice."""
        self._read_errors()
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            self.dropped += 1  # as good as lost on the way: retransmission repairs it
        except OSError:
            self.dropped += 1
            return False
        return True

    def _readable(self) -> None:
        view, flows, receive = self._view, self._flows, self._receive
        for turn in range(BATCH):
            try:
                size, source = self._socket.recvfrom_into(view)
            except OSError as error:
                if turn == 0 or not isinstance(error, BlockingIOError):
                    self._read_errors()  # woken for an error, not for a datagram
                return
            flow = flows.get(source) or self._flow(source)
            receive(bytes(view[:size]), flow)

    def _flow(self, source: tuple[Any, ...]) -> Flow:
        """The flow that this source comes by, remembered."""
        if len(self._flows) >= MAX_FLOWS:
            self._flows.clear()
        remote = unmapped(source)
        flow = self._flows[source] = Flow("udp", self.local(remote[0]), remote)
        return flow

    def _read_errors(self) -> None:
        """Empty the socket's error queue, telling who cannot be reached (ip(7), IP_RECVERR)."""
        for _ in range(BATCH):
            try:
                _, ancillary, _, remote = self._socket.recvmsg(0, 512, MSG_ERRQUEUE)
            except OSError:
                return
            if remote and any(_error(data) in DEAD for _, _, data in ancillary):
                self._failed(self._flow(remote))


def _ask_for_errors(bound: socket.socket) -> None:
    """Have ICMP errors queued; elsewhere than on Linux transactions time out instead."""
    try:
        bound.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    except OSError:
        return


def _error(extended: bytes) -> int:
    """`ee_errno`, the first word of struct sock_extended_err."""
    number: int = struct.unpack_from("=I", extended)[0] if len(extended) >= 4 else 0
    return number
