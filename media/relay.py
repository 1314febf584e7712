"""The fast path: a listener that hears exactly one leg in its own codec gets its packets.

Whatever the source does, the listener sees one SSRC, sequence numbers without a break and
timestamps that run on; a marker bit shows each change of source (RFC 3551 §4.1).
Pure functions on arrays; rows are all different (see `rtp.rounds`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media import rtp
from media.backends.pool import Pool
from media.legs import AUDIO, NOWHERE, Legs
from media.reception import Tracked
from media.rtp import HEADER, Packets
from media.types import Instant, Ints, Mask


class Forwarded(NamedTuple):
    """Packets rewritten in place, ready to be sent."""

    listeners: Ints
    rows: Ints
    """Rows of the pool."""
    headers_at: Ints
    """Octets from the start of the received packet to the new header."""
    lengths: Ints


def forward(
    legs: Legs, pool: Pool, packets: Packets, kinds: Ints, tracked: Tracked, now: Instant
) -> Forwarded:
    """Rewrite the packets that go on to a listener; leave out repeated and unknown ones."""
    listeners = legs.relay_to[packets.leg]
    types = legs.relay_types[packets.leg, packets.payload_type].astype(np.int64)
    goes = (
        (listeners >= 0)
        & (types != NOWHERE)
        & ~tracked.repeated
        & legs.sending[listeners]
        & legs.receiving[packets.leg]
    )
    if tracked.restarted.any():
        legs.fresh[listeners[tracked.restarted & (listeners >= 0)]] = True
    first = goes & legs.fresh[listeners]
    if first.any():
        align(legs, listeners[first], tracked.sequence[first], packets.timestamp[first], now)
    if not tracked.newest.all():  # may be from before the listener's source changed
        goes &= tracked.sequence >= legs.floor[listeners]
    if not goes.all():
        packets, tracked = packets.only(goes), tracked.only(goes)
        listeners, types, kinds = listeners[goes], types[goes], kinds[goes]
    return _rewrite(legs, pool, packets, listeners, types, kinds >= AUDIO, tracked, now)


def align(legs: Legs, listeners: Ints, sequence: Ints, timestamp: Ints, now: Instant) -> None:
    """Choose the shifts so that a new source's packet follows what the listener got last.

    The sequence goes on by one; the timestamp by the time that passed, at least one frame.
    """
    elapsed = (now - legs.out_time[listeners]) * legs.out_clock[listeners]
    step = np.maximum(np.rint(elapsed).astype(np.int64), legs.out_frame[listeners])
    legs.shift_sequence[listeners] = legs.out_next[listeners] - sequence
    legs.shift_timestamp[listeners] = legs.out_timestamp[listeners] + step - timestamp
    legs.floor[listeners] = sequence


def _rewrite(
    legs: Legs,
    pool: Pool,
    packets: Packets,
    listeners: Ints,
    types: Ints,
    audio: Mask,
    tracked: Tracked,
    now: Instant,
) -> Forwarded:
    sequence = tracked.sequence + legs.shift_sequence[listeners]
    timestamp = (packets.timestamp + legs.shift_timestamp[listeners]) & 0xFFFFFFFF
    marker = legs.fresh[listeners] | ((packets.first >> 23) & 1 == 1)
    headers_at = packets.payload_at - HEADER
    ssrc = legs.out_ssrc[listeners]
    headers = rtp.pack_headers(packets.first, marker, types, sequence, timestamp, ssrc)
    rtp.write_headers(pool, packets.row, headers_at, headers)
    legs.fresh[listeners] = False
    following = legs.out_next[listeners]
    lead = sequence >= following
    legs.out_next[listeners] = np.where(lead, sequence + 1, following)
    lead &= audio
    legs.out_timestamp[listeners] = np.where(lead, timestamp, legs.out_timestamp[listeners])
    legs.out_time[listeners] = np.where(lead, now, legs.out_time[listeners])
    lengths = packets.length - headers_at
    legs.out_packets[listeners] += 1
    legs.out_octets[listeners] += lengths - HEADER
    return Forwarded(listeners, packets.row, headers_at, lengths)
