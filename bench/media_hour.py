"""An hour of calls in virtual time: does the engine's memory stay as it is?

    python -m bench.media_hour [--minutes N] [--quick] [--json]

The engine's core without sockets and clock is given 180 000 ticks as fast as it takes them: calls,
a room and callers on hold, whose packets come late, twice, in disorder or never.  Every second of
virtual time one of each goes and another comes, a recording ends and another begins, prompts are
spoken and keys pressed both ways.  Memory is the whole process's; the first minute warms up.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import psutil

from bench.rig import Figures, show
from media import commands, events
from media.items import File, Item, Say, Tone
from media.prompts import HOLD_MUSIC
from media.stream import Stream
from tests.media.virtual import Rtp, VirtualEngine

_CALLS, _MEMBERS, _HELD = 8, 10, 6
_TICKS = 50
"""In a second."""
_WARM_UP = 1
_EVERY = 10
"""Minutes between two readings."""
_EVENTS = 101
_CODECS = {"PCMU": 0, "PCMA": 8}
_LOST, _TWICE, _LATE, _LATEST = 0.01, 0.005, 0.05, 4
"""Chances of a packet; ticks by which it may be late."""


@dataclass
class Talker:
    """One leg's peer: what it says next."""

    payload_type: int
    sequence: int
    ssrc: int

    def packet(self, sound: bytes) -> Rtp:
        self.sequence += 1
        at = self.sequence
        return Rtp(at, 160 * at, sound, self.payload_type, self.ssrc)

    def key(self) -> Rtp:
        """The only packet of a short press that came."""
        self.sequence += 1
        at = self.sequence
        return Rtp(at, 160 * at, bytes((5, 0x8A, 1, 64)), _EVENTS, self.ssrc, marker=True)


@dataclass
class Office:
    """Who is there, and what is on its way to the engine."""

    folder: Path
    engine: VirtualEngine = field(default_factory=lambda: VirtualEngine(rows=64))
    rng: Random = field(default_factory=lambda: Random(1))
    talkers: dict[int, Talker] = field(default_factory=dict)
    calls: deque[tuple[int, int]] = field(default_factory=deque)
    members: deque[int] = field(default_factory=deque)
    held: deque[int] = field(default_factory=deque)
    recorders: deque[int] = field(default_factory=deque)
    late: dict[int, list[tuple[int, Rtp]]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._sounds = [self.rng.randbytes(160) for _ in range(_TICKS)]
        self._room, self._music, self._place = (self.engine.number() for _ in range(3))
        self.engine.do(commands.MakeRoom(self._room, 0, 3))
        self.engine.do(commands.Play(self._music, (File(str(HOLD_MUSIC)),), True, True))

    def come(self) -> int:
        codec = self.rng.choice(tuple(_CODECS))
        kind = _CODECS[codec]
        peer = self.engine.peer(self.engine.number() + 1)
        stream = Stream(
            peer,
            codec,
            send_pt=kind,
            receive_pts={kind: codec},
            dtmf_send_pt=_EVENTS,
            dtmf_receive_pt=_EVENTS,
        )
        leg = self.engine.leg(stream)
        self.talkers[leg] = Talker(kind, self.rng.randrange(30000), self.rng.getrandbits(32))
        return leg

    def go(self, leg: int) -> None:
        self.engine.hang_up(leg)
        del self.talkers[leg]

    def churn(self) -> None:
        """What a second brings."""
        self._change_calls()
        self._change_room()
        self._change_held()
        self._press()
        if len(self.recorders) > 2:
            self.engine.do(commands.Close(self.recorders.popleft()))
        path = str(self.folder / f"{next(self._numbers)}.wav")
        number, sides = self.engine.number(), self.calls[-1]
        self.engine.do(commands.Record(number, path, *sides, 8000, True, "wav"))
        self.recorders.append(number)

    def _change_calls(self) -> None:
        if len(self.calls) >= _CALLS:
            for leg in self.calls.popleft():
                self.go(leg)
        one, other = self.come(), self.come()
        self.engine.bridge(one, other)
        self.calls.append((one, other))

    def _change_room(self) -> None:
        if len(self.members) >= _MEMBERS:
            self.go(self.members.popleft())
        self.members.append(leg := self.come())
        self.engine.do(commands.Detect(leg, True, 10.0, 5.0, True, True, True))
        self.engine.hear(self._room, *self.members)
        self.engine.hear(leg, self._room)

    def _change_held(self) -> None:
        """Who came first is told his place, the others hear music."""
        if len(self.held) >= _HELD:
            self.go(self.held.popleft())
        self.held.append(leg := self.come())
        self.engine.hear(leg, self._music)
        self.engine.do(commands.Close(self._place))
        self._place = self.engine.number()
        self.engine.do(commands.Play(self._place, self._prompt(), False, False))
        self.engine.hear(self.held[0], self._place)

    def _prompt(self) -> tuple[Item, ...]:
        number = self.rng.randrange(1000)
        return (Tone("beep"), Say("number", str(number))) if number % 2 else (Tone("beep"),)

    def _press(self) -> None:
        self.engine.do(commands.SendDtmf(self.members[-1], "5", 100))
        talking = self.calls[0][0]
        self.engine.receive((talking, self.talkers[talking].key()))

    def tick(self, number: int) -> None:
        """20 ms: what everybody says, as far as it comes, and what was under way."""
        due = self.late.pop(number, [])
        packets = [(leg, packet) for leg, packet in due if leg in self.talkers]
        sound = self._sounds[number % _TICKS]
        for leg, talker in self.talkers.items():
            packet, chance = talker.packet(sound), self.rng.random()
            if chance < _LATE:
                until = number + self.rng.randint(1, _LATEST)
                self.late.setdefault(until, []).append((leg, packet))
            elif chance > _LOST + _LATE:
                packets.append((leg, packet))
            if chance > 1 - _TWICE:
                packets.append((leg, packet))
        self.engine.receive(*packets)
        self.engine.tick()
        self._forget()

    def _forget(self) -> None:
        """Nobody reads what was sent, told or recorded."""
        self.engine.backend.sent.clear()
        for event in self.engine.log:
            self.told[type(event).__name__] += 1
            if isinstance(event, events.Recorded):
                Path(event.path).unlink(missing_ok=True)
        self.engine.log.clear()


def measure(minutes: int) -> dict[str, float | int]:
    """Memory after the warm-up, every ten minutes and at the end."""
    process, begun = psutil.Process(), time.monotonic()
    sizes: dict[int, float] = {}
    objects: list[int] = []
    with tempfile.TemporaryDirectory() as name:
        office = Office(Path(name))
        for second in range((minutes + _WARM_UP) * 60):
            minute, rest = divmod(second - _WARM_UP * 60, 60)
            if minute >= 0 and rest == 0 and minute % _EVERY == 0:
                sizes[minute] = process.memory_info().rss / 1e6
                objects.append(_objects())
            office.churn()
            for tick in range(_TICKS):
                office.tick(second * _TICKS + tick)
        sizes[minutes] = process.memory_info().rss / 1e6
        objects.append(_objects())
        legs = len(office.talkers)
        office.engine.core.close()
    return {
        "legs": legs,
        "ticks": minutes * 60 * _TICKS,
        **{f"megabytes_at_{minute}_minutes": size for minute, size in sizes.items()},
        "grown_megabytes": sizes[minutes] - sizes[0],
        "objects_at_the_beginning": objects[0],
        "objects_at_the_end": objects[-1],
        **{f"{kind.lower()}_told": number for kind, number in sorted(office.told.items())},
        "times_as_fast_as_real": (minutes + _WARM_UP) * 60 / (time.monotonic() - begun),
    }


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def figures(quick: bool) -> Figures:
    return measure(2 if quick else 60)


def main() -> None:
    parser = argparse.ArgumentParser(description="An hour of calls in virtual time.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        found = measure(2 if given.quick else given.minutes)
    show(found, as_json=given.json)


if __name__ == "__main__":
    main()
