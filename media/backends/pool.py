"""The memory that packets live in, as arrays over one mapping.

One row is one packet, in the layout that `recvmsg` by io_uring writes:

     0               16              44                            1600
     +---------------+---------------+------------------------------+
     | recvmsg header| source address|  datagram                    |
     +---------------+---------------+------------------------------+

25 cache lines a row, an odd number, so that the headers of neighbouring rows do not
compete for the same sets of the cache as they would with a power of two.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from media.types import Array, Ints, Octets, Quads, Words

STRIDE = 1600
NAME = 16
"""Offset of the source address (a struct sockaddr) within a row."""
NAME_ROOM = 28
DATA = NAME + NAME_ROOM
"""Offset of the datagram within a row."""
ROOM = STRIDE - DATA


class Pool:
    """`rows` rows, the first `receiving` for packets that come, the rest for ours."""

    def __init__(self, receiving: int, sending: int) -> None:
        self.receiving, self.rows = receiving, receiving + sending
        self._mapping = mmap.mmap(-1, self.rows * STRIDE)
        self.octets: Octets = np.frombuffer(self._mapping, np.uint8).reshape(self.rows, STRIDE)
        self.words: Words = self.octets.view(np.uint32)
        self.quads: Quads = self.octets.view(np.uint64)
        self.headers: Words = self.words[:, DATA // 4 : DATA // 4 + 3]
        """The first three words of every datagram."""
        self.sources: Quads = self.quads[:, NAME // 8]
        """Family, port and the first four octets after them of every source address."""
        self.heads: Array = self._records(NAME, NAME_ROOM + 12)
        """Source address and RTP header of every row, as one opaque record each."""
        self.header_records: Array = self._records(DATA, 12)
        self.base: int = self.octets.ctypes.data

    def addresses(self, rows: Ints) -> Quads:
        """Where in memory the datagrams of `rows` begin."""
        return (rows * STRIDE + (self.base + DATA)).view(np.uint64)

    def _records(self, offset: int, size: int) -> Array:
        """A part of each row as an opaque record: far quicker to pick and to lay than columns."""
        return np.ndarray((self.rows,), f"V{size}", self._mapping, offset, (STRIDE,))

    def read(self, row: int, length: int) -> bytes:
        """A copy of one datagram, for the paths where packets are few."""
        return self.octets[row, DATA : DATA + length].tobytes()

    def write(self, row: int, data: bytes) -> None:
        """Lay one datagram into a row."""
        self.octets[row, DATA : DATA + len(data)] = np.frombuffer(data, np.uint8)

    def peek(self, address: int, length: int) -> bytes:
        """A copy of `length` octets at an address within the pool."""
        return ctypes.string_at(address, length)
