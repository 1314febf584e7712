"""The switchboard compiles only what was touched; what comes of it is as if it compiled all."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs import make_codecs
from media.legs import AUDIO, CODEC_NUMBER, NOWHERE, Legs
from media.plan import RatePlan, RoomShape
from media.stream import Stream
from media.switchboard import Switchboard, agree_types

CODECS = {"PCMU": 0, "PCMA": 8, "G722": 9}
ROWS, ROOM, PLAYER, TAP = 8, 100, 200, -300
NODES = [*range(1, ROWS + 1), ROOM, ROOM + 1, PLAYER, PLAYER + 1]


class World:
    """A board and the legs it serves, changed as the core does it.  Leg n lives in row n - 1."""

    def __init__(self) -> None:
        self.legs = Legs(ROWS)
        self.board = Switchboard(self.legs, make_codecs())

    def connect(self, leg: int, codec: str, ptime: float = 0.02) -> None:
        row, kind = leg - 1, CODECS[codec]
        if leg not in self.board.rows:
            self.board.rows[leg] = row
            self.legs.take(row, leg, 0.0)
        receives = {number: name for name, number in CODECS.items()}
        stream = Stream(("192.0.2.1", 4000), codec, send_pt=kind, receive_pts=receives, ptime=ptime)
        self.board.streams[leg] = stream
        agree_types(self.legs, row, stream)
        self.legs.receiving[row] = self.legs.sending[row] = True
        self.board.graph.touch(leg)

    def speak(self, leg: int, codec: str) -> None:
        if leg in self.board.rows:
            self.legs.in_codec[leg - 1] = AUDIO + CODEC_NUMBER[codec]
            self.board.graph.touch(leg)

    def close(self, node: int) -> None:
        self.board.graph.forget(node)
        self.board.rooms.pop(node, None)
        self.board.players.discard(node)
        if self.board.rows.pop(node, None) is not None:
            self.board.streams.pop(node)
            self.board.pressing.pop(node, None)
            self.board.watch(node, needed=False)
            self.legs.clear(node - 1)

    def hear(self, listener: int, sources: dict[int, float]) -> None:
        if listener in (ROOM, ROOM + 1):
            self.board.rooms.setdefault(listener, RoomShape(0, None))
            sources = {source: gain for source, gain in sources.items() if source < ROOM}
        if listener < PLAYER:
            self.board.graph.hear(listener, sources)

    def play(self, player: int) -> None:
        self.board.players.add(player)
        self.board.graph.touch(player)

    def press(self, leg: int) -> None:
        if leg in self.board.rows:
            self.board.pressing[leg] = 0
            self.board.graph.touch(leg)

    def tap(self, source: int, on: bool) -> None:
        self.board.taps.pop(TAP, None)
        if on:
            self.board.taps[TAP] = 8000, {source: 1.0}
        self.board.replan = True

    def watch(self, leg: int, needed: bool) -> None:
        if leg in self.board.rows:
            self.board.watch(leg, needed)

    def hurry(self) -> None:
        """More commands wait: plans come later."""
        self.board.compile(plan=False)

    def afresh(self) -> World:
        """The same, nothing of it compiled yet."""
        other, board = World(), self.board
        for name, (array, _) in self.legs._arrays.items():
            getattr(other.legs, name)[:] = array
        other.legs.relay_to[:], other.legs.flows[:] = -1, False
        other.legs.relay_types[:] = NOWHERE
        for name in ("rows", "streams", "rooms", "players", "pressing", "taps", "watched"):
            setattr(other.board, name, getattr(board, name).copy())
        for listener in (*board.graph.hearing, *board.rows):
            other.board.graph.hear(listener, board.graph.heard_by(listener))
        other.board.replan = True
        return other


leg = st.integers(1, ROWS)
node = st.sampled_from(NODES)
codec = st.sampled_from(sorted(CODECS))
steps = st.one_of(
    st.tuples(st.just("connect"), leg, codec, st.sampled_from((0.02, 0.03))),
    st.tuples(
        st.just("hear"), node, st.dictionaries(node, st.sampled_from((1.0, 0.5)), max_size=3)
    ),
    st.tuples(st.just("hear"), leg, st.dictionaries(leg, st.just(1.0), max_size=1)),
    st.tuples(st.just("speak"), leg, codec),
    st.tuples(st.just("close"), node),
    st.tuples(st.just("play"), st.sampled_from((PLAYER, PLAYER + 1))),
    st.tuples(st.just("press"), leg),
    st.tuples(st.just("tap"), node, st.booleans()),
    st.tuples(st.just("watch"), leg, st.booleans()),
    st.tuples(st.just("hurry")),
)


@settings(max_examples=150)
@given(st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=8))
def test_any_history_is_served_as_if_all_were_compiled(history: list[list[Any]]) -> None:
    world = World()
    for number in range(1, ROWS, 2):
        world.connect(number, "PCMU")
    for turn in history:
        for verb, *words in turn:
            getattr(world, verb)(*words)
        world.board.compile()
        whole = world.afresh()
        whole.board.compile()
        for name in ("relay_to", "flows", "relay_types"):
            assert np.array_equal(getattr(world.legs, name), getattr(whole.legs, name)), name
        assert world.board.plans.keys() == whole.board.plans.keys()
        for rate, plan in world.board.plans.items():
            assert readable(plan) == readable(whole.board.plans[rate])


def readable(plan: RatePlan) -> str:
    return str([part.tolist() if isinstance(part, np.ndarray) else part for part in astuple(plan)])


def test_one_who_comes_to_a_room_changes_nothing_for_its_other_listeners() -> None:
    world = World()
    for number in range(1, 5):
        world.connect(number, "PCMU")
        world.hear(number, {ROOM: 1.0})
    world.hear(ROOM, dict.fromkeys(range(1, 4), 1.0))
    world.board.compile()
    world.legs.fresh[:] = False
    world.hear(ROOM, dict.fromkeys(range(1, 5), 1.0))
    world.board.compile()
    assert not world.legs.fresh.any()
    assert world.board.plans[8000].talkers.size == 4
    world.connect(4, "G722")
    world.board.compile()
    assert sorted(world.board.plans) == [8000, 16000]


def test_what_is_not_touched_is_not_compiled() -> None:
    world = World()
    for number in range(1, ROWS + 1):
        world.connect(number, "PCMU")
        world.hear(number, {number - 1 if number % 2 == 0 else number + 1: 1.0})
    assert world.board.compile()
    assert not world.board.compile()
    assert world.legs.fresh.all()
    world.legs.fresh[:] = False
    world.hear(1, {2: 0.5})
    assert world.board.compile()
    assert np.flatnonzero(world.legs.fresh).tolist() == [0]
    assert world.legs.relay_to.tolist() == [1, -1, 3, 2, 5, 4, 7, 6]
