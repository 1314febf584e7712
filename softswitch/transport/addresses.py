"""Addresses as the kernel says them and as SIP says them."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

from softswitch.sip.types import Address

MAPPED = "::ffff:"


def unmapped(sockaddr: tuple[Any, ...]) -> Address:
    """Host and port of a socket address; IPv4 inside IPv6 (::ffff:192.0.2.1) as IPv4."""
    host: str = sockaddr[0]
    if host.startswith(MAPPED) and "." in host:
        host = host[len(MAPPED) :]
    return host, sockaddr[1]


def bracketed(address: Address) -> str:
    """`192.0.2.1:5060`, `[2001:db8::1]:5060`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_wildcard(host: str) -> bool:
    """Whether a listener's address stands for all of this machine's."""
    return host in ("0.0.0.0", "::")


@lru_cache(maxsize=4096)
def source_address(host: str) -> str:
    """Our own address on the way to `host`; the loopback where there is no way.

    Asks the kernel's routing table by connecting a datagram socket, which sends nothing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return "::1" if ":" in host else "127.0.0.1"
        return unmapped(probe.getsockname())[0]


def bind(kind: socket.SocketKind, host: str, port: int, *, dual: bool = False) -> socket.socket:
    """A non-blocking socket bound to `host`; `dual` lets [::] take IPv4 as well."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        made.setblocking(False)
        if kind is socket.SOCK_STREAM:  # a datagram port must not be shared by accident
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
