"""Packets of the length that the peer asked for, in one stream without a break."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import commands
from media.framing import MOST_OCTETS, Cut, Framing
from media.g711 import decode_ulaw
from media.items import Tone
from media.stream import Stream
from tests.media.sounds import share
from tests.media.virtual import Rtp, VirtualEngine


def listener(engine: VirtualEngine, ms: int, codec: str = "PCMU", kind: int = 0) -> int:
    """A leg that hears a tone of 425 Hz and wants packets of `ms`."""
    player = engine.number()
    engine.do(commands.Play(player, (Tone("dial", country="ru"),), True, False))
    leg = engine.leg(codec=codec, send_pt=kind, receive_pts={kind: codec}, ptime=ms / 1000)
    engine.hear(leg, player)
    return leg


@pytest.mark.parametrize("ms", [10, 20, 30, 40, 60])
@pytest.mark.parametrize(("codec", "kind"), [("PCMU", 0), ("PCMA", 8), ("G722", 9)])
def test_packets_have_the_length_that_was_agreed(ms: int, codec: str, kind: int) -> None:
    engine = VirtualEngine()
    leg = listener(engine, ms, codec, kind)
    for _ in range(60):
        engine.tick()
    sent = engine.sent_to(leg)
    assert len(sent) == pytest.approx(60 * 20 / ms, abs=1)
    assert {len(packet.payload) for packet in sent} == {8 * ms}
    steps = {
        (b.sequence - a.sequence & 0xFFFF, b.timestamp - a.timestamp & 0xFFFFFFFF)
        for a, b in itertools.pairwise(sent)
    }
    assert steps == {(1, 8 * ms)}
    assert [packet.marker for packet in sent].count(True) == 1


def test_the_sound_is_whole_after_joining() -> None:
    engine = VirtualEngine()
    leg = listener(engine, 30)
    for _ in range(60):
        engine.tick()
    octets = b"".join(packet.payload for packet in engine.sent_to(leg))
    assert share(decode_ulaw(np.frombuffer(octets, np.uint8))[800:], 425) > 0.95


def test_other_lengths_on_both_sides_go_through_the_mixer() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg(ptime=0.04)
    engine.bridge(one, other)
    for number in range(50):
        engine.receive((one, Rtp(number, 160 * number, bytes([0x30]) * 160)))
        engine.tick()
    assert {len(packet.payload) for packet in engine.sent_to(other)} == {320}


def test_linear_sound_at_48_khz_is_cut_to_fit_a_datagram() -> None:
    engine = VirtualEngine()
    player = engine.number()
    engine.do(commands.Play(player, (Tone("dial"),), True, False))
    stream = Stream(("192.0.2.1", 30000), "L16", 48000, 96, {96: "L16"})
    leg = engine.leg(stream)
    engine.hear(leg, player)
    for _ in range(10):
        engine.tick()
    assert {len(packet.payload) for packet in engine.sent_to(leg)} == {960}


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=30), st.integers(1, 20))
def test_cuts_never_overlap_and_never_lie_about_their_time(
    frames: list[tuple[int, bool]], tens: int
) -> None:
    """Octet n of the stream has value n: whatever is cut must say so by its timestamp."""
    framing, at, cuts = Framing(), 0, list[Cut]()
    for gap, marker in frames:
        at += 160 * (gap if marker else 1)
        payload = bytes((at + n) % 251 for n in range(160))
        cuts += framing.cut(1, at, marker, payload, 160, 80 * tens)
    for cut in cuts:
        assert cut.payload == bytes((cut.timestamp + n) % 251 for n in range(len(cut.payload)))
        assert len(cut.payload) <= MOST_OCTETS
    for a, b in itertools.pairwise(cuts):
        assert b.timestamp >= a.timestamp + len(a.payload)
