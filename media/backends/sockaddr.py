"""Socket addresses as the kernel lays them out, and the keys by which sources are compared.

sockaddr_in   family(2, host order) port(2) address(4) zero(8)
sockaddr_in6  family(2, host order) port(2) flow(4) address(16) scope(4)
"""

from __future__ import annotations

import secrets
import socket
import struct

import numpy as np

from media.backends.pool import NAME, Pool
from media.types import Address, Ints, Quads

IPV4_LENGTH, IPV6_LENGTH = 16, 28
_MIX_LOW, _MIX_HIGH = (np.uint64(secrets.randbits(64) | 1) for _ in range(2))


def pack(address: Address) -> bytes:
    """The struct sockaddr of an address with a literal IP."""
    host, port = address
    if ":" in host:
        return struct.pack(
            "=H2s4x16s4x",
            socket.AF_INET6,
            port.to_bytes(2, "big"),
            socket.inet_pton(socket.AF_INET6, host.partition("%")[0]),
        )
    return struct.pack("=H2s4s8x", socket.AF_INET, port.to_bytes(2, "big"), socket.inet_aton(host))


def unpack(data: bytes) -> Address:
    """The address in a struct sockaddr."""
    (family,) = struct.unpack_from("=H", data)
    port = int.from_bytes(data[2:4], "big")
    if family == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, data[8:24]), port
    return socket.inet_ntoa(data[4:8]), port


def source_keys(pool: Pool, rows: Ints, ipv6: bool) -> Quads:
    """A 64-bit key of each packet's source address.

    Of an IPv4 source it *is* family, port and address.  An IPv6 address does not fit: its
    halves are mixed in by multipliers drawn at start, so nobody can aim at another's key.
    """
    keys: Quads = pool.sources[rows]
    if not ipv6:
        return keys
    is6 = (keys & np.uint64(0xFFFF)) == socket.AF_INET6
    low, high = pool.quads[rows, NAME // 8 + 1], pool.quads[rows, NAME // 8 + 2]
    short = keys & np.uint64(0xFFFFFFFF)
    mixed: Quads = np.where(is6, short ^ (low * _MIX_LOW) ^ (high * _MIX_HIGH), keys)
    return mixed


def key_of(address: Address) -> int:
    """The key that packets from `address` have."""
    packed = pack(address)
    first = int.from_bytes(packed[:8], "little")
    if len(packed) == IPV4_LENGTH:
        return first
    low, high = (int.from_bytes(packed[i : i + 8], "little") for i in (8, 16))
    mixed = (low * int(_MIX_LOW)) ^ (high * int(_MIX_HIGH))
    return ((first & 0xFFFFFFFF) ^ mixed) & 0xFFFFFFFFFFFFFFFF


def host_of(address: Address) -> bytes:
    """The address without its port, for comparing hosts."""
    packed = pack(address)
    return packed[8:24] if len(packed) == IPV6_LENGTH else packed[4:8]
