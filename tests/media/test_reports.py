"""RTCP in and out, and what the counters say of a leg."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import events, rtcp
from media.quality import mos
from tests.media.virtual import Rtp, VirtualEngine

SOUND = bytes(160)

u32 = st.integers(0, 2**32 - 1)
blocks = st.builds(
    rtcp.Block,
    u32,
    st.integers(0, 255).map(lambda n: n / 256),
    st.integers(-(2**23), 2**23 - 1),
    u32,
    u32,
    u32,
    u32,
)
senders = st.builds(rtcp.SenderInfo, st.integers(0, 2**64 - 1), u32, u32, u32)
reports = st.builds(
    rtcp.Report,
    u32,
    st.none() | senders,
    st.lists(blocks, max_size=1).map(tuple),
)


def packet(report: rtcp.Report) -> bytes:
    """The report as the engine writes it."""
    sender, senders, blocks = report.sender, None, None
    if sender is not None:
        ntp = np.array([sender.ntp], np.uint64)
        facts = (sender.timestamp, sender.packets, sender.octets)
        senders = rtcp.Senders(ntp, *(np.array([fact]) for fact in facts))
    for block in report.blocks:
        blocks = rtcp.Blocks(*(np.array([fact]) for fact in astuple(block)))
    return rtcp.compose(np.array([report.ssrc]), senders, blocks, "cname").tobytes()


@given(reports)
def test_a_composed_report_reads_back(report: rtcp.Report) -> None:
    assert rtcp.parse(packet(report)) == [report]


@given(reports, st.integers(0, 200))
def test_a_report_cut_anywhere_harms_nobody(report: rtcp.Report, length: int) -> None:
    rtcp.parse(packet(report)[:length])


@given(st.binary(max_size=200))
def test_any_octets_harm_nobody(data: bytes) -> None:
    rtcp.parse(data)


def reports_of(engine: VirtualEngine, leg: int) -> list[rtcp.Report]:
    socket = 2 * engine.row(leg) + 1
    return [r for s in engine.backend.sent if s.socket == socket for r in rtcp.parse(s.data)]


def test_reports_are_sent_at_intervals_with_loss_and_jitter() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for sequence in range(500):
        if sequence % 10:
            engine.receive((one, Rtp(sequence, 160 * sequence, SOUND)))
        engine.tick()
    told = reports_of(engine, one)
    assert 1 <= len(told) <= 5
    (block,) = told[-1].blocks
    assert block.ssrc == 0x1234
    assert block.fraction_lost == pytest.approx(0.1, abs=0.02)
    assert reports_of(engine, other)[-1].sender is not None


def test_the_peers_report_gives_round_trip_and_loss() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(rtcp_mux=True), engine.leg()
    engine.bridge(one, other)
    engine.receive((other, Rtp(1, 0, SOUND)))
    ssrc = engine.sent_to(one)[0].ssrc
    sent_at = rtcp.middle(rtcp.ntp(engine.now + 1e9))
    engine.now += 0.25
    block = rtcp.Block(ssrc, 0.5, 7, 1, 80, sent_at, 65536 // 10)
    engine.receive((one, packet(rtcp.Report(9, None, (block,)))))
    stats = engine.stats(one)
    assert stats.round_trip == pytest.approx(0.15, abs=0.001)
    assert (stats.remote_lost, stats.remote_fraction_lost) == (7, 0.5)
    assert stats.remote_jitter == pytest.approx(0.01)


def test_loss_counts_across_a_change_of_ssrc() -> None:
    engine = VirtualEngine()
    leg = engine.leg()
    for sequence in (1, 2, 5):
        engine.receive((leg, Rtp(sequence, 0, SOUND, ssrc=1)))
    for sequence in (100, 102):
        engine.receive((leg, Rtp(sequence, 0, SOUND, ssrc=2)))
    assert engine.stats(leg).lost == 3


def test_quality_is_told_at_intervals_and_at_the_end() -> None:
    engine = VirtualEngine()
    leg = engine.leg()
    for sequence in range(100):
        engine.receive((leg, Rtp(sequence, 160 * sequence, SOUND)))
        engine.tick()
    engine.now += engine.settings.quality_interval
    for _ in range(5):
        engine.tick()
    (told,) = engine.told(events.Quality)
    assert isinstance(told, events.Quality)
    assert told.stats.mos is not None
    assert 4.3 < told.stats.mos <= 4.5


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2))
def test_more_loss_never_sounds_better(loss: float, more: float, delay: float) -> None:
    low, high = sorted((loss, more))
    assert 1.0 <= mos("PCMU", high, delay) <= mos("PCMU", low, delay) <= 4.5
