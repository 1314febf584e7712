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
    ordinary = (ahead == 1) & (packets.ssrc == legs.in_ssrc[rows]) & (kinds >= AUDIO)
    if np.count_nonzero(ordinary) == len(rows):
        tracked = _in_order(legs, packets, highest + 1, now)
    else:
        tracked = _in_disorder(legs, packets, ahead, kinds, now)
    legs.in_packets[rows] += 1
    legs.in_octets[rows] += packets.length - packets.payload_at
    legs.in_last[rows] = now
    return tracked


def _in_order(legs: Legs, packets: Packets, sequence: Ints, now: Instant) -> Tracked:
    """Every packet is the one that was expected: the case that has to be fast."""
    rows = packets.leg
    before = legs.in_timestamp[rows]
    timestamp = _unwrap(packets.timestamp, before)
    legs.in_highest[rows] = sequence
    legs.in_timestamp[rows] = timestamp
    legs.in_window[rows] = (legs.in_window[rows] << _ONE) | _ONE
    legs.in_current[rows] += 1
    _jitter(legs, rows, timestamp - before, now)
    never = np.zeros(len(rows), np.bool_)
    return Tracked(sequence, timestamp, never, never, ~never)


def _in_disorder(legs: Legs, packets: Packets, ahead: Ints, kinds: Ints, now: Instant) -> Tracked:
    """Any packet may begin a stream, come twice, come late or leave a gap."""
    rows = packets.leg
    restarted = (packets.ssrc != legs.in_ssrc[rows]) | (np.abs(ahead) > ABSURD)
    if restarted.any():
        _restart(legs, packets.only(restarted))
        ahead = np.where(restarted, 1, ahead)
    highest, before = legs.in_highest[rows], legs.in_timestamp[rows]
    sequence = highest + ahead
    timestamp = _unwrap(packets.timestamp, before)
    newest = ahead > 0
    repeated = _mark(legs, rows, ahead, newest)
    legs.in_highest[rows] = np.maximum(sequence, highest)
    legs.in_timestamp[rows] = np.where(newest, timestamp, before)
    legs.reordered[rows] += ~newest & ~repeated
    legs.duplicate[rows] += repeated
    legs.in_current[rows] += ~repeated
    timed = newest & ~restarted & (kinds >= AUDIO)
    _jitter(legs, rows[timed], (timestamp - before)[timed], now)
    return Tracked(sequence, timestamp, restarted, repeated, newest)


def _unwrap(timestamp: Ints, before: Ints) -> Ints:
    """The 64-bit timestamp nearest to `before` that ends in these 32 bits."""
    return before + ((timestamp - before + 0x80000000) & 0xFFFFFFFF) - 0x80000000


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
    step = np.clip(ahead, 0, 63).astype(np.uint64)
    back = np.clip(-ahead, 0, 63).astype(np.uint64)
    moved = np.where(ahead > 63, np.uint64(0), window << step)
    bit = np.where(newest, _ONE, _ONE << back)
    repeated: Mask = ~newest & ((window & bit) != 0)
    legs.in_window[rows] = moved | bit
    return repeated


def _jitter(legs: Legs, rows: Ints, step: Ints, now: Instant) -> None:
    """RFC 3550 A.8: a sixteenth of the change of transit time, in ticks.

    `step` is how far each packet's timestamp lies behind the one of the packet before it.
    """
    change = np.abs((now - legs.in_last[rows]) * legs.in_clock[rows] - step)
    old = legs.in_jitter[rows]
    legs.in_jitter[rows] = old + (change - old) * 0.0625
