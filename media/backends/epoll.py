"""Receive and send by epoll, one system call per packet: works on every Linux.

System calls go through `ctypes.PyDLL` on prepared memory, so that a packet needs no
Python object: its octets, source and length land where the batch code reads them.
"""

from __future__ import annotations

import ctypes
import select
import time
from itertools import repeat

import numpy as np

from media.backends import Batch
from media.backends.pace import Pace
from media.backends.pool import DATA, NAME, NAME_ROOM, ROOM, STRIDE, Pool
from media.backends.sockets import PEER_STRIDE, Sockets
from media.types import Ints, Quads, Seconds

_RECEIVE_ROWS, _SEND_ROWS = 1024, 2048
_MSG_DONTWAIT, _MSG_TRUNC = 0x40, 0x20
_DONTWAIT = repeat(_MSG_DONTWAIT)
_MSGHDR = np.dtype(
    {
        "names": ["name", "name_length", "iov", "iov_count", "flags"],
        "formats": ["u8", "u4", "u8", "u8", "u4"],
        "offsets": [0, 8, 16, 24, 48],
        "itemsize": 56,
    }
)

_libc = ctypes.PyDLL(None)
_recvmsg, _sendmsg = _libc.recvmsg, _libc.sendmsg
for _function in (_recvmsg, _sendmsg):
    _function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    _function.restype = ctypes.c_ssize_t


class EpollBackend:
    """The portable backend."""

    name = "epoll"

    def __init__(self, sockets: Sockets, control: int, gather: Seconds) -> None:
        self.pool = Pool(_RECEIVE_ROWS, _SEND_ROWS)
        self.oversize = self.refused = 0
        self._sockets, self.pace = sockets, Pace(gather)
        self._descriptors: list[int] = sockets.descriptors.tolist()
        self._control = control
        self._index: Ints = np.zeros(max(self._descriptors, default=0) + 1, np.int64)
        self._index[sockets.descriptors] = np.arange(len(self._descriptors))
        self._epoll = select.epoll()
        self._epoll.register(control, select.EPOLLIN)
        self._next_send_row = self.pool.receiving
        rows = np.arange(_RECEIVE_ROWS)
        at = (rows * STRIDE + self.pool.base).view(np.uint64)
        self._incoming = _Messages(_RECEIVE_ROWS)
        self._incoming.fill(at + np.uint64(NAME), NAME_ROOM, at + np.uint64(DATA), ROOM)
        self._outgoing = _Messages(_SEND_ROWS)

    def listen(self, socket: int) -> None:
        self._sockets.drain(socket)
        self._epoll.register(self._descriptors[socket], select.EPOLLIN)

    def deafen(self, socket: int) -> None:
        self._epoll.unregister(self._descriptors[socket])

    def wait(self, timeout: Seconds) -> Batch:
        self._next_send_row = self.pool.receiving
        begun = time.monotonic()
        left = self.pace.left(begun)
        ready = self._epoll.poll(max(timeout, 0.0), _RECEIVE_ROWS)
        early = left - (time.monotonic() - begun)
        if ready and early > 0:  # let a batch gather, so that its fixed cost is shared
            time.sleep(min(early, max(timeout, 0.0)))
            ready = self._epoll.poll(0, _RECEIVE_ROWS)
        self.pace.wake(time.monotonic())
        return self._receive(ready)

    def _receive(self, ready: list[tuple[int, int]]) -> Batch:
        readable = [fd for fd, _ in ready]
        control = self._control in readable
        if control:
            readable.remove(self._control)
        lengths = np.array(list(map(_recvmsg, readable, self._incoming.at, _DONTWAIT)), np.int64)
        messages = self._incoming.headers[: len(readable)]
        whole = messages["flags"] & _MSG_TRUNC == 0
        messages["name_length"], messages["flags"] = NAME_ROOM, 0
        sockets, rows = self._index[readable], np.arange(len(readable))
        good = whole & (lengths >= 0)
        if np.count_nonzero(good) == len(good):
            return Batch(sockets, rows, lengths, control)
        self.oversize += int(np.count_nonzero(~whole))
        return Batch(sockets[good], rows[good], lengths[good], control)

    def reserve(self, count: int) -> int:
        if self._next_send_row + count > self.pool.rows:
            self._next_send_row = self.pool.receiving  # sent already: sends here never linger
        first = self._next_send_row
        self._next_send_row += count
        return first

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        table = self._sockets
        for start in range(0, len(sockets), _SEND_ROWS):
            part = slice(start, start + _SEND_ROWS)
            chosen = sockets[part]
            names = (chosen * PEER_STRIDE + table.peers.ctypes.data).view(np.uint64)
            at = self._outgoing
            at.fill(names, table.name_lengths[chosen], addresses[part], lengths[part])
            sent = list(map(_sendmsg, table.descriptors[chosen].tolist(), at.at, _DONTWAIT))
            if min(sent) < 0:
                self.refused += sum(length < 0 for length in sent)

    def flush(self) -> None:
        """All was sent at once."""

    def close(self) -> None:
        self._epoll.close()


class _Messages:
    """A struct msghdr and an I/O vector for each of `count` datagrams."""

    def __init__(self, count: int) -> None:
        self.headers = np.zeros(count, _MSGHDR)
        self._vectors = np.zeros((count, 2), np.uint64)
        index = np.arange(count)
        vectors = index * self._vectors.strides[0] + self._vectors.ctypes.data
        self.headers["iov"], self.headers["iov_count"] = vectors.view(np.uint64), 1
        self.at: list[int] = (index * _MSGHDR.itemsize + self.headers.ctypes.data).tolist()

    def fill(
        self, names: Quads, name_lengths: Ints | int, addresses: Quads, lengths: Ints | int
    ) -> None:
        """Say where the first so many names and datagrams lie."""
        count = len(names)
        self.headers["name"][:count] = names
        self.headers["name_length"][:count] = name_lengths
        self._vectors[:count, 0] = addresses
        self._vectors[:count, 1] = lengths
