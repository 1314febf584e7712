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
    count = len(listeners)
    in_order = np.count_nonzero(tracked.newest & ~tracked.restarted) == count
    goes = legs.flows[packets.leg] & (types != NOWHERE)
    if not in_order:
        goes &= ~tracked.repeated
        legs.fresh[listeners[tracked.restarted & (listeners >= 0)]] = True
    fresh = goes & legs.fresh[listeners]
    if np.count_nonzero(fresh):
        align(legs, listeners[fresh], tracked.sequence[fresh], packets.timestamp[fresh], now)
    if not in_order:  # some may be from before the listener's source changed
        goes &= tracked.sequence >= legs.floor[listeners]
    if np.count_nonzero(goes) != count:
        packets, tracked = packets.only(goes), tracked.only(goes)
        listeners, types, kinds, fresh = listeners[goes], types[goes], kinds[goes], fresh[goes]
    in_order &= np.count_nonzero(kinds >= AUDIO) == len(kinds)
    sequence = tracked.sequence + legs.shift_sequence[listeners]
    timestamp = (packets.timestamp + legs.shift_timestamp[listeners]) & 0xFFFFFFFF
    if in_order:
        legs.out_next[listeners] = sequence + 1
        legs.out_timestamp[listeners] = timestamp
        legs.out_time[listeners] = now
    else:
        _lead(legs, listeners, sequence, timestamp, kinds, now)
    return _rewrite(legs, pool, packets, listeners, types, fresh, sequence, timestamp)


def align(legs: Legs, listeners: Ints, sequence: Ints, timestamp: Ints, now: Instant) -> None:
    """Choose the shifts so that a new source's packet follows what the listener got last.

    The sequence goes on by one; the timestamp by the time that passed, at least one frame.
    """
    elapsed = (now - legs.out_time[listeners]) * legs.out_clock[listeners]
    step = np.maximum(np.rint(elapsed).astype(np.int64), legs.out_frame[listeners])
    legs.shift_sequence[listeners] = legs.out_next[listeners] - sequence
    legs.shift_timestamp[listeners] = legs.out_timestamp[listeners] + step - timestamp
    legs.floor[listeners] = sequence


def _lead(
    legs: Legs, listeners: Ints, sequence: Ints, timestamp: Ints, kinds: Ints, now: Instant
) -> None:
    """Note how far the listeners' streams have come; what comes late does not set them back."""
    following = legs.out_next[listeners]
    lead = sequence >= following
    legs.out_next[listeners] = np.where(lead, sequence + 1, following)
    lead &= kinds >= AUDIO
    legs.out_timestamp[listeners] = np.where(lead, timestamp, legs.out_timestamp[listeners])
    legs.out_time[listeners] = np.where(lead, now, legs.out_time[listeners])


def _rewrite(
    legs: Legs,
    pool: Pool,
    packets: Packets,
    listeners: Ints,
    types: Ints,
    fresh: Mask,
    sequence: Ints,
    timestamp: Ints,
) -> Forwarded:
    """Lay the listeners' headers into the packets."""
    marker = fresh | (packets.first & rtp.MARKER != 0)
    headers_at = packets.payload_at - HEADER
    ssrc = legs.out_ssrc[listeners]
    headers = rtp.pack_headers(packets.first, marker, types, sequence, timestamp, ssrc)
    rtp.write_headers(pool, packets.row, headers_at, headers)
    legs.fresh[listeners] = False
    lengths = packets.length - headers_at
    legs.out_packets[listeners] += 1
    legs.out_octets[listeners] += lengths - HEADER
    return Forwarded(listeners, packets.row, headers_at, lengths)
