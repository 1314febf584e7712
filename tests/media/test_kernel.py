"""Layouts that the kernel fixes, alike on x86-64 and aarch64, whether or not it grants a ring."""

import ctypes

import pytest

from media.backends import kernel
from media.backends.epoll import _MSGHDR

SIZES = {  # sizeof in linux/io_uring.h, time_types.h and sys/socket.h, LP64 little-endian
    kernel.SqOffsets: 40,
    kernel.CqOffsets: 40,
    kernel.Params: 120,
    kernel.BufferRing: 40,
    kernel.Timespec: 16,
    kernel.WaitArgument: 24,
    kernel.MessageHeader: 56,
}
OFFSETS = {
    (kernel.Params, "features"): 20,
    (kernel.Params, "sq_off"): 40,
    (kernel.Params, "cq_off"): 80,
    (kernel.SqOffsets, "array"): 24,
    (kernel.CqOffsets, "cqes"): 20,
    (kernel.BufferRing, "bgid"): 12,
    (kernel.WaitArgument, "min_wait_usec"): 12,
    (kernel.WaitArgument, "timespec"): 16,
    (kernel.MessageHeader, "control_length"): 40,
}


@pytest.mark.parametrize("shape", SIZES, ids=lambda shape: shape.__name__)
def test_sizes(shape: type[ctypes.Structure]) -> None:
    assert ctypes.sizeof(shape) == SIZES[shape]


@pytest.mark.parametrize(
    ("shape", "field"), OFFSETS, ids=lambda part: getattr(part, "__name__", part)
)
def test_offsets(shape: type[ctypes.Structure], field: str) -> None:
    assert getattr(shape, field).offset == OFFSETS[shape, field]


def test_epolls_message_header_is_the_same_struct() -> None:
    assert _MSGHDR.itemsize == ctypes.sizeof(kernel.MessageHeader)
    fields = _MSGHDR.fields
    assert fields is not None
    assert fields["iov"][1] == kernel.MessageHeader.vectors.offset
    assert fields["flags"][1] == kernel.MessageHeader.flags.offset


def test_submissions_lie_where_the_kernel_reads_them() -> None:
    """struct io_uring_sqe: opcode, flags, ioprio, fd; address; length and operation's flags."""
    head = kernel.OP_SEND | kernel.SQE_FIXED_FILE << 8 | 7 << 32
    entry = kernel.words(head, 1, 2, 3 | 4 << 32, 5, 6, count=1).view("u1").reshape(-1)
    assert entry.size == 64
    assert (entry[0], entry[1]) == (kernel.OP_SEND, kernel.SQE_FIXED_FILE)
    assert int(entry[4:8].view("<i4")[0]) == 7
    assert [int(value) for value in entry[24:32].view("<u4")] == [3, 4]
    assert int(entry[32:40].view("<u8")[0]) == 5
