"""Copies of messages for Homer and sngrep: HEP version 3, over UDP.

    "HEP3" | length 16 | chunks: vendor 16 | type 16 | length 16 | value …

Lengths count themselves.  Knows chunks of the generic vendor 0; the correlation id is
the Call-ID, since collectors behind NAT cannot find a call by its addresses.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from struct import pack

from softswitch.sip.types import Address
from softswitch.transport.trace import Traced

MAX_PAYLOAD = 60_000
SIP = 1
PROTOCOLS = {"udp": 17, "tcp": 6, "tls": 6, "ws": 6, "wss": 6}


def encode(traced: Traced, capture_id: int, password: str | None = None) -> bytes:
    """One HEPv3 packet that holds this message."""
    (source, source_port), (target, target_port) = traced.ends
    seconds, micro = divmod(round(traced.at * 1_000_000), 1_000_000)
    six = ":" in source
    chunks = [
        _chunk(1, pack("!B", socket.AF_INET6 if six else socket.AF_INET)),
        _chunk(2, pack("!B", PROTOCOLS[traced.flow.transport])),
        _chunk(5 if six else 3, ip_address(source).packed),
        _chunk(6 if six else 4, ip_address(target).packed),
        _chunk(7, pack("!H", source_port)),
        _chunk(8, pack("!H", target_port)),
        _chunk(9, pack("!I", seconds & 0xFFFFFFFF)),
        _chunk(10, pack("!I", micro)),
        _chunk(11, pack("!B", SIP)),
        _chunk(12, pack("!I", capture_id)),
    ]
    if password:
        chunks.append(_chunk(14, password.encode()))
    chunks.append(_chunk(15, traced.data[:MAX_PAYLOAD]))
    if call_id := traced.call_id[:1024]:
        chunks.append(_chunk(17, call_id.encode()))
    body = b"".join(chunks)
    return pack("!4sH", b"HEP3", len(body) + 6) + body


def _chunk(kind: int, value: bytes) -> bytes:
    return pack("!HHH", 0, kind, len(value) + 6) + value


class HepSender:
    """A listener of `Trace` that sends what it hears to a collector."""

    def __init__(self, collector: Address, capture_id: int, password: str | None = None) -> None:
        self._collector, self._capture_id, self._password = collector, capture_id, password
        family = socket.AF_INET6 if ":" in collector[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.lost = 0
        """Packets that the kernel did not take; the calls do not wait for a collector."""

    def __call__(self, traced: Traced) -> None:
        try:
            self._socket.sendto(encode(traced, self._capture_id, self._password), self._collector)
        except (OSError, ValueError):  # no buffer or route; an address that is none
            self.lost += 1

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
