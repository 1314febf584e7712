"""Receive and send by epoll, one system call per packet: works on every Linux.

System calls go through `ctypes.PyDLL` on prepared memory, so that a packet needs no
Python object: its octets, source and length land where the batch code reads them.
"""

from __future__ import annotations

import ctypes
import select
import time

import numpy as np

from media.backends import Batch
from media.backends.pool import DATA, NAME, NAME_ROOM, ROOM, STRIDE, Pool
from media.backends.sockets import PEER_STRIDE, Sockets
from media.types import Array, Ints, Quads, Seconds

_RECEIVE_ROWS, _SEND_ROWS = 1024, 2048
_MSG_DONTWAIT, _MSG_TRUNC = 0x40, 0x20
_CONTROL = -1
_MSGHDR = np.dtype(
    {
        "names": ["name", "name_length", "iov", "iov_count", "flags"],
        "formats": ["u8", "u4", "u8", "u8", "u4"],
        "offsets": [0, 8, 16, 24, 48],
        "itemsize": 56,
    }
)

_libc = ctypes.PyDLL(None)
_recvmsg = _libc.recvmsg
_recvmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
_recvmsg.restype = ctypes.c_ssize_t
_sendto = _libc.sendto
_sendto.argtypes = [
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_uint,
]
_sendto.restype = ctypes.c_ssize_t


class EpollBackend:
    """The portable backend."""

    name = "epoll"

    def __init__(self, sockets: Sockets, control: int, gather: Seconds) -> None:
        self.pool = Pool(_RECEIVE_ROWS, _SEND_ROWS)
        self.oversize = self.refused = 0
        self._sockets, self._gather = sockets, gather
        self._descriptors: list[int] = sockets.descriptors.tolist()
        self._index = {fd: index for index, fd in enumerate(self._descriptors)}
        self._index[control] = _CONTROL
        self._epoll = select.epoll()
        self._epoll.register(control, select.EPOLLIN)
        self._next_send_row = self.pool.receiving
        self._messages, self._vectors = _message_headers(self.pool)
        stride = self._messages.itemsize
        first = self._messages.ctypes.data
        self._message_at = [first + row * stride for row in range(_RECEIVE_ROWS)]
        self._last_turn = 0.0

    def listen(self, socket: int) -> None:
        self._sockets.drain(socket)
        self._epoll.register(self._descriptors[socket], select.EPOLLIN)

    def deafen(self, socket: int) -> None:
        self._epoll.unregister(self._descriptors[socket])

    def wait(self, timeout: Seconds) -> Batch:
        self._next_send_row = self.pool.receiving
        ready = self._epoll.poll(max(timeout, 0.0), _RECEIVE_ROWS)
        early = self._last_turn + self._gather - time.monotonic()
        if ready and early > 0:  # let a batch gather, so that its fixed cost is shared
            time.sleep(min(early, max(timeout, 0.0)))
            ready = self._epoll.poll(0, _RECEIVE_ROWS)
        self._last_turn = time.monotonic()
        return self._receive(ready)

    def _receive(self, ready: list[tuple[int, int]]) -> Batch:
        index, message_at, receive = self._index, self._message_at, _recvmsg
        sockets: list[int] = []
        lengths: list[int] = []
        control = False
        row = 0
        for fd, _ in ready:
            socket = index[fd]
            if socket == _CONTROL:
                control = True
                continue
            length = receive(fd, message_at[row], _MSG_DONTWAIT)
            if length >= 0:
                sockets.append(socket)
                lengths.append(length)
                row += 1
        return self._batch(np.array(sockets, np.int64), np.array(lengths, np.int64), control)

    def _batch(self, sockets: Ints, lengths: Ints, control: bool) -> Batch:
        count = len(sockets)
        rows = np.arange(count)
        messages = self._messages[:count]
        cut = (messages["flags"] & _MSG_TRUNC) != 0
        messages["name_length"] = NAME_ROOM
        messages["flags"] = 0
        if cut.any():
            self.oversize += int(cut.sum())
            whole = ~cut
            return Batch(sockets[whole], rows[whole], lengths[whole], control)
        return Batch(sockets, rows, lengths, control)

    def reserve(self, count: int) -> int:
        if self._next_send_row + count > self.pool.rows:
            self._next_send_row = self.pool.receiving  # sent already: sends here never linger
        first = self._next_send_row
        self._next_send_row += count
        return first

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        table, send = self._sockets, _sendto
        peers_at = table.peers.ctypes.data
        refused = 0
        for fd, address, length, peer, peer_length in zip(
            table.descriptors[sockets].tolist(),
            addresses.tolist(),
            lengths.tolist(),
            (sockets * PEER_STRIDE + peers_at).tolist(),
            table.name_lengths[sockets].tolist(),
            strict=True,
        ):
            if send(fd, address, length, _MSG_DONTWAIT, peer, peer_length) < 0:
                refused += 1
        self.refused += refused

    def close(self) -> None:
        self._epoll.close()


def _message_headers(pool: Pool) -> tuple[Array, Array]:
    """A struct msghdr for each receiving row, pointing at the row; and their I/O vectors."""
    rows = np.arange(pool.receiving, dtype=np.uint64) * np.uint64(STRIDE) + np.uint64(pool.base)
    vectors = np.zeros((pool.receiving, 2), np.uint64)
    vectors[:, 0] = rows + np.uint64(DATA)
    vectors[:, 1] = ROOM
    messages = np.zeros(pool.receiving, _MSGHDR)
    messages["name"] = rows + np.uint64(NAME)
    messages["name_length"] = NAME_ROOM
    messages["iov"] = np.arange(pool.receiving, dtype=np.uint64) * np.uint64(16) + np.uint64(
        vectors.ctypes.data
    )
    messages["iov_count"] = 1
    return messages, vectors
