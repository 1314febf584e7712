"""Relay: whatever the sources do, the listener sees one stream that runs on."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media import commands
from media.stream import Stream
from media.types import TICK
from tests.media.virtual import Rtp, VirtualEngine

SOUND = bytes(range(160))


def talk(engine: VirtualEngine, leg: int, first: int, count: int, ssrc: int = 7) -> None:
    """`count` packets of 20 ms, numbered from `first`."""
    for sequence in range(first, first + count):
        engine.receive((leg, Rtp(sequence, 160 * sequence, SOUND, ssrc=ssrc)))
        engine.now += TICK


def assert_continuous(packets: list[Rtp]) -> None:
    """RFC 3550 §5.1: one SSRC, numbers without a gap, time that never stands still."""
    assert len({packet.ssrc for packet in packets}) <= 1
    for before, after in pairwise(packets):
        assert (after.sequence - before.sequence) % 0x10000 == 1
        assert 0 < (after.timestamp - before.timestamp) % 2**32 < 8000 * 60


def test_payload_goes_through_untouched() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    talk(engine, one, 65530, 20)
    sent = engine.sent_to(other)
    assert [packet.payload for packet in sent] == [SOUND] * 20
    assert_continuous(sent)
    assert [packet.marker for packet in sent] == [True] + [False] * 19
    assert engine.sent_to(one) == []


def test_a_transfer_is_one_stream_with_a_marker_at_the_change() -> None:
    engine = VirtualEngine()
    listener, first, second = (engine.leg() for _ in range(3))
    engine.hear(listener, first)
    talk(engine, first, 100, 5)
    engine.hear(listener, second)
    talk(engine, second, 40000, 5, ssrc=9)
    sent = engine.sent_to(listener)
    assert_continuous(sent)
    assert [i for i, packet in enumerate(sent) if packet.marker] == [0, 5]


def test_a_new_ssrc_of_the_same_source_does_not_show() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    talk(engine, one, 100, 3, ssrc=1)
    talk(engine, one, 9000, 3, ssrc=2)
    sent = engine.sent_to(other)
    assert_continuous(sent)
    assert [packet.marker for packet in sent] == [True, False, False, True, False, False]


def test_payload_types_are_mapped_both_for_sound_and_events() -> None:
    engine = VirtualEngine()
    one = engine.leg(dtmf_receive_pt=96, dtmf_send_pt=96)
    other = engine.leg(
        receive_pts={118: "PCMU"}, send_pt=118, dtmf_receive_pt=101, dtmf_send_pt=101
    )
    engine.bridge(one, other)
    event = bytes((5, 10, 0, 160))
    engine.receive((one, Rtp(1, 0, SOUND)))
    engine.receive((one, Rtp(2, 160, event, payload_type=96)))
    assert [packet.payload_type for packet in engine.sent_to(other)] == [118, 101]
    assert engine.sent_to(other)[1].payload == event


def test_duplicates_are_not_forwarded_and_late_ones_keep_their_place() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for sequence in (1, 2, 2, 4, 3, 4):
        engine.receive((one, Rtp(sequence, 160 * sequence, SOUND)))
    sent = [packet.sequence for packet in engine.sent_to(other)]
    assert [(number - sent[0]) % 0x10000 for number in sent] == [0, 1, 3, 2]
    stats = engine.stats(one)
    assert (stats.duplicate, stats.reordered, stats.lost) == (2, 1, 0)


def test_several_packets_of_a_leg_in_one_batch_keep_their_order() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    batch = [(leg, Rtp(i, 160 * i, bytes([i]) * 160)) for i in range(5) for leg in (one, other)]
    engine.receive(*batch)
    assert [packet.payload[0] for packet in engine.sent_to(other)] == [0, 1, 2, 3, 4]
    assert_continuous(engine.sent_to(other))


def test_csrcs_and_extensions_are_cut_out() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    plain = Rtp(1, 0, SOUND).encode()
    extended = bytes((0x80 | 0x10 | 2,)) + plain[1:12] + bytes(8) + b"\xbe\xde\x00\x01" + bytes(4)
    engine.receive((one, extended + SOUND))
    assert engine.sent_to(other)[0].payload == SOUND


def test_a_leg_on_hold_hears_nothing_and_its_stream_goes_on_after() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    talk(engine, one, 1, 3)
    engine.do(commands.Connect(other, Stream(engine.peer(other), sending=False)))
    talk(engine, one, 4, 3)
    assert len(engine.sent_to(other)) == 3
    engine.do(commands.Connect(other, Stream(engine.peer(other))))
    talk(engine, one, 7, 3)
    sent = engine.sent_to(other)
    gaps = [(after.timestamp - before.timestamp) % 2**32 for before, after in pairwise(sent)]
    assert gaps == [160, 160, 4 * 160, 160, 160]


changes = st.lists(
    st.tuples(
        st.sampled_from(["first", "second", "mixed", "pause"]),
        st.integers(0, 0xFFFF),
        st.integers(0, 2**32 - 1),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=8,
)


@given(changes)
def test_any_history_of_sources_is_one_continuous_stream(
    history: list[tuple[str, int, int, int]],
) -> None:
    """Talk, mix, silence, other talkers with any numbers: RFC 3550 holds for the listener."""
    engine = VirtualEngine(rows=4)
    listener, first, second = (engine.leg() for _ in range(3))
    for ssrc, (what, sequence, timestamp, count) in enumerate(history):
        heard = {"first": (first,), "second": (second,), "mixed": (first, second), "pause": ()}
        engine.hear(listener, *heard[what])
        speaker = second if what == "second" else first
        for i in range(count):
            packet = Rtp(sequence + i, timestamp + 160 * i, SOUND, ssrc=ssrc)
            engine.receive((speaker, packet))
            engine.tick()
    assert_continuous(engine.sent_to(listener))
