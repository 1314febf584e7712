"""What we tell and are told about each leg's quality: RTCP, and the counters as one snapshot.

Per-leg arrays and the arithmetic of RFC 3550 §6.4; sending and believing are the core's.
"""

from __future__ import annotations

import random

import numpy as np

from media import rtcp
from media.events import LegStats
from media.legs import Legs
from media.quality import mos
from media.types import Address, Instant, Ints, Seconds, Words

_PLAYOUT: Seconds = 0.04
"""What our jitter buffer adds, besides the jitter itself."""


class Reports:
    """RTCP state of all rows."""

    def __init__(self, legs: Legs, interval: Seconds, told_every: Seconds, wall: Seconds) -> None:
        """`wall` added to an Instant gives seconds since 1970."""
        self._legs, self._interval, self._told_every, self._wall = legs, interval, told_every, wall
        rows = legs.capacity
        self.next_report = np.full(rows, np.inf)
        self.next_quality = np.full(rows, np.inf)
        self._last_sr: Ints = np.zeros(rows, np.int64)
        self._last_sr_at = np.zeros(rows)
        self._expected_before: Ints = np.zeros(rows, np.int64)
        self._received_before: Ints = np.zeros(rows, np.int64)
        self._sent_before: Ints = np.zeros(rows, np.int64)
        self._round_trip = np.full(rows, np.nan)
        self._remote_lost: Ints = np.full(rows, -1, np.int64)
        self._remote_fraction = np.full(rows, np.nan)
        self._remote_jitter = np.full(rows, np.nan)
        self._cname = f"{random.getrandbits(64):016x}"  # RFC 7022 §4.2: says nothing of us

    def begin(self, row: int, now: Instant) -> None:
        """A leg takes the row: nothing is known yet."""
        for array in (self._last_sr, self._expected_before, self._received_before):
            array[row] = 0
        self._sent_before[row], self._remote_lost[row] = 0, -1
        for unknown in (self._round_trip, self._remote_fraction, self._remote_jitter):
            unknown[row] = np.nan
        self.next_report[row] = now + self._jittered() / 2  # §6.2: the first comes earlier
        self.next_quality[row] = now + self._told_every

    def end(self, row: int) -> None:
        self.next_report[row] = self.next_quality[row] = np.inf

    def _jittered(self) -> Seconds:
        """RFC 3550 §6.3.1: between half and one and a half of the interval."""
        return self._interval * random.uniform(0.5, 1.5)

    def receive(self, row: int, data: bytes, now: Instant) -> None:
        """Learn from the peer's compound packet."""
        for report in rtcp.parse(data):
            if report.sender is not None:
                self._last_sr[row] = rtcp.middle(report.sender.ntp)
                self._last_sr_at[row] = now
            for block in report.blocks:
                if block.ssrc == self._legs.out_ssrc[row]:
                    self._learn(row, block, now)

    def _learn(self, row: int, block: rtcp.Block, now: Instant) -> None:
        self._remote_lost[row] = max(block.lost, 0)
        self._remote_fraction[row] = block.fraction_lost
        self._remote_jitter[row] = block.jitter / self._legs.out_clock[row]
        if block.last_report:  # §6.4.1: RTT = A - LSR - DLSR
            here = rtcp.middle(rtcp.ntp(now + self._wall))
            trip = (here - block.last_report - block.delay) & 0xFFFFFFFF
            if trip < 1 << 20:  # 16 s; more is a wrong clock
                self._round_trip[row] = trip / 65536

    def compose(self, rows: Ints, now: Instant) -> list[tuple[Ints, Words]]:
        """Our next reports about rows, in groups of one length: rows and their packets.

        Sets the time of the reports after these.
        """
        for row in rows.tolist():
            self.next_report[row] = now + self._jittered()
        legs = self._legs
        sends = legs.out_packets[rows] > self._sent_before[rows]
        hears = legs.in_started[rows]
        self._sent_before[rows] = legs.out_packets[rows]
        groups = []
        for sending in (True, False):
            for hearing in (True, False):
                chosen = rows[(sends == sending) & (hears == hearing)]
                if len(chosen):
                    senders = self._senders(chosen, now) if sending else None
                    blocks = self._blocks(chosen, now) if hearing else None
                    ssrc = legs.out_ssrc[chosen]
                    groups.append((chosen, rtcp.compose(ssrc, senders, blocks, self._cname)))
        return groups

    def _senders(self, rows: Ints, now: Instant) -> rtcp.Senders:
        legs = self._legs
        passed = np.rint((now - legs.out_time[rows]) * legs.out_clock[rows]).astype(np.int64)
        return rtcp.Senders(
            np.full(len(rows), rtcp.ntp(now + self._wall), np.uint64),
            legs.out_timestamp[rows] + passed,
            legs.out_packets[rows],
            legs.out_octets[rows],
        )

    def _blocks(self, rows: Ints, now: Instant) -> rtcp.Blocks:
        """RFC 3550 A.3: loss since the last report, and in all."""
        legs = self._legs
        received, expected = legs.in_current[rows], legs.in_highest[rows] - legs.in_base[rows] + 1
        span = expected - self._expected_before[rows]
        missing = np.maximum(span - (received - self._received_before[rows]), 0)
        self._expected_before[rows], self._received_before[rows] = expected, received
        last = self._last_sr[rows]
        delay = np.rint((now - self._last_sr_at[rows]) * 65536).astype(np.int64)
        return rtcp.Blocks(
            legs.in_ssrc[rows],
            np.where(span > 0, missing / np.maximum(span, 1), 0.0),
            legs.in_lost_before[rows] + np.maximum(expected - received, 0),
            legs.in_highest[rows] - 0x10000,
            legs.in_jitter[rows].astype(np.int64),
            last,
            np.where(last != 0, delay, 0),
        )

    def snapshot(
        self, row: int, codec: str, remote: Address | None, late: int, absurd: int
    ) -> LegStats:
        """All that is known of a leg; `late` and `absurd` packets the jitter buffer counted."""
        legs = self._legs
        jitter = float(legs.in_jitter[row] / legs.in_clock[row])
        lost = legs.lost(row)
        return LegStats(
            packets_received=int(legs.in_packets[row]),
            octets_received=int(legs.in_octets[row]),
            packets_sent=int(legs.out_packets[row]),
            octets_sent=int(legs.out_octets[row]),
            lost=lost,
            duplicate=int(legs.duplicate[row]),
            reordered=int(legs.reordered[row]),
            late=late,
            absurd=absurd,
            invalid=int(legs.invalid[row]),
            bleed=int(legs.bleed[row]),
            unauthentic=int(legs.unauthentic[row]),
            jitter=jitter,
            remote_lost=int(self._remote_lost[row]) if self._remote_lost[row] >= 0 else None,
            remote_fraction_lost=_known(self._remote_fraction[row]),
            remote_jitter=_known(self._remote_jitter[row]),
            round_trip=_known(self._round_trip[row]),
            mos=self._mos(row, codec, lost + late + absurd, jitter),
            codec=codec,
            remote=remote,
        )

    def _mos(self, row: int, codec: str, missing: int, jitter: Seconds) -> float | None:
        legs = self._legs
        expected = int(legs.in_span_before[row]) + legs.span(row)
        if not expected:
            return None
        trip = _known(self._round_trip[row]) or 0.0
        return round(mos(codec, missing / expected, trip / 2 + jitter + _PLAYOUT), 2)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
