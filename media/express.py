"""The express: packets that are exactly what was expected next need not be looked at.

Of a stream under way everything is known beforehand but its sound: who sends it, its SSRC, the
next sequence number and timestamp, and, where it is relayed, the whole header that its listener
is to get.  A *lane* holds that for one socket; a batch is compared with its lanes in one step,
and what matches is sent with the lane's header, or is ready to be decoded.  All else takes the
ordinary path, which judges it and lays the lane anew.  What the express carried is entered into
`Legs` when `settle` is called.

Expected, ten words in host order, laid out as in the pool, so that records are compared whole:

     0                             7       8           9
    +-----------------------------+-------+-----------+------+
    | source address (sockaddr)   | first | timestamp | SSRC |
    +-----------------------------+-------+-----------+------+

and sent: first word, timestamp, SSRC.  To both belongs a record of what each packet adds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.backends import Backend, Batch
from media.legs import AUDIO, Legs
from media.reception import Tracked
from media.rtp import HEADER, Packets
from media.types import Array, Floats, Instant, Ints, Words

_FIRST, _TIMESTAMP, _SSRC, _WORDS = 7, 8, 9, 10
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
    decoded: tuple[Packets, Tracked] | None
    """Packets that were carried and that somebody needs the samples of, each the newest of its
    stream."""


class _Table:
    """Words for each socket, picked and laid as whole records."""

    __slots__ = ("_records", "_words", "words")

    def __init__(self, sockets: int, words: int) -> None:
        self.words: Words = np.zeros((sockets, words), np.uint32)
        self._words = words
        self._records: Array = self.words.view(f"V{4 * words}")[:, 0]

    def pick(self, sockets: Ints) -> Words:
        picked: Words = self._records[sockets].view(np.uint32).reshape(-1, self._words)
        return picked

    def lay(self, sockets: Ints, words: Words) -> None:
        self._records[sockets] = words.view(self._records.dtype)[:, 0]


class Express:
    """Lanes of all sockets of one engine."""

    def __init__(self, legs: Legs, backend: Backend, ipv6: bool) -> None:
        count = 2 * legs.capacity
        self._legs, self._backend, self._ipv6 = legs, backend, ipv6
        self._expected, self._expected_step = _Table(count, _WORDS), _Table(count, _WORDS)
        self._sent, self._sent_step = _Table(count, 3), _Table(count, 3)
        self._open = np.zeros(count, np.bool_)
        self._listener: Ints = np.full(count, _NOBODY, np.int64)
        """Socket of the leg that gets the packets as they come."""
        self._decoded = np.zeros(count, np.bool_)
        self._octets: Ints = np.zeros(count, np.int64)
        self._settled: Words = np.zeros(count, np.uint32)
        """First word of what was to be sent at the last settlement: how far it went on since is
        the count of packets, sent or not."""
        self._last: Floats = np.zeros(count)
        self._pace: Floats = np.zeros(count)
        """Seconds from packet to packet."""
        self._jitter: Floats = np.zeros(count)
        self._mark: Ints = np.zeros(count, np.int64)
        self._order: Ints = np.arange(backend.pool.rows)
        self._carried = False
        """Whether anything was carried since all was settled."""
        self._decodes = self._mixes = False
        """Whether any lane's samples are needed; whether any has no listener."""

    # Packets

    def carry(self, batch: Batch, now: Instant) -> Carried:
        """Send on every packet that is the next of its lane; tell which others there are."""
        sockets, rows, lengths = batch.sockets, batch.rows, batch.lengths
        heads, expected = self._heads(rows), self._expected.pick(sockets)
        left = None
        if heads.tobytes() != expected.tobytes():
            known = (heads == expected).all(axis=1)
            left = np.flatnonzero(~known)
            if len(left) == len(rows):
                return Carried(left, None)
            sockets, rows, lengths = sockets[known], rows[known], lengths[known]
            heads = heads[known]
        if int(lengths.min()) < HEADER or not self._differ(sockets):
            return Carried(self._order[: len(batch.rows)], None)
        self._carried = True
        self._send(sockets, rows, lengths)
        self._expect_next(sockets, heads)
        self._account(sockets, lengths, now)
        return Carried(left, self._to_decode(sockets, rows, lengths, heads))

    def _heads(self, rows: Ints) -> Words:
        """Source and header of each packet, in host order."""
        heads: Words = self._backend.pool.heads[rows].view(np.uint32).reshape(-1, _WORDS)
        heads.byteswap(inplace=True)
        if self._ipv6:  # an IPv4 address leaves the rest of the room as it was
            heads[heads[:, 0] & 0xFF000000 != _IPV6_FAMILY, 4:_FIRST] = 0
        return heads

    def _differ(self, sockets: Ints) -> bool:
        """Whether no socket comes twice, as it does when one packet came twice."""
        order = self._order[: len(sockets)]
        self._mark[sockets] = order
        return bool(np.count_nonzero(self._mark.take(sockets) == order) == len(order))

    def _send(self, sockets: Ints, rows: Ints, lengths: Ints) -> None:
        pool = self._backend.pool
        headers = self._sent.pick(sockets)
        self._sent.lay(sockets, headers + self._sent_step.pick(sockets))
        listeners = self._listener.take(sockets)
        if self._mixes:
            relayed = listeners != _NOBODY
            listeners, rows, lengths = listeners[relayed], rows[relayed], lengths[relayed]
            headers = headers[relayed]
        if len(rows):
            headers.byteswap(inplace=True)
            pool.header_records[rows] = headers.view(pool.header_records.dtype)[:, 0]
            self._backend.send(listeners, pool.addresses(rows), lengths)

    def _expect_next(self, sockets: Ints, heads: Words) -> None:
        self._expected.lay(sockets, heads + self._expected_step.pick(sockets))

    def _account(self, sockets: Ints, lengths: Ints, now: Instant) -> None:
        """Count octets; jitter as RFC 3550 A.8 has it."""
        self._octets[sockets] += lengths
        change = now - self._last.take(sockets)
        change -= self._pace.take(sockets)
        np.abs(change, out=change)
        jitter = self._jitter.take(sockets)
        change -= jitter
        change *= 0.0625
        jitter += change
        self._jitter[sockets] = jitter
        self._last[sockets] = now

    def _to_decode(
        self, sockets: Ints, rows: Ints, lengths: Ints, heads: Words
    ) -> tuple[Packets, Tracked] | None:
        if not self._decodes:
            return None
        wanted = np.flatnonzero(self._decoded.take(sockets))
        if not len(wanted):
            return None
        first, timestamp, ssrc = heads[wanted, _FIRST:].T.astype(np.int64)
        sockets, rows, lengths = sockets[wanted], rows[wanted], lengths[wanted]
        packets = Packets(
            sockets >> 1,
            rows,
            lengths,
            first,
            (first >> 16) & 0x7F,
            first & 0xFFFF,
            timestamp,
            ssrc,
            np.full(len(wanted), HEADER, np.int64),
            np.ones(len(wanted), np.bool_),
        )
        return packets, self._track(sockets)

    def _track(self, sockets: Ints) -> Tracked:
        """Where packets just carried stand in their streams."""
        legs, rows, never = self._legs, sockets >> 1, np.zeros(len(sockets), np.bool_)
        count = (self._sent.words[sockets, 0] - self._settled[sockets]).astype(np.int64)
        sequence = legs.in_highest[rows] + count
        step = self._expected_step.words[sockets, _TIMESTAMP]
        return Tracked(sequence, legs.in_timestamp[rows] + count * step, never, never, ~never)

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
        expected = self._heads(packets.row).astype(np.int64)
        expected[:, _FIRST] = _PLAIN << 24 | packets.payload_type << 16 | packets.sequence + 1
        expected[:, _TIMESTAMP] = (packets.timestamp + step) & 0xFFFFFFFF
        expected[:, _SSRC] = packets.ssrc
        self._expected.words[sockets] = expected
        self._expected_step.words[sockets, _FIRST] = 1
        self._expected_step.words[sockets, _TIMESTAMP] = step
        self._lay_relay(packets, step)
        self._open[sockets] = True
        self._decoded[sockets] = legs.decoding[rows] & legs.receiving[rows]
        self._decodes |= bool(self._decoded[sockets].any())
        self._pace[sockets] = step / legs.in_clock[rows]
        self._last[sockets] = legs.in_last[rows]
        self._jitter[sockets] = legs.in_jitter[rows] / legs.in_clock[rows]

    def _lay_relay(self, packets: Packets, step: Ints) -> None:
        """What the listener gets; where there is none, the words only count."""
        legs, rows, sockets = self._legs, packets.leg, 2 * packets.leg
        to, flows = legs.relay_to[rows], legs.flows[rows]
        types = legs.relay_types[rows, packets.payload_type].astype(np.int64)
        sent = np.zeros((len(rows), 3), np.int64)
        sent[:, 0] = _PLAIN << 24 | types << 16 | (legs.out_next[to] & 0xFFFF)
        sent[:, 1] = (legs.out_timestamp[to] + step) & 0xFFFFFFFF
        sent[:, 2] = legs.out_ssrc[to]
        sent[~flows] = 0
        self._sent.words[sockets] = sent
        self._sent_step.words[sockets, 0] = 1
        self._sent_step.words[sockets, 1] = step
        self._settled[sockets] = sent[:, 0]
        self._listener[sockets] = np.where(flows, 2 * to, _NOBODY)
        self._mixes |= not flows.all()

    def _step(self, packets: Packets, sockets: Ints) -> Ints:
        """Ticks from packet to packet: as it was between the last two, or as was agreed."""
        before = self._expected.words[sockets, _TIMESTAMP].astype(np.int64)
        before -= self._expected_step.words[sockets, _TIMESTAMP]
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
        self._expected.words[sockets, :_TIMESTAMP] = 0  # no source is like this
        self._listener[sockets] = _NOBODY
        self._open[sockets] = self._decoded[sockets] = False

    # Accounts

    def settle(self, rows: Ints | None = None) -> None:
        """Enter into the legs what was carried since: of `rows`, or of all."""
        if not self._carried:
            return
        if rows is None:
            self._carried = False
            sockets = 2 * np.flatnonzero(self._sent.words[::2, 0] != self._settled[::2])
        else:
            sockets = 2 * np.unique(rows)
            sockets = sockets[self._sent.words[sockets, 0] != self._settled[sockets]]
        if not len(sockets):
            return
        following = self._sent.words[sockets, 0]
        count = (following - self._settled[sockets]).astype(np.int64)
        octets = self._octets[sockets] - HEADER * count
        self._octets[sockets], self._settled[sockets] = 0, following
        self._settle_sources(sockets, count, octets)
        self._settle_listeners(sockets, count, octets)
        wraps = (following & 0xFFFF >= _LAST_NUMBER) | (
            self._expected.words[sockets, _FIRST] & 0xFFFF >= _LAST_NUMBER
        )
        self._shut(sockets[wraps])

    def _settle_sources(self, sockets: Ints, count: Ints, octets: Ints) -> None:
        legs, rows = self._legs, sockets >> 1
        legs.in_highest[rows] += count
        legs.in_current[rows] += count
        legs.in_packets[rows] += count
        legs.in_octets[rows] += octets
        legs.in_timestamp[rows] += count * self._expected_step.words[sockets, _TIMESTAMP]
        legs.in_window[rows] = _shifted(legs.in_window[rows], count)
        legs.in_last[rows] = self._last[sockets]
        legs.in_jitter[rows] = self._jitter[sockets] * legs.in_clock[rows]

    def _settle_listeners(self, sockets: Ints, count: Ints, octets: Ints) -> None:
        relayed = self._listener[sockets] != _NOBODY
        sockets, count, octets = sockets[relayed], count[relayed], octets[relayed]
        legs, listeners = self._legs, self._listener[sockets] >> 1
        legs.out_next[listeners] += count
        legs.out_timestamp[listeners] = (
            self._sent.words[sockets, 1] - self._sent_step.words[sockets, 1]
        )
        legs.out_time[listeners] = self._last[sockets]
        legs.out_packets[listeners] += count
        legs.out_octets[listeners] += octets


def _shifted(window: Array, count: Ints) -> Array:
    """Windows of seen numbers after `count` more came in order."""
    step = np.minimum(count, 63).astype(np.uint64)
    ones = (_ONE << step) - _ONE
    return np.where(count > 63, ~np.uint64(0), (window << step) | ones)
