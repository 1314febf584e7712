"""Receive and send by io_uring, its rings mapped as numpy arrays.

Two system calls a turn: one submits what was queued, one waits for the next batch.  Receives
are multishot into a ring of provided buffers, which are the rows of the pool; sends give
completions only when they fail.  With SINGLE_ISSUER and DEFER_TASKRUN the kernel touches
the rings only inside our own calls, so no memory barrier is needed from Python.

A row's life: the kernel fills it, the batch names it, relayed packets are sent out of it
by the next call, and after that call it is provided again.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import time

import numpy as np

from media.backends import Batch, kernel
from media.backends.pace import Pace
from media.backends.pool import DATA, NAME_ROOM, ROOM, STRIDE, Pool
from media.backends.sockets import PEER_STRIDE, Sockets
from media.types import Array, Ints, Quads, Seconds, Words

_RECEIVE_ROWS, _SEND_ROWS = 4096, 4096  # the first a power of two: it is a kernel ring
_SUBMISSIONS, _COMPLETIONS = 4096, 16384
_LEAST_GATHER: Seconds = 0.0002
_BATCH = 512
"""So many packets end the gathering of a batch before its time."""
_MSG_DONTWAIT, _MSG_NOSIGNAL, _MSG_TRUNC = 0x40, 0x4000, 0x20
_TAG = 56
_TAG_HIGH = _TAG - 32
_RECEIVE, _SEND, _CONTROL, _CANCEL = 0, 1, 2, 3
_GENERATION = 32
_SEND_HEAD = kernel.OP_SEND | (kernel.SQE_FIXED_FILE | kernel.SQE_SKIP_SUCCESS) << 8
_RECEIVE_HEAD = (
    kernel.OP_RECVMSG
    | (kernel.SQE_FIXED_FILE | kernel.SQE_BUFFER_SELECT) << 8
    | kernel.RECV_MULTISHOT << 16
)


class UringBackend:
    """The fast backend, for kernels from 6.1 that allow it.  Raises OSError where they do not."""

    name = "io_uring"

    def __init__(self, sockets: Sockets, control: int, gather: Seconds) -> None:
        self.oversize = self.refused = 0
        self._sockets, self._control = sockets, control
        self.pace = Pace(gather)
        self._ring = _Ring(sockets.descriptors)
        self.pool = Pool(_RECEIVE_ROWS, _SEND_ROWS)
        self._buffers = _BufferRing(self._ring, self.pool)
        self._message = kernel.MessageHeader(name_length=NAME_ROOM)
        self._generation: Ints = np.zeros(len(sockets.descriptors), np.int64)
        self._listening = np.zeros(len(sockets.descriptors), np.bool_)
        self._next_send_row = self.pool.receiving
        self._held: Ints = np.zeros(0, np.int64)
        self._sends = _send_entries(sockets)
        self._watch_control()

    def listen(self, socket: int) -> None:
        self._sockets.drain(socket)
        self._listening[socket] = True
        self._generation[socket] = (self._generation[socket] + 1) & 0xFFFFFF
        self._arm(np.array([socket]))

    def deafen(self, socket: int) -> None:
        self._listening[socket] = False
        head = kernel.OP_ASYNC_CANCEL
        target = self._receive_marks(np.array([socket]))
        self._ring.push(kernel.words(head, 0, target, 0, _CANCEL << _TAG, count=1))

    def wait(self, timeout: Seconds) -> Batch:
        begun = time.monotonic()
        self._ring.submit()  # what is sent now must not make the waiting longer
        now = time.monotonic()
        gather = max(self.pace.left(now), _LEAST_GATHER)
        worked = time.thread_time()
        completions = self._ring.wait(max(timeout - (now - begun), 0.0), gather)
        self.pace.wake(time.monotonic() - (time.thread_time() - worked))  # receiving is work, too
        self._buffers.provide(self._held)
        self._next_send_row = self.pool.receiving
        return self._batch(completions)

    def reserve(self, count: int) -> int:
        if self._next_send_row + count > self.pool.rows:
            self._ring.submit()
            self._next_send_row = self.pool.receiving
        first = self._next_send_row
        self._next_send_row += count
        return first

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        done = 0
        while done < len(sockets):
            entries = self._ring.room(len(sockets) - done)
            part = slice(done, done + len(entries))
            self._sends.take(sockets[part], axis=0, out=entries, mode="clip")
            entries[:, 2] = addresses[part]
            entries[:, 3] |= lengths[part].view(np.uint64)
            done += len(entries)

    def flush(self) -> None:
        self._ring.submit()

    def close(self) -> None:
        self._ring.close()

    def _batch(self, completions: Ints) -> Batch:
        """Sort completions: packets, ends of receives, failed sends, the control socket."""
        low, high, results, flags = completions
        control = False
        if not _all_packets(high, results, flags):
            packet = (high >> _TAG_HIGH == _RECEIVE) & (results >= 0)
            odd = ~(packet & (flags & kernel.CQE_MORE != 0))
            marks = (high[odd] << 32) | (low[odd] & 0xFFFFFFFF)
            control = self._odd_ones(marks, results[odd], flags[odd])
            low, results, flags = low[packet], results[packet], flags[packet]
        self._held = rows = flags >> kernel.CQE_BUFFER_SHIFT
        lengths = results - DATA
        if len(rows) and int(lengths.max()) >= ROOM:
            whole = (self.pool.words[rows, 3] & _MSG_TRUNC) == 0
            self.oversize += len(rows) - int(np.count_nonzero(whole))
            return Batch(low[whole], rows[whole], lengths[whole], control)
        return Batch(low, rows, lengths, control)

    def _odd_ones(self, marks: Ints, results: Ints, flags: Ints) -> bool:
        """Everything but a packet of a receive that goes on.  Whether control is readable."""
        tags, over = marks >> _TAG, flags & kernel.CQE_MORE == 0
        self.refused += int(np.count_nonzero((tags == _SEND) & (results < 0)))
        self._rearm(marks[(tags == _RECEIVE) & over])
        control = tags == _CONTROL
        if np.count_nonzero(control & over):
            self._watch_control()
        return bool(control.any())

    def _rearm(self, marks: Ints) -> None:
        """Multishot receives ended: no buffer was left, or the network refused a send of ours.

        There may be as many as there are sockets, when the process was held up.
        """
        sockets = marks & 0xFFFFFFFF
        present = self._listening[sockets] & (marks == self._receive_marks(sockets))
        if np.count_nonzero(present):
            self._arm(np.unique(sockets[present]))

    def _arm(self, sockets: Ints) -> None:
        message = ctypes.addressof(self._message)
        heads, marks = _RECEIVE_HEAD | sockets << 32, self._receive_marks(sockets)
        self._ring.push(kernel.words(heads, 0, message, 1, marks, count=len(sockets)))

    def _receive_marks(self, sockets: Ints) -> Ints:
        """Tell the sockets' present receives from earlier ones of the same sockets."""
        marks: Ints = _RECEIVE << _TAG | self._generation[sockets] << _GENERATION | sockets
        return marks

    def _watch_control(self) -> None:
        head = kernel.OP_POLL_ADD | self._control << 32
        events = kernel.POLL_MULTI | select.POLLIN << 32
        self._ring.push(kernel.words(head, 0, 0, events, _CONTROL << _TAG, count=1))


class _Ring:
    """Submission and completion queue of one io_uring."""

    def __init__(self, descriptors: Ints) -> None:
        params = kernel.Params(
            flags=kernel.SETUP_CQSIZE
            | kernel.SETUP_SUBMIT_ALL
            | kernel.SETUP_SINGLE_ISSUER
            | kernel.SETUP_DEFER_TASKRUN,
            cq_entries=_COMPLETIONS,
        )
        self.descriptor = kernel.setup(_SUBMISSIONS, params)
        self._gathers = bool(params.features & kernel.FEATURE_MIN_TIMEOUT)
        self._map(params)
        self._timespec = kernel.Timespec()
        self._argument = kernel.WaitArgument(timespec=ctypes.addressof(self._timespec))
        files = descriptors.astype(np.int32)
        self._register_files(files)

    def _map(self, params: kernel.Params) -> None:
        sq, cq = params.sq_off, params.cq_off
        size = max(sq.array + 4 * params.sq_entries, cq.cqes + 16 * params.cq_entries)
        populate = mmap.MAP_SHARED | mmap.MAP_POPULATE
        rings = mmap.mmap(self.descriptor, size, flags=populate, offset=kernel.OFFSET_SQ_RING)
        entries = mmap.mmap(
            self.descriptor,
            64 * params.sq_entries,
            flags=populate,
            offset=kernel.OFFSET_SQES,
        )
        whole: Words = np.frombuffer(rings, np.uint32, size // 4)
        self._sq_head, self._sq_tail = whole[sq.head // 4 :][:1], whole[sq.tail // 4 :][:1]
        self._cq_head, self._cq_tail = whole[cq.head // 4 :][:1], whole[cq.tail // 4 :][:1]
        whole[sq.array // 4 :][: params.sq_entries] = np.arange(params.sq_entries)
        self._entries: Quads = np.frombuffer(entries, np.uint64).reshape(-1, kernel.SQE_WORDS)
        self._completions: Array = np.frombuffer(
            rings, np.int32, 4 * params.cq_entries, cq.cqes
        ).reshape(-1, 4)
        self._tail = int(self._sq_tail[0])

    def _register_files(self, files: Array) -> None:
        if len(files):
            kernel.register(self.descriptor, kernel.REGISTER_FILES, files.ctypes.data, len(files))

    def push(self, entries: Quads) -> None:
        """Queue submissions; hands earlier ones to the kernel when the queue is full."""
        done = 0
        while done < len(entries):
            room = self.room(len(entries) - done)
            room[:] = entries[done : done + len(room)]
            done += len(room)

    def room(self, count: int) -> Quads:
        """At least one and at most `count` of the next submissions, to be filled at once."""
        size = len(self._entries)
        if self._queued() + count > size:
            self.submit()
        at = self._tail & (size - 1)
        entries = self._entries[at : at + min(count, size - self._queued())]
        self._tail += len(entries)
        return entries

    def submit(self) -> None:
        """Hand over what is queued, waiting for nothing."""
        self._sq_tail[0] = self._tail & 0xFFFFFFFF
        if queued := self._queued():
            kernel.enter(self.descriptor, queued, 0, self._argument)

    def wait(self, timeout: Seconds, gather: Seconds) -> Ints:
        """Submit, then wait for completions, for the first and at least as long as `gather`.

        Gives their user data (low and high half), results and flags, four rows.
        With DEFER_TASKRUN a call that waits for nothing would run only some of the work.
        """
        self._sq_tail[0] = self._tail & 0xFFFFFFFF
        if self._gathers:
            self._argument.min_wait_usec = int(min(gather, timeout) * 1e6)
            self._enter(_BATCH, timeout)
        else:
            self._enter(1, timeout)
            if self._cq_head[0] != self._cq_tail[0]:
                self._enter(_BATCH, min(gather, timeout))
        return self._take()

    def _take(self) -> Ints:
        head, tail = int(self._cq_head[0]), int(self._cq_tail[0])
        count, room = (tail - head) & 0xFFFFFFFF, len(self._completions)
        at = head & (room - 1)
        taken = self._completions[at : at + count]
        if at + count > room:
            taken = np.concatenate((taken, self._completions[: at + count - room]))
        columns = taken.T.astype(np.int64, order="C")
        self._cq_head[0] = tail
        return columns

    def _enter(self, count: int, timeout: Seconds) -> None:
        seconds = int(timeout)
        self._timespec.seconds = seconds
        self._timespec.nanoseconds = int((timeout - seconds) * 1e9)
        kernel.enter(self.descriptor, self._queued(), count, self._argument)

    def _queued(self) -> int:
        return (self._tail - int(self._sq_head[0])) & 0xFFFFFFFF

    def close(self) -> None:
        os.close(self.descriptor)


class _BufferRing:
    """The ring by which free rows are provided to the kernel."""

    def __init__(self, ring: _Ring, pool: Pool) -> None:
        count = pool.receiving
        self._mapping = mmap.mmap(-1, 16 * count)
        self._ring: Quads = np.frombuffer(self._mapping, np.uint64).reshape(count, 2)
        self._tail_field = self._ring.view(np.uint16)[0, 7:8]  # over the first entry's last part
        rows = np.arange(count)
        self._table: Quads = np.empty((count, 2), np.uint64)
        self._table[:, 0] = rows * STRIDE + pool.base
        self._table[:, 1] = STRIDE | rows << 32
        self._tail, self._mask = 0, count - 1
        registration = kernel.BufferRing(ring_addr=self._ring.ctypes.data, ring_entries=count)
        kernel.register(
            ring.descriptor, kernel.REGISTER_PBUF_RING, ctypes.addressof(registration), 1
        )
        self.provide(rows)

    def provide(self, rows: Ints) -> None:
        """Give rows to the kernel again."""
        at, count = self._tail & self._mask, len(rows)
        if not count:
            return
        if at + count <= len(self._ring):
            self._table.take(rows, axis=0, out=self._ring[at : at + count], mode="clip")
        else:
            self._ring[(at + np.arange(count)) & self._mask] = self._table[rows]
        self._tail = (self._tail + count) & 0xFFFF
        self._tail_field[0] = self._tail


def _send_entries(sockets: Sockets) -> Quads:
    """For each socket, the submission that sends to its peer: all but address and length."""
    index = np.arange(len(sockets.descriptors))
    return kernel.words(
        _SEND_HEAD | index << 32,
        index * PEER_STRIDE + sockets.peers.ctypes.data,
        0,
        (_MSG_DONTWAIT | _MSG_NOSIGNAL) << 32,
        _SEND << _TAG,
        sockets.name_lengths << 32,
        count=len(index),
    )


def _all_packets(high: Ints, results: Ints, flags: Ints) -> bool:
    """Whether every completion is a packet of a receive that goes on."""
    if not len(high):
        return True
    tags, more = np.bitwise_or.reduce(high), np.bitwise_and.reduce(flags)
    return bool(tags >> _TAG_HIGH == _RECEIVE and more & kernel.CQE_MORE and results.min() >= 0)


def probe() -> None:
    """Send one packet through a ring of our own; raises OSError where that fails.

    Tries everything that is used, since kernels and sandboxes differ in what they refuse.
    """
    with Sockets.loopback() as sockets:
        left, right = os.pipe()
        backend = UringBackend(sockets, left, 0.001)
        try:
            _exchange(backend, sockets)
        finally:
            backend.close()
            os.close(left)
            os.close(right)


def _exchange(backend: UringBackend, sockets: Sockets) -> None:
    backend.listen(1)
    row = backend.reserve(1)
    backend.pool.write(row, b"probe")
    sockets.aim(0, ("127.0.0.1", sockets.ports[0] + 1))
    one = np.array([row])
    backend.send(np.zeros(1, np.int64), backend.pool.addresses(one), np.array([5]))
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        batch = backend.wait(0.1)
        for at, length in zip(batch.rows.tolist(), batch.lengths.tolist(), strict=True):
            if backend.pool.read(at, length) == b"probe":
                return
    raise OSError("io_uring took a packet and gave none back")
