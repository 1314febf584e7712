"""RTP headers of whole batches (RFC 3550 §5.1): read, written, never copied one by one.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           timestamp                           |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                             SSRC                              |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

Pure functions on arrays; no socket, no leg, no clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.backends.pool import DATA, Pool
from media.types import Ints, Mask, Words

HEADER = 12
_WORD = DATA // 4
_VERSION_2 = 2 << 30
_KEEP_PADDING = 1 << 29
MARKER = 1 << 23


class Packets(NamedTuple):
    """A batch of packets, one column a fact; entry i of each array belongs to packet i."""

    leg: Ints
    """Row of the leg whose port it came to."""
    row: Ints
    """Row of the pool where it lies."""
    length: Ints
    """Octets, header included."""
    first: Ints
    """The first word of the header as it stands."""
    payload_type: Ints
    sequence: Ints
    timestamp: Ints
    ssrc: Ints
    payload_at: Ints
    """Octets from the packet's start to its payload: 12 unless CSRCs or an extension are there."""
    valid: Mask
    """Version 2 and a header that fits into the packet."""

    def only(self, chosen: Mask | Ints) -> Packets:
        """The packets that a mask or an index picks."""
        return Packets._make(column[chosen] for column in self)


def parse(pool: Pool, legs: Ints, rows: Ints, lengths: Ints) -> Packets:
    """Read the headers of the packets in `rows` of the pool, `lengths` octets each."""
    words = pool.headers[rows].byteswap().astype(np.int64)
    first = words[:, 0]
    payload_at = np.full(len(rows), HEADER, np.int64)
    valid = (first >> 30 == 2) & (lengths >= HEADER)
    if np.count_nonzero(first & 0x1F000000):  # X, CC: contributing sources or an extension, seldom
        _skip_optional(pool, rows, lengths, first, payload_at, valid)
    return Packets(
        legs,
        rows,
        lengths,
        first,
        (first >> 16) & 0x7F,
        first & 0xFFFF,
        words[:, 1],
        words[:, 2],
        payload_at,
        valid,
    )


def _skip_optional(
    pool: Pool, rows: Ints, lengths: Ints, first: Ints, payload_at: Ints, valid: Mask
) -> None:
    """Find where the payload begins behind CSRCs and a header extension (RFC 3550 §5.3.1)."""
    payload_at += 4 * ((first >> 24) & 15)
    extended = np.flatnonzero(valid & ((first >> 28) & 1 == 1))
    for i in extended.tolist():
        at = DATA + int(payload_at[i])
        head = pool.octets[rows[i], at : at + 4]
        if len(head) == 4:
            payload_at[i] += 4 + 4 * ((int(head[2]) << 8) | int(head[3]))
    valid &= payload_at <= lengths


def pack_headers(
    first: Ints, marker: Mask, payload_type: Ints, sequence: Ints, timestamp: Ints, ssrc: Ints
) -> Words:
    """Headers as three words in network order, (n, 3).  Of `first` only the padding bit stays."""
    words = np.empty((len(sequence), 3), np.int64)
    words[:, 0] = (
        _VERSION_2
        | (first & _KEEP_PADDING)
        | (marker.astype(np.int64) << 23)
        | (payload_type << 16)
        | (sequence & 0xFFFF)
    )
    words[:, 1] = timestamp & 0xFFFFFFFF
    words[:, 2] = ssrc
    return words.astype(np.uint32).byteswap()


def write_headers(pool: Pool, rows: Ints, headers_at: Ints, headers: Words) -> None:
    """Lay headers into packets, `headers_at` octets (a multiple of 4) from each one's start.

    Contributing sources and extensions are dropped by putting the new header right before
    the payload.
    """
    if np.count_nonzero(headers_at):
        at = _WORD + (headers_at >> 2)
        pool.words[rows[:, None], at[:, None] + np.arange(3)] = headers
    else:
        pool.headers[rows] = headers


def is_rtcp(packets: Packets) -> Mask:
    """Which packets on an RTP port are RTCP (RFC 5761 §4: second octet 192 to 223)."""
    kind: Mask = (packets.first & 0xE00000) == 0xC00000
    return kind


def rounds(rows: Ints, capacity: int) -> list[Ints]:
    """Split a batch so that no row comes twice in one part, order kept within each row.

    Per-leg arithmetic can then be written as if each leg had one packet.  Usually one part.
    """
    count = len(rows)
    order = np.arange(count)
    last = np.empty(capacity, np.int64)
    last[rows] = order
    if np.count_nonzero(last[rows] == order) == count:
        return [order]
    by_row = np.argsort(rows, kind="stable")
    ordered = rows[by_row]
    starts = np.r_[True, ordered[1:] != ordered[:-1]]
    first_of = np.maximum.accumulate(np.where(starts, order, 0))
    turn = np.empty(count, np.int64)
    turn[by_row] = order - first_of
    return [np.flatnonzero(turn == k) for k in range(int(turn.max()) + 1)]
