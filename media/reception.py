"""What is counted and remembered of every believed packet: sequence, loss, order, jitter.

RFC 3550 A.1, A.3 and A.8, for many legs at once.  Every function takes rows that are all
different (see `rtp.rounds`), so entry i speaks for leg `rows[i]` alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.legs import ABSURD, AUDIO, Legs
from media.rtp import Packets
from media.types import Instant, Ints, Mask

_ONE = np.uint64(1)


class Tracked(NamedTuple):
    """Where each packet stands in its stream."""

    sequence: Ints
    """Unwrapped."""
    timestamp: Ints
    """Unwrapped."""
    restarted: Mask
    """A new stream begins: another SSRC, or numbers that jump absurdly."""
    repeated: Mask
    newest: Mask
    """Ahead of all packets so far."""

    def only(self, chosen: Mask) -> Tracked:
        return Tracked._make(column[chosen] for column in self)


def track(legs: Legs, packets: Packets, kinds: Ints, now: Instant) -> Tracked:
    """Place packets in their streams and update the counters of RFC 3550."""
    rows = packets.leg
    highest = legs.in_highest[rows]
    ahead = ((packets.sequence - highest + 0x8000) & 0xFFFF) - 0x8000
    restarted = (
        ~legs.in_started[rows] | (packets.ssrc != legs.in_ssrc[rows]) | (np.abs(ahead) > ABSURD)
    )
    if restarted.any():
        _restart(legs, packets.only(restarted))
        highest = legs.in_highest[rows]
        ahead = ((packets.sequence - highest + 0x8000) & 0xFFFF) - 0x8000
    sequence = highest + ahead
    before = legs.in_timestamp[rows]
    timestamp = before + ((packets.timestamp - before + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    newest = ahead > 0
    repeated = _mark(legs, rows, ahead, newest)
    if newest.all():
        legs.in_highest[rows] = sequence
        legs.in_timestamp[rows] = timestamp
    else:
        legs.in_highest[rows] = np.maximum(sequence, highest)
        legs.in_timestamp[rows] = np.where(newest, timestamp, before)
        legs.reordered[rows] += ~newest & ~repeated
        legs.duplicate[rows] += repeated
    legs.in_current[rows] += ~repeated
    legs.in_packets[rows] += 1
    legs.in_octets[rows] += packets.length - packets.payload_at
    legs.in_last[rows] = now
    _jitter(legs, rows, timestamp, restarted, newest & (kinds >= AUDIO), now)
    return Tracked(sequence, timestamp, restarted, repeated, newest)


def _restart(legs: Legs, packets: Packets) -> None:
    """Begin a new stream; what the old one lost stays on the account."""
    rows = packets.leg
    old = rows[legs.in_started[rows]]
    span = legs.in_highest[old] - legs.in_base[old] + 1
    legs.in_lost_before[old] += np.maximum(span - legs.in_current[old], 0)
    legs.in_span_before[old] += span
    legs.in_started[rows] = True
    legs.in_ssrc[rows] = packets.ssrc
    legs.in_base[rows] = packets.sequence + 0x10000  # one cycle up: reordering cannot go below 0
    legs.in_highest[rows] = legs.in_base[rows] - 1
    legs.in_timestamp[rows] = packets.timestamp
    legs.in_window[rows] = 0
    legs.in_current[rows] = 0


def _mark(legs: Legs, rows: Ints, ahead: Ints, newest: Mask) -> Mask:
    """Note the packets in the windows of the last 64 numbers; tell which were there before."""
    window = legs.in_window[rows]
    if (ahead == 1).all():  # every stream in order
        legs.in_window[rows] = (window << _ONE) | _ONE
        return np.zeros(len(rows), np.bool_)
    step = np.clip(ahead, 0, 63).astype(np.uint64)
    back = np.clip(-ahead, 0, 63).astype(np.uint64)
    moved = np.where(ahead > 63, np.uint64(0), window << step)
    bit = np.where(newest, _ONE, _ONE << back)
    repeated: Mask = ~newest & ((window & bit) != 0)
    legs.in_window[rows] = moved | bit
    return repeated


def _jitter(
    legs: Legs, rows: Ints, timestamp: Ints, restarted: Mask, counts: Mask, now: Instant
) -> None:
    """RFC 3550 A.8: a sixteenth of the change of transit time, in ticks."""
    transit = now * legs.in_clock[rows] - timestamp
    change = np.abs(transit - legs.in_transit[rows])
    old = legs.in_jitter[rows]
    counted = counts & ~restarted
    legs.in_jitter[rows] = np.where(counted, old + (change - old) / 16.0, old)
    legs.in_transit[rows] = np.where(counts, transit, legs.in_transit[rows])
