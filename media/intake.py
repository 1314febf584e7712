"""Audio packets on their way from the pool to the decoders.

The pool is reused at every turn, and sound is decoded once a tick for all legs together, which
shares the fixed cost of every step: until then it is kept here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media import rtp
from media.backends.pool import DATA, Pool
from media.reception import Tracked
from media.types import Ints, Mask, Octets

_PAYLOAD = DATA + rtp.HEADER
_PADDED = 1 << 29


class Sounds(NamedTuple):
    """Audio packets taken out of the pool, a column a fact."""

    rows: Ints
    kinds: Ints
    sequences: Ints
    timestamps: Ints
    restarted: Mask
    repeated: Mask
    newest: Mask
    lengths: Ints
    """Octets of the payloads, padding left out."""
    payloads: Octets
    """As wide as the longest."""

    def only(self, chosen: Mask | Ints) -> Sounds:
        return Sounds._make(column[chosen] for column in self)


def collect(pool: Pool, packets: rtp.Packets, kinds: Ints, tracked: Tracked) -> Sounds:
    octets = pool.octets
    lengths = packets.length - packets.payload_at
    if (packets.payload_at == rtp.HEADER).all():
        payloads = plain_payloads(pool, packets.row, packets.length)
    else:
        width = int(lengths.max(initial=0))
        columns = (DATA + packets.payload_at)[:, None] + np.arange(width)
        payloads = octets[packets.row[:, None], np.minimum(columns, octets.shape[1] - 1)]
    padded = (packets.first & _PADDED) != 0
    if padded.any():  # RFC 3550 §5.1: the last octet counts the padding
        last = octets[packets.row, DATA + packets.length - 1].astype(np.int64)
        lengths = np.where(padded, np.maximum(lengths - last, 0), lengths)
    return Sounds(packets.leg, kinds, *tracked, lengths, payloads)


def plain_payloads(pool: Pool, rows: Ints, lengths: Ints) -> Octets:
    """What follows the headers of packets in which they are as short as they can be."""
    payloads: Octets = pool.octets[rows, _PAYLOAD : DATA + int(lengths.max(initial=rtp.HEADER))]
    return payloads


def join(parts: list[Sounds]) -> Sounds:
    """One batch of all, payloads as wide as the widest."""
    width = max(part.payloads.shape[1] for part in parts)
    payloads = np.zeros((sum(len(part.rows) for part in parts), width), np.uint8)
    at = 0
    for part in parts:
        payloads[at : at + len(part.rows), : part.payloads.shape[1]] = part.payloads
        at += len(part.rows)
    columns = zip(*(part[:-1] for part in parts), strict=True)
    return Sounds._make([*(np.concatenate(column) for column in columns), payloads])
