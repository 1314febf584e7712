"""io_uring's system calls and layouts (linux/io_uring.h), for x86-64 and aarch64 alike.

Knows the numbers and the shapes; what to do with a ring is `uring`'s matter.
"""

from __future__ import annotations

import ctypes
import errno
import os
from ctypes import c_uint32, c_uint64

import numpy as np

from media.types import Ints, Quads

_SETUP, _ENTER, _REGISTER = 425, 426, 427  # the same on both architectures

SETUP_CQSIZE, SETUP_SUBMIT_ALL = 1 << 3, 1 << 7
SETUP_SINGLE_ISSUER, SETUP_DEFER_TASKRUN = 1 << 12, 1 << 13
FEATURE_SINGLE_MMAP, FEATURE_EXT_ARG, FEATURE_MIN_TIMEOUT = 1 << 0, 1 << 8, 1 << 15
ENTER_GETEVENTS, ENTER_EXT_ARG = 1 << 0, 1 << 3
REGISTER_FILES, REGISTER_PBUF_RING = 2, 22

OP_POLL_ADD, OP_RECVMSG, OP_ASYNC_CANCEL, OP_SEND = 6, 10, 14, 26
SQE_FIXED_FILE, SQE_BUFFER_SELECT, SQE_SKIP_SUCCESS = 1 << 0, 1 << 5, 1 << 6
RECV_MULTISHOT = 1 << 1  # in ioprio
POLL_MULTI = 1 << 0  # in len
CQE_MORE = 1 << 1
CQE_BUFFER_SHIFT = 16

OFFSET_SQ_RING, OFFSET_SQES = 0, 0x10000000

# A submission entry as eight 64-bit words; only those parts that we use are named.
#   0: opcode(8) flags(8) ioprio(16) fd(32)      3: len(32) operation flags(32)
#   1: offset or second address                  4: user data
#   2: address                                   5: buffer group(16) personality(16) address length
SQE_WORDS = 8


class SqOffsets(ctypes.Structure):
    _fields_ = [
        *((name, c_uint32) for name in ("head", "tail", "ring_mask", "ring_entries", "flags")),
        *((name, c_uint32) for name in ("dropped", "array", "resv1")),
        ("user_addr", c_uint64),
    ]


class CqOffsets(ctypes.Structure):
    _fields_ = [
        *((name, c_uint32) for name in ("head", "tail", "ring_mask", "ring_entries")),
        *((name, c_uint32) for name in ("overflow", "cqes", "flags", "resv1")),
        ("user_addr", c_uint64),
    ]


class Params(ctypes.Structure):
    _fields_ = [
        *((name, c_uint32) for name in ("sq_entries", "cq_entries", "flags")),
        *((name, c_uint32) for name in ("sq_thread_cpu", "sq_thread_idle", "features", "wq_fd")),
        ("resv", c_uint32 * 3),
        ("sq_off", SqOffsets),
        ("cq_off", CqOffsets),
    ]


class BufferRing(ctypes.Structure):
    _fields_ = [
        ("ring_addr", c_uint64),
        ("ring_entries", c_uint32),
        ("bgid", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("resv", c_uint64 * 3),
    ]


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64)]


class WaitArgument(ctypes.Structure):
    """struct io_uring_getevents_arg."""

    _fields_ = [
        ("sigmask", c_uint64),
        ("sigmask_size", c_uint32),
        ("min_wait_usec", c_uint32),
        ("timespec", c_uint64),
    ]


class MessageHeader(ctypes.Structure):
    """struct msghdr: of it a multishot receive reads only the two lengths."""

    _fields_ = [
        ("name", c_uint64),
        ("name_length", c_uint32),
        ("padding", c_uint32),
        ("vectors", c_uint64),
        ("vector_count", c_uint64),
        ("control", c_uint64),
        ("control_length", c_uint64),
        ("flags", ctypes.c_int32),
    ]


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_long = ctypes.c_long


def setup(entries: int, params: Params) -> int:
    """A ring's descriptor.  Raises OSError where the kernel or a sandbox forbids it."""
    return _checked(_syscall(_long(_SETUP), _long(entries), ctypes.byref(params)))


def register(ring: int, operation: int, argument: int, count: int) -> None:
    """Register files or buffers with a ring.  Raises OSError."""
    _checked(
        _syscall(_long(_REGISTER), _long(ring), _long(operation), _long(argument), _long(count))
    )


def enter(ring: int, submit: int, wait_for: int, argument: WaitArgument) -> int:
    """Submit entries and wait; how many were submitted, or 0 when only the time ran out.

    Every integer goes as c_long: those that land on the stack have otherwise undefined
    upper halves.
    """
    result = int(
        _syscall(
            _long(_ENTER),
            _long(ring),
            _long(submit),
            _long(wait_for),
            _long(ENTER_GETEVENTS | ENTER_EXT_ARG if wait_for else 0),
            ctypes.byref(argument) if wait_for else None,
            _long(ctypes.sizeof(argument) if wait_for else 0),
        )
    )
    if result < 0:
        number = ctypes.get_errno()
        if number not in (errno.ETIME, errno.EINTR, errno.EAGAIN, errno.EBUSY):
            raise OSError(number, os.strerror(number))
        return 0
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def words(*columns: int | Ints | Quads, count: int) -> Quads:
    """Submission entries from their first six words, each a number or an array; (count, 8)."""
    entries = np.zeros((count, SQE_WORDS), np.uint64)
    for position, column in enumerate(columns):
        entries[:, position] = column
    return entries
