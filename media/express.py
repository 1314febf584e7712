"""The express: packets that are exactly what was expected next need not be looked at.

Of a stream under way everything is known beforehand but its sound: who sends it, its SSRC, the
next sequence number and timestamp, and, where it is relayed, the whole header that its listener
is to get.  A *lane* holds that for one socket; a batch is compared with its lanes in one step,
and what matches is sent with the lane's header, or is ready to be decoded.  All else takes the
ordinary path, which judges it and lays the lane anew.  What the express carried is entered into
`Legs` when `settle` is called.

A lane is one line of the processor's cache, sixteen words in host order:

     0          7       8           9      10      11          12     13       14    15
    +----------+-------+-----------+------+-------+-----------+------+--------+-----+--------+
    | address  | first | timestamp | SSRC | first | timestamp | SSRC | octets | due | jitter |
    +----------+-------+-----------+------+-------+-----------+------+--------+-----+--------+
    | expected, as it lies in the pool    | sent on next             | account               |

To it belongs a line of what each packet adds.  `due` is when the packet would come without
jitter, in microseconds modulo 2**32; `jitter` is in sixteenths of a microsecond.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.backends import Backend, Batch
from media.intake import Sounds, plain_payloads
from media.legs import AUDIO, Legs
from media.reception import Tracked
from media.rtp import HEADER, Packets
from media.types import Array, Instant, Ints, Words

_FIRST, _TIMESTAMP, _SSRC = 7, 8, 9
_EXPECTED = slice(0, 10)
_SENT_FIRST, _SENT_TIMESTAMP, _SENT_SSRC = 10, 11, 12
_SENT = slice(10, 13)
_OCTETS, _DUE, _JITTER, _WORDS = 13, 14, 15, 16
_LINE = 64
_MOST_CHANGE = 1 << 27
"""Microseconds of jitter at a time, so that sixteen times as much can be kept."""
_PLAIN = 0x80
"""First octet of a header with version 2 and nothing optional."""
_LAST_NUMBER = 0xFC00
"""A lane ends before its sequence number wraps; the ordinary path takes it across."""
_MOST_STEP = 9600
_IPV6_FAMILY = 10 << 24
_NOBODY = -2
"""The listener of a stream that is not relayed."""
_ONE = np.uint64(1)


class Carried(NamedTuple):
    """What the express did not do by itself."""

    left: Ints | None
    """Packets for the ordinary path, as indices of the batch; None: all were carried."""
    decoded: Sounds | None
    """Of what was carried, that of which somebody needs the samples."""


class _Table:
    """A line for each socket, picked and laid as a whole."""

    __slots__ = ("_records", "words")

    def __init__(self, sockets: int) -> None:
        room = np.zeros(sockets * _LINE + _LINE, np.uint8)
        start = -room.ctypes.data % _LINE
        aligned = room[start : start + sockets * _LINE]
        self.words: Words = aligned.view(np.uint32).reshape(sockets, _WORDS)
        self._records: Array = aligned.view(f"V{_LINE}")

    def pick(self, sockets: Ints) -> Words:
        picked: Words = self._records[sockets].view(np.uint32).reshape(-1, _WORDS)
        return picked

    def lay(self, sockets: Ints, words: Words) -> None:
        self._records[sockets] = words.view(self._records.dtype)[:, 0]


class Express:
    """Lanes of all sockets of one engine."""

    def __init__(self, legs: Legs, backend: Backend, ipv6: bool) -> None:
        count = 2 * legs.capacity
        self._legs, self._backend, self._ipv6 = legs, backend, ipv6
        self._lanes, self._steps = _Table(count), _Table(count)
        self._open = np.zeros(count, np.bool_)
        self._listener: Ints = np.full(count, _NOBODY, np.int64)
        """Socket of the leg that gets the packets as they come."""
        self._decoded = np.zeros(count, np.bool_)
        self._settled: Words = np.zeros(count, np.uint32)
        """First word of what was to be sent at the last settlement: how far it went on since is
        the count of packets, sent or not."""
        self._now: Instant = 0.0
        """When the last batch was carried."""
        self._mark: Ints = np.zeros(count, np.int64)
        self._sockets: Ints = np.arange(count)
        self._order: Ints = np.arange(backend.pool.rows)
        self._carried = False
        """Whether anything was carried since all was settled."""
        self._decodes = self._mixes = False
        """Whether any lane's samples are needed; whether any has no listener."""

    # Packets

    def carry(self, batch: Batch, now: Instant) -> Carried:
        """Send on every packet that is the next of its lane; tell which others there are."""
        sockets, rows, lengths = batch.sockets, batch.rows, batch.lengths
        heads, lanes = self._heads(rows), self._lanes.pick(sockets)
        expected = lanes[:, _EXPECTED]
        left = None
        if heads.tobytes() != expected.tobytes():
            known = (heads == expected).all(axis=1)
            left = np.flatnonzero(~known)
            if len(left) == len(rows):
                return Carried(left, None)
            sockets, rows, lengths = sockets[known], rows[known], lengths[known]
            lanes = lanes[known]
        if int(lengths.min()) < HEADER or not self._differ(sockets):
            return Carried(self._order[: len(batch.rows)], None)
        self._carried, self._now = True, now
        self._send(sockets, rows, lengths, lanes)
        self._go_on(sockets, lengths, lanes, now)
        return Carried(left, self._to_decode(sockets, rows, lengths))

    def _heads(self, rows: Ints) -> Words:
        """Source and header of each packet, in host order."""
        heads: Words = self._backend.pool.heads[rows].view(np.uint32).reshape(len(rows), -1)
        heads.byteswap(inplace=True)
        if self._ipv6:  # an IPv4 address leaves the rest of the room as it was
            heads[heads[:, 0] & 0xFF000000 != _IPV6_FAMILY, 4:_FIRST] = 0
        return heads

    def _differ(self, sockets: Ints) -> bool:
        """Whether no socket comes twice, as it does when one packet came twice."""
        order = self._order[: len(sockets)]
        self._mark[sockets] = order
        return bool(np.count_nonzero(self._mark.take(sockets) == order) == len(order))

    def _send(self, sockets: Ints, rows: Ints, lengths: Ints, lanes: Words) -> None:
        pool = self._backend.pool
        listeners = self._listener.take(sockets)
        if self._mixes:
            relayed = np.flatnonzero(listeners != _NOBODY)
            if not len(relayed):
                return
            listeners, rows, lengths = listeners[relayed], rows[relayed], lengths[relayed]
            lanes = lanes[relayed]
        headers = lanes[:, _SENT].byteswap()
        pool.header_records[rows] = headers.view(pool.header_records.dtype)[:, 0]
        self._backend.send(listeners, pool.addresses(rows), lengths)

    def _go_on(self, sockets: Ints, lengths: Ints, lanes: Words, now: Instant) -> None:
        """Expect the packets after these; count octets; jitter as RFC 3550 A.8 has it."""
        steps = self._steps.pick(sockets)
        following = lanes + steps
        following[:, _OCTETS] += lengths.astype(np.uint32)
        clock = _microseconds(now)
        np.add(steps[:, _DUE], clock, out=following[:, _DUE])
        late = (clock - lanes[:, _DUE]).view(np.int32)
        change = np.minimum(np.abs(late), _MOST_CHANGE).view(np.uint32)
        following[:, _JITTER] += change - (lanes[:, _JITTER] >> 4)
        self._lanes.lay(sockets, following)

    def _to_decode(self, sockets: Ints, rows: Ints, lengths: Ints) -> Sounds | None:
        if not self._decodes:
            return None
        wanted = np.flatnonzero(self._decoded.take(sockets))
        if not len(wanted):
            return None
        if len(wanted) != len(sockets):
            sockets, rows, lengths = sockets[wanted], rows[wanted], lengths[wanted]
        legs, own, never = self._legs, sockets >> 1, np.zeros(len(sockets), np.bool_)
        following = self._lanes.words[sockets, _SENT_FIRST]
        count = (following - self._settled[sockets]).astype(np.int64)
        return Sounds(
            own,
            legs.in_codec[own],
            legs.in_highest[own] + count,
            legs.in_timestamp[own] + count * self._steps.words[sockets, _TIMESTAMP],
            never,
            never,
            ~never,
            lengths - HEADER,
            plain_payloads(self._backend.pool, rows, lengths),
        )

    # Lanes

    def lay(self, packets: Packets, tracked: Tracked, kinds: Ints) -> None:
        """Lay the lanes of legs whose packets, just handled, let the next ones be foretold."""
        legs, rows = self._legs, packets.leg
        to = legs.relay_to[rows]
        ready = ~(legs.fresh[to] | legs.secure[to]) & (legs.out_next[to] & 0xFFFF < _LAST_NUMBER)
        good = (
            (packets.first >> 24 == _PLAIN)
            & (kinds >= AUDIO)
            & tracked.newest
            & ~legs.secure[rows]
            & (packets.sequence < _LAST_NUMBER)
            & (ready | ~legs.flows[rows])
        )
        if np.count_nonzero(good) != len(good):
            packets = packets.only(good)
        if len(packets.leg):
            self._lay(packets)

    def _lay(self, packets: Packets) -> None:
        legs, rows, sockets = self._legs, packets.leg, 2 * packets.leg
        step = self._step(packets, sockets)
        lanes = np.zeros((len(rows), _WORDS), np.int64)
        lanes[:, _EXPECTED] = self._heads(packets.row)
        lanes[:, _FIRST] = _PLAIN << 24 | packets.payload_type << 16 | packets.sequence + 1
        lanes[:, _TIMESTAMP] = packets.timestamp + step
        lanes[:, _SSRC] = packets.ssrc
        self._lay_relay(packets, lanes, step)
        pace = np.rint(1e6 * step / legs.in_clock[rows]).astype(np.int64)
        lanes[:, _DUE] = np.rint(1e6 * legs.in_last[rows]).astype(np.int64) + pace
        lanes[:, _JITTER] = np.rint(16e6 * legs.in_jitter[rows] / legs.in_clock[rows])
        self._lanes.words[sockets] = lanes & 0xFFFFFFFF
        steps = self._steps.words
        steps[sockets, _FIRST] = steps[sockets, _SENT_FIRST] = 1
        steps[sockets, _TIMESTAMP] = steps[sockets, _SENT_TIMESTAMP] = step
        steps[sockets, _DUE] = pace
        self._open[sockets] = True
        self._decoded[sockets] = legs.decoding[rows] & legs.receiving[rows]
        self._decodes |= bool(self._decoded[sockets].any())

    def _lay_relay(self, packets: Packets, lanes: Ints, step: Ints) -> None:
        """What the listener gets; where there is none, the words only count."""
        legs, rows, sockets = self._legs, packets.leg, 2 * packets.leg
        to, flows = legs.relay_to[rows], legs.flows[rows]
        types = legs.relay_types[rows, packets.payload_type].astype(np.int64)
        lanes[:, _SENT_FIRST] = _PLAIN << 24 | types << 16 | (legs.out_next[to] & 0xFFFF)
        lanes[:, _SENT_TIMESTAMP] = legs.out_timestamp[to] + step
        lanes[:, _SENT_SSRC] = legs.out_ssrc[to]
        lanes[~flows, _SENT] = 0
        self._settled[sockets] = lanes[:, _SENT_FIRST]
        self._listener[sockets] = np.where(flows, 2 * to, _NOBODY)
        self._mixes |= not flows.all()

    def _step(self, packets: Packets, sockets: Ints) -> Ints:
        """Ticks from packet to packet: as it was between the last two, or as was agreed."""
        before = self._lanes.words[sockets, _TIMESTAMP].astype(np.int64)
        before -= self._steps.words[sockets, _TIMESTAMP]
        step = (packets.timestamp - before) & 0xFFFFFFFF
        sane = (step > 0) & (step <= _MOST_STEP)
        return np.where(sane, step, self._legs.out_frame[packets.leg])

    def review(self) -> None:
        """Close the lanes that the graph, as compiled now, does not lay so."""
        legs, to = self._legs, self._legs.relay_to
        right = (
            (self._listener[::2] == np.where(legs.flows, 2 * to, _NOBODY))
            & ~(legs.flows & legs.fresh[to])
            & (self._decoded[::2] == (legs.decoding & legs.receiving))
        )
        self._close(np.flatnonzero(self._open[::2] & ~right))
        self._decodes = bool(self._decoded.any())
        self._mixes = bool((self._listener[self._open] == _NOBODY).any())

    def close(self, row: int) -> None:
        """The row's agreement or peer changes: close the lanes from it and to it."""
        fed = np.flatnonzero(self._listener[::2] == 2 * row)
        self._close(np.append(fed, row))

    def _close(self, rows: Ints) -> None:
        if len(rows):
            self.settle(rows)
            self._shut(2 * rows)

    def _shut(self, sockets: Ints) -> None:
        self._lanes.words[sockets, :_TIMESTAMP] = 0  # no source is like this
        self._listener[sockets] = _NOBODY
        self._open[sockets] = self._decoded[sockets] = False

    # Accounts

    def settle(self, rows: Ints | None = None) -> None:
        """Enter into the legs what was carried since: of `rows`, or of all."""
        if not self._carried:
            return
        if rows is None:
            self._carried = False
            self._settle_moved(slice(None, None, 2))
        else:
            self._settle_moved(2 * np.unique(rows))

    def settle_part(self, part: int, parts: int) -> None:
        """Of all rows, every so many-th."""
        if self._carried:
            self._settle_moved(slice(2 * part, None, 2 * parts))

    def _settle_moved(self, among: Ints | slice) -> None:
        """Settle the sockets that carried anything."""
        moved = np.flatnonzero(self._lanes.words[among, _SENT_FIRST] != self._settled[among])
        if len(moved):
            self._settle(self._sockets[among][moved])

    def _settle(self, sockets: Ints) -> None:
        lanes = self._lanes.pick(sockets)
        following = lanes[:, _SENT_FIRST]
        count = (following - self._settled[sockets]).astype(np.int64)
        octets = lanes[:, _OCTETS].astype(np.int64) - HEADER * count
        self._lanes.words[sockets, _OCTETS], self._settled[sockets] = 0, following
        self._settle_sources(sockets, lanes, count, octets)
        self._settle_listeners(sockets, lanes, count, octets)
        wraps = (following & 0xFFFF >= _LAST_NUMBER) | (lanes[:, _FIRST] & 0xFFFF >= _LAST_NUMBER)
        self._shut(sockets[wraps])

    def _settle_sources(self, sockets: Ints, lanes: Words, count: Ints, octets: Ints) -> None:
        legs, rows, steps = self._legs, sockets >> 1, self._steps.pick(sockets)
        legs.in_highest[rows] += count
        legs.in_current[rows] += count
        legs.in_packets[rows] += count
        legs.in_octets[rows] += octets
        legs.in_timestamp[rows] += count * steps[:, _TIMESTAMP]
        legs.in_window[rows] = _shifted(legs.in_window[rows], count)
        legs.in_last[rows] = self._last(lanes, steps)
        legs.in_jitter[rows] = lanes[:, _JITTER] * (legs.in_clock[rows] / 16e6)

    def _last(self, lanes: Words, steps: Words) -> Array:
        """When each lane's last packet came."""
        age = _microseconds(self._now) - (lanes[:, _DUE] - steps[:, _DUE])
        return self._now - 1e-6 * age

    def _settle_listeners(self, sockets: Ints, lanes: Words, count: Ints, octets: Ints) -> None:
        relayed = np.flatnonzero(self._listener[sockets] != _NOBODY)
        sockets, lanes = sockets[relayed], lanes[relayed]
        steps = self._steps.pick(sockets)
        legs, listeners = self._legs, self._listener[sockets] >> 1
        legs.out_next[listeners] += count[relayed]
        legs.out_timestamp[listeners] = lanes[:, _SENT_TIMESTAMP] - steps[:, _SENT_TIMESTAMP]
        legs.out_time[listeners] = self._last(lanes, steps)
        legs.out_packets[listeners] += count[relayed]
        legs.out_octets[listeners] += octets[relayed]


def _microseconds(now: Instant) -> np.uint32:
    """The time modulo 2**32."""
    return np.uint32(round(now * 1e6) & 0xFFFFFFFF)


def _shifted(window: Array, count: Ints) -> Array:
    """Windows of seen numbers after `count` more came in order."""
    step = np.minimum(count, 63).astype(np.uint64)
    ones = (_ONE << step) - _ONE
    return np.where(count > 63, ~np.uint64(0), (window << step) | ones)
