"""A media engine without sound: it keeps who hears whom, and plays by the clock.

Behind the real client (`media.client.Media`), so that what the client forbids is forbidden here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from media import commands, events
from media.client import Media
from media.items import Item, Silence, Tone
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Address, Seconds
from media.worker import Worker

PORTS = range(20_000, 24_000, 2)
ITEM: Seconds = 1.0
"""How long a prompt takes that does not say so itself."""


@dataclass(slots=True)
class SilentLeg:
    """One leg as the engine knows it."""

    row: int
    stream: Stream | None = None
    hears: dict[int, float] = field(default_factory=dict)
    pressed: str = ""
    """Keys that were sent to the party."""


@dataclass(slots=True)
class SilentPlayer:
    items: tuple[Item, ...]
    loop: bool
    shared: bool


class Studio(Worker):
    """The engine."""

    def __init__(
        self, number: int, settings: MediaSettings, deliver: Callable[[events.Event], None]
    ) -> None:
        super().__init__(number, settings, deliver)
        self._tell = deliver
        self.legs: dict[int, SilentLeg] = {}
        self.players: dict[int, SilentPlayer] = {}
        self.rooms: dict[int, dict[int, float]] = {}
        self.recorders: dict[int, commands.Record] = {}
        self.played: list[tuple[Item, ...]] = []
        """What was played once, in order."""
        self.backend, self.ports = "silent", tuple(PORTS)
        self.free = deque(range(len(self.ports)))
        self.generation = 1

    @property
    def answers(self) -> bool:
        return True

    async def start(self) -> None:
        """It is there already."""

    async def stop(self) -> None:
        """There is nothing to end."""

    def post(self, command: commands.Command) -> None:
        match command:
            case commands.Open(leg, row):
                self.legs[leg] = SilentLeg(row)
            case commands.Connect(leg, stream):
                self.legs[leg].stream = stream
            case commands.Hear(listener, sources):
                self._hear(listener, dict(sources))
            case commands.SendDtmf(leg, digits):
                self.legs[leg].pressed += digits
            case commands.Play():
                self._play(command)
            case commands.MakeRoom(room):
                self.rooms[room] = {}
            case commands.Record(recorder):
                self.recorders[recorder] = command
            case commands.Ask(question):
                self._later(0.0, events.Told(question, events.LegStats()))
            case commands.Close(thing):
                self._close(thing)
            case _:  # pausing, seeking and detecting make no difference to silence
                pass

    def press(self, leg: int, digits: str) -> None:
        """The party of a leg presses keys."""
        for digit in digits:
            self._later(0.0, events.Dtmf(leg, digit, 100, "event"))

    def leg_to(self, remote: Address) -> int | None:
        """The leg that sends its sound there."""
        for number, leg in self.legs.items():
            if leg.stream is not None and leg.stream.remote == remote:
                return number
        return None

    def _hear(self, listener: int, sources: dict[int, float]) -> None:
        if listener in self.rooms:
            self.rooms[listener] = sources
        elif listener in self.legs:
            self.legs[listener].hears = sources

    def _play(self, command: commands.Play) -> None:
        player = SilentPlayer(command.items, command.loop, command.shared)
        self.players[command.player] = player
        if not command.loop:
            self.played.append(command.items)
            loop = asyncio.get_running_loop()
            length = sum(_length(item) for item in command.items)
            loop.call_later(length, self._end_of, command.player, player)

    def _end_of(self, number: int, player: SilentPlayer) -> None:
        if self.players.get(number) is player:
            del self.players[number]
            self._tell(events.Played(number))

    def _close(self, thing: int) -> None:
        self.players.pop(thing, None)
        self.rooms.pop(thing, None)
        if (recorder := self.recorders.pop(thing, None)) is not None:
            self._later(0.0, events.Recorded(thing, recorder.path, 1.0))
        if self.legs.pop(thing, None) is not None:
            for hears in [leg.hears for leg in self.legs.values()] + [*self.rooms.values()]:
                hears.pop(thing, None)
            self._free_ports(thing)
            self._later(0.0, events.Closed(thing))

    def _later(self, seconds: Seconds, event: events.Event) -> None:
        asyncio.get_running_loop().call_later(seconds, self._tell, event)

    def sources_of(self, leg: int) -> Iterator[int | SilentPlayer]:
        """What a leg hears: numbers of legs, those of its rooms included, and players."""
        for source, gain in self.legs[leg].hears.items():
            if source in self.rooms:
                members = self.rooms[source].items()
                yield from (each for each, loud in members if loud and each != leg)
            elif source in self.players:
                yield self.players[source]
            elif source in self.legs and gain:
                yield source


def studio_media() -> tuple[Media, Studio]:
    """The real client, and the silent engine behind it."""
    media = Media(MediaSettings(workers=1))
    studio = Studio(0, media.settings, media._deliver)
    media._workers = [studio]
    return media, studio


def _length(item: Item) -> Seconds:
    match item:
        case Silence(ms):
            return ms / 1000
        case Tone(_, _, ms):
            return (ms or 200) / 1000
        case _:
            return ITEM
