"""The hearing graph compiled to index arrays, one `RatePlan` for each PCM rate in use.

    voices   what is heard: frames of legs, then of players, then one row of silence
    talkers  voices once more, room after room, each at its gain in the room
    sounds   what somebody hears: one voice as it is (a copy), or a sum of a room without
             oneself and any weighted voices
    codings  a sound in a codec; one serves all listeners that hear the same

A listener that is heard in a room has a sound of its own; while it says nothing, and its
codec keeps no state, it is given the coding of those who only listen.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from media.pcm import Floats as Gains
from media.types import Ints

RATES = (8000, 16000, 48000)


class Hearing(Protocol):
    """Who hears whom."""

    def heard_by(self, listener: int) -> Mapping[int, float]: ...


class Ear(NamedTuple):
    """A leg that listens: what compiling needs to know of it."""

    leg: int
    row: int
    codec: str
    """Key of the codec it wants to be sent."""
    rate: int
    """PCM rate of that codec."""
    stateful: bool


@dataclass(frozen=True, slots=True)
class RoomShape:
    rate: int
    """0: the highest its members use."""
    loudest: int | None


@dataclass(frozen=True, slots=True)
class Coding:
    """One codec's share of a plan: sounds to encode, and who gets each."""

    codec: str
    sounds: Ints
    keys: tuple[Hashable, ...]
    """Names of the encoders' states, one a sound."""
    rows: Ints
    """Rows of the listening legs."""
    index: Ints
    """By listener: which of `sounds` it hears,"""
    quiet_index: Ints
    """and which while it says nothing itself; the same where that makes no difference."""
    own_voice: Ints
    """By listener: its own voice, or the silence."""


@dataclass(frozen=True, slots=True)
class RatePlan:
    rate: int
    legs: Ints
    """Rows of the legs that are voices, in the order of the voices."""
    players: tuple[int, ...]
    talkers: Ints
    """Voice of each talker, room after room."""
    talker_gains: Gains
    starts: Ints
    """First talker of each room."""
    loudest: tuple[int | None, ...]
    copies: Ints
    """Voices that are sounds as they are: sounds 0 to len(copies) - 1."""
    room_of: Ints
    """By summed sound: its room, or the number of rooms for none."""
    own: Ints
    """By summed sound: the talker to leave out, or the number of talkers for none."""
    edge_sources: Ints
    edge_sounds: Ints
    """Counted from the first summed sound."""
    edge_gains: Gains
    codings: tuple[Coding, ...]
    taps: Mapping[int, int]
    """Other listeners (recorders' sides), by number: their sound."""


class _Sound(NamedTuple):
    """What one listener hears, before it is compiled."""

    room: int
    own: int
    """The listener, where the room hears it; else 0."""
    edges: tuple[tuple[int, float], ...]
    """Voices and their gains, the lowest number first."""


class Compiler:
    """Builds the plan of one rate from the listeners that are served at it."""

    def __init__(
        self,
        rate: int,
        graph: Hearing,
        rows: Mapping[int, int],
        rooms: Mapping[int, RoomShape],
        players: Iterable[int],
    ) -> None:
        self._rate, self._graph, self._rows, self._rooms = rate, graph, rows, rooms
        self._players = set(players)
        self._legs: dict[int, int] = {}
        self._heard_players: dict[int, int] = {}
        self._room_numbers: dict[int, int] = {}
        self._talkers: list[tuple[int, float]] = []
        self._talker_at: dict[tuple[int, int], int] = {}
        self._starts: list[int] = []
        self._copies: dict[int, int] = {}
        self._sums: dict[_Sound, int] = {}

    def plan(
        self, ears: Iterable[Ear], taps: Mapping[int, Mapping[int, float]], watched: Iterable[int]
    ) -> RatePlan:
        """`taps` are listeners that are no legs; `watched` legs are voices whoever hears them."""
        for leg in watched:
            self._legs.setdefault(leg, len(self._legs))
        heard = [(ear, self._sound(ear.leg, self._graph.heard_by(ear.leg))) for ear in ears]
        tapped = {tap: self._mark(self._sound(0, heard)) for tap, heard in taps.items()}
        marked = [(ear, self._mark(sound), self._quiet(ear, sound)) for ear, sound in heard]
        return RatePlan(
            self._rate,
            _ints(self._rows[leg] for leg in self._legs),
            tuple(self._heard_players),
            _ints(self._voice(talker) for talker, _ in self._talkers),
            np.array([gain for _, gain in self._talkers], np.float32),
            _ints(self._starts),
            tuple(self._rooms[room].loudest for room in self._room_numbers),
            _ints(self._voice(source) for source in self._copies),
            _ints(self._room_numbers.get(s.room, len(self._starts)) for s in self._sums),
            _ints(self._talker_at.get((s.room, s.own), len(self._talkers)) for s in self._sums),
            *self._edges(),
            self._codings(marked),
            {tap: self._number(mark) for tap, mark in tapped.items()},
        )

    def _sound(self, listener: int, heard: Mapping[int, float]) -> _Sound:
        """Take the first room heard at unit gain as the room; all else becomes edges."""
        inside = own = 0
        edges: dict[int, float] = {}
        for source, gain in heard.items():
            if source not in self._rooms:
                self._add_edge(edges, source, gain)
                continue
            members = self._graph.heard_by(source)
            if not inside and gain == 1.0 and self._enter_room(source):
                inside = source
                own = listener if listener in members else 0
            else:
                for member, own_gain in members.items():
                    if member != listener:
                        self._add_edge(edges, member, gain * own_gain)
        return _Sound(inside, own, tuple(sorted(edges.items())) if edges else ())

    def _add_edge(self, edges: dict[int, float], source: int, gain: float) -> None:
        if self._note_voice(source):
            edges[source] = edges.get(source, 0.0) + gain

    def _note_voice(self, source: int) -> bool:
        """Whether the source can be heard here at all."""
        if source in self._rows:
            self._legs.setdefault(source, len(self._legs))
        elif source in self._players:
            self._heard_players.setdefault(source, len(self._heard_players))
        else:
            return False
        return True

    def _enter_room(self, room: int) -> bool:
        """Lay out the room's talkers, once; False for a room where nobody speaks."""
        if room in self._room_numbers:
            return True
        members = [
            (member, gain)
            for member, gain in self._graph.heard_by(room).items()
            if member not in self._rooms and self._note_voice(member)
        ]
        if not members:
            return False
        self._room_numbers[room] = len(self._starts)
        self._starts.append(len(self._talkers))
        for member, gain in members:
            self._talker_at[room, member] = len(self._talkers)
            self._talkers.append((member, gain))
        return True

    def _quiet(self, ear: Ear, sound: _Sound) -> int:
        """Mark of what the listener hears while it says nothing."""
        if ear.stateful or not sound.own:
            return self._mark(sound)
        return self._mark(sound._replace(own=0))

    def _mark(self, sound: _Sound) -> int:
        """The sound's place among the copies, counted down from -1, or among the sums, from 0.

        Which number it has in the plan is known when there are no more copies.
        """
        edges = sound.edges
        if not sound.room and len(edges) == 1 and edges[0][1] == 1.0:
            return -1 - self._copies.setdefault(edges[0][0], len(self._copies))
        return self._sums.setdefault(sound, len(self._sums))

    def _number(self, mark: int) -> int:
        return -1 - mark if mark < 0 else len(self._copies) + mark

    def _voice(self, source: int) -> int:
        if source in self._legs:
            return self._legs[source]
        return len(self._legs) + self._heard_players[source]

    def _edges(self) -> tuple[Ints, Ints, Gains]:
        edges = [
            (self._voice(source), number, gain)
            for number, sound in enumerate(self._sums)
            for source, gain in sound.edges
        ]
        sources, sounds, gains = zip(*edges, strict=True) if edges else ((), (), ())
        return _ints(sources), _ints(sounds), np.array(gains, np.float32)

    def _codings(self, marked: list[tuple[Ear, int, int]]) -> tuple[Coding, ...]:
        codecs: dict[str, list[tuple[Ear, int, int]]] = {}
        for entry in marked:
            codecs.setdefault(entry[0].codec, []).append(entry)
        return tuple(self._coding(codec, entries) for codec, entries in codecs.items())

    def _coding(self, codec: str, entries: list[tuple[Ear, int, int]]) -> Coding:
        places: dict[int, int] = {}
        """By mark: which of the coding's sounds it is."""
        first: dict[int, int] = {}
        """By mark: the first leg that hears the sound."""
        index, quiet_index = [], []
        for ear, sound, quiet in entries:
            index.append(places.setdefault(sound, len(places)))
            quiet_index.append(places.setdefault(quiet, len(places)))
            first.setdefault(sound, ear.leg)
        silence = len(self._legs) + len(self._heard_players)
        spoken = _ints(index)
        return Coding(
            codec,
            _ints(map(self._number, places)),
            tuple(_key(codec, self._number(mark), first.get(mark)) for mark in places),
            _ints(ear.row for ear, _, _ in entries),
            spoken,
            spoken if index == quiet_index else _ints(quiet_index),
            _ints(self._legs.get(ear.leg, silence) for ear, _, _ in entries),
        )


def _key(codec: str, sound: int, first: int | None) -> Hashable:
    """An encoder is its first listener's: its state survives a change of the graph with it."""
    return (codec, sound) if first is None else first


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
