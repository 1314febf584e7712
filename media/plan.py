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

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Sound:
    """What one listener hears, before it is compiled."""

    room: int = 0
    own: int = 0
    """The listener, where the room hears it; else 0."""
    edges: dict[int, float] = field(default_factory=dict)

    def signature(self) -> Hashable:
        return self.room, self.own, tuple(sorted(self.edges.items()))


def rate_of(
    heard: Iterable[int],
    graph: Hearing,
    rooms: Mapping[int, RoomShape],
    native: Callable[[int], int],
) -> int:
    """The highest rate among sources; rooms count as their shape says, or as their members."""
    best = 0
    for source in heard:
        if source in rooms:
            shape = rooms[source]
            members = graph.heard_by(source)
            best = max(best, shape.rate or max(map(native, members), default=0))
        else:
            best = max(best, native(source))
    return best or RATES[0]


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
        self._sums: dict[Hashable, int] = {}
        self._sum_list: list[_Sound] = []

    def plan(
        self, ears: Iterable[Ear], taps: Mapping[int, Mapping[int, float]], watched: Iterable[int]
    ) -> RatePlan:
        """`taps` are listeners that are no legs; `watched` legs are voices whoever hears them."""
        for leg in watched:
            self._legs.setdefault(leg, len(self._legs))
        wanted = [(ear, self._sound(ear.leg, self._graph.heard_by(ear.leg))) for ear in ears]
        tapped = {tap: self._sound(0, heard) for tap, heard in taps.items()}
        chosen = [(ear, sound, self._quiet(ear, sound)) for ear, sound in wanted]
        for sound in [*(s for _, s, _ in chosen), *tapped.values()]:
            self._register(sound)
        for _, _, quiet in chosen:
            self._register(quiet)
        codings = self._codings(chosen)
        return RatePlan(
            self._rate,
            _ints(self._rows[leg] for leg in self._legs),
            tuple(self._heard_players),
            _ints(self._voice(talker) for talker, _ in self._talkers),
            np.array([gain for _, gain in self._talkers], np.float32),
            _ints(self._starts),
            tuple(self._rooms[room].loudest for room in self._room_numbers),
            _ints(self._voice(source) for source in self._copies),
            _ints(self._room_numbers.get(s.room, len(self._starts)) for s in self._sum_list),
            _ints(self._talker_at.get((s.room, s.own), len(self._talkers)) for s in self._sum_list),
            *self._edges(),
            codings,
            {tap: self._number(sound) for tap, sound in tapped.items()},
        )

    def _sound(self, listener: int, heard: Mapping[int, float]) -> _Sound:
        """Take the first room heard at unit gain as the room; all else becomes edges."""
        sound = _Sound()
        for source, gain in heard.items():
            if source not in self._rooms:
                self._add_edge(sound, source, gain)
                continue
            members = self._graph.heard_by(source)
            if not sound.room and gain == 1.0 and self._enter_room(source):
                sound.room = source
                sound.own = listener if listener in members else 0
            else:
                for member, own_gain in members.items():
                    if member != listener:
                        self._add_edge(sound, member, gain * own_gain)
        return sound

    def _add_edge(self, sound: _Sound, source: int, gain: float) -> None:
        if self._note_voice(source):
            sound.edges[source] = sound.edges.get(source, 0.0) + gain

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

    @staticmethod
    def _quiet(ear: Ear, sound: _Sound) -> _Sound:
        """What the listener hears while it says nothing."""
        if ear.stateful or not sound.own:
            return sound
        return _Sound(sound.room, 0, sound.edges)

    def _register(self, sound: _Sound) -> None:
        if (source := _single(sound)) is not None:
            self._copies.setdefault(source, len(self._copies))
        elif sound.signature() not in self._sums:
            self._sums[sound.signature()] = len(self._sum_list)
            self._sum_list.append(sound)

    def _number(self, sound: _Sound) -> int:
        source = _single(sound)
        if source is not None:
            return self._copies[source]
        return len(self._copies) + self._sums[sound.signature()]

    def _voice(self, source: int) -> int:
        if source in self._legs:
            return self._legs[source]
        return len(self._legs) + self._heard_players[source]

    def _edges(self) -> tuple[Ints, Ints, Gains]:
        edges = [
            (self._voice(source), number, gain)
            for number, sound in enumerate(self._sum_list)
            for source, gain in sound.edges.items()
        ]
        sources, sounds, gains = zip(*edges, strict=True) if edges else ((), (), ())
        return _ints(sources), _ints(sounds), np.array(gains, np.float32)

    def _codings(self, chosen: list[tuple[Ear, _Sound, _Sound]]) -> tuple[Coding, ...]:
        codecs: dict[str, list[tuple[Ear, _Sound, _Sound]]] = {}
        for entry in chosen:
            codecs.setdefault(entry[0].codec, []).append(entry)
        return tuple(self._coding(codec, entries) for codec, entries in codecs.items())

    def _coding(self, codec: str, entries: list[tuple[Ear, _Sound, _Sound]]) -> Coding:
        sounds: dict[int, int] = {}
        sharers: dict[int, list[Ear]] = {}
        for ear, sound, quiet in entries:
            for each in (sound, quiet):
                sounds.setdefault(self._number(each), len(sounds))
            sharers.setdefault(self._number(sound), []).append(ear)
        silence = len(self._legs) + len(self._heard_players)
        index = _ints(sounds[self._number(sound)] for _, sound, _ in entries)
        quiet_index = _ints(sounds[self._number(quiet)] for _, _, quiet in entries)
        return Coding(
            codec,
            _ints(sounds),
            tuple(_key(codec, number, sharers.get(number, [])) for number in sounds),
            _ints(ear.row for ear, _, _ in entries),
            index,
            index if np.array_equal(index, quiet_index) else quiet_index,
            _ints(self._legs.get(ear.leg, silence) for ear, _, _ in entries),
        )


def _single(sound: _Sound) -> int | None:
    """The only voice of a sound that is one voice as it is."""
    if sound.room or len(sound.edges) != 1:
        return None
    ((source, gain),) = sound.edges.items()
    return source if gain == 1.0 else None


def _key(codec: str, sound: int, sharers: list[Ear]) -> Hashable:
    """An encoder is its first listener's: its state survives a change of the graph with it."""
    return sharers[0].leg if sharers else (codec, sound)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
