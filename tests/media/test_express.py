"""The express changes what a packet costs, never what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import commands
from media.backends import Batch
from media.express import Carried
from media.types import Instant
from tests.media.virtual import Rtp, VirtualEngine

SOUND = bytes(160)


class Slow(VirtualEngine):
    """An engine where every packet takes the ordinary path."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.core.express.carry = self._carry_none  # type: ignore[method-assign]

    @staticmethod
    def _carry_none(batch: Batch, now: Instant) -> Carried:
        return Carried(np.arange(len(batch.sockets)), None)


def carried(engine: VirtualEngine) -> list[int]:
    """How many packets each later batch leaves to the ordinary path, as a growing list."""
    left: list[int] = []
    take = engine.core._take

    def note(batch: Batch, now: Instant) -> None:
        left.append(len(batch.sockets))
        take(batch, now)

    engine.core._take = note  # type: ignore[method-assign]
    return left


def test_a_stream_under_way_is_never_looked_at() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    left = carried(engine)
    for number in range(100):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
        engine.tick()
    assert sum(left) == 1
    assert engine.stats(one).packets_received == engine.stats(other).packets_sent == 100


def test_numbers_wrap_on_both_sides_without_a_break() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for number in range(0xF800, 0x10800):
        engine.receive((one, Rtp(number & 0xFFFF, 160 * number, SOUND)))
        if number % 4 == 0:
            engine.tick()
    sent = engine.sent_to(other)
    first = sent[0]
    assert [p.sequence for p in sent] == [first.sequence + n & 0xFFFF for n in range(0x1000)]
    assert {p.payload_type for p in sent} == {0}
    assert engine.stats(one).lost == 0


@pytest.mark.parametrize("start", [0xFBFE, 0xFFFE])
def test_our_own_numbers_wrap_too(start: int) -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    engine.core.legs.out_next[engine.row(other)] = 0x10000 + start
    for number in range(1100):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
        if number % 4 == 0:
            engine.tick()
    sent = engine.sent_to(other)
    assert [p.sequence for p in sent] == [start + n & 0xFFFF for n in range(1100)]
    assert {p.payload_type for p in sent} == {0}


def test_a_strangers_copy_of_the_next_packet_is_not_carried() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for number in range(3):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
    engine.receive((one, Rtp(3, 480, SOUND)), source=("203.0.113.9", 4000))
    assert len(engine.sent_to(other)) == 3
    assert engine.stats(one).bleed == 1


def test_the_next_packet_twice_in_one_batch_goes_on_once() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for number in range(3):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
    engine.receive((one, Rtp(3, 480, SOUND)), (one, Rtp(3, 480, SOUND)))
    assert len(engine.sent_to(other)) == 4
    assert engine.stats(one).duplicate == 1


def swap(engine: VirtualEngine, one: int, other: int, third: int) -> None:
    engine.hear(other)
    engine.hear(third, one)


PACKETS: dict[str, tuple[list[tuple[int, ...]], int]] = {
    "next": ([(0,)], 1),
    "lose": ([], 1),
    "repeat": ([(-1,)], 0),
    "late": ([(1,), (0,)], 2),
    "two": ([(0, 1)], 2),
    "jump": ([], 5000),
    "marker": ([(0,)], 1),
}
"""Batches of numbers, counted from the next one, and how far the next one moves on."""
GRAPH: dict[str, Callable[[VirtualEngine, int, int, int], object]] = {
    "hold": lambda engine, one, other, third: engine.hear(other),
    "resume": lambda engine, one, other, third: engine.bridge(one, other),
    "swap": lambda engine, one, other, third: swap(engine, one, other, third),
    "record": lambda engine, one, other, third: engine.hear(third, one, other),
    "mute": lambda engine, one, other, third: engine.hear(other, **{str(one): 0.5}),
    "open": lambda engine, one, other, third: engine.leg(),
    "tick": lambda engine, one, other, third: engine.tick(),
}
steps = st.sampled_from(["next"] * 5 + [*PACKETS, *GRAPH, "restart"])


@given(st.lists(steps, max_size=60))
def test_any_history_ends_as_it_does_without_the_express(history: list[str]) -> None:
    fast, slow = VirtualEngine(), Slow()
    outcomes = [play(engine, history) for engine in (fast, slow)]
    assert outcomes[0] == outcomes[1]


def packet(number: int, ssrc: int, marker: bool) -> Rtp:
    return Rtp(number, 160 * number, bytes([number & 0x7F]) * 160, ssrc=ssrc, marker=marker)


def play(engine: VirtualEngine, history: list[str]) -> list[object]:
    """What was sent and counted, with the numbers that are drawn by lot taken off."""
    one, other, third = (engine.leg() for _ in range(3))
    for leg in (one, other, third):
        engine.core.legs.out_next[engine.row(leg)] = 0x10000
        engine.core.legs.out_timestamp[engine.row(leg)] = 0
        engine.core.legs.out_ssrc[engine.row(leg)] = leg
    engine.bridge(one, other)
    number, ssrc = 100, 1
    for step in history:
        engine.now += 0.001
        ssrc += step == "restart"
        if step in GRAPH:
            GRAPH[step](engine, one, other, third)
        batches, moves = PACKETS.get(step, ([], 0))
        for batch in batches:
            engine.receive(*((one, packet(number + at, ssrc, step == "marker")) for at in batch))
        number += moves
    for _ in range(3):
        engine.tick()
    legs = (one, other, third)
    counters = [[getattr(engine.stats(leg), name) for name in COUNTERS] for leg in legs]
    return [*(engine.sent_to(leg) for leg in legs), counters]


COUNTERS = (
    *("packets_received", "octets_received", "packets_sent", "octets_sent", "lost"),
    *("duplicate", "reordered", "late", "invalid", "bleed"),
)


def test_a_recorded_call_is_relayed_and_heard() -> None:
    engine = VirtualEngine()
    one, other, third = engine.leg(), engine.leg(), engine.leg()
    engine.bridge(one, other)
    engine.hear(third, one, other)
    for number in range(50):
        engine.receive((one, Rtp(number, 160 * number, bytes([0x20]) * 160)))
        engine.tick()
    assert len(engine.sent_to(other)) == 50
    assert any(set(packet.payload) == {0x20} for packet in engine.sent_to(third))


def test_a_closed_leg_takes_its_lane_along() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    for number in range(5):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
    engine.do(commands.Close(other))
    for number in range(5, 10):
        engine.receive((one, Rtp(number, 160 * number, SOUND)))
    assert len(engine.sent_to(other)) == 5
    assert engine.stats(one).packets_received == 10
