"""What the switch holds of the media plane: legs, players, rooms and recorders.

Every handle is a number and the engine it lives in; its verbs are commands, which are gathered
and written once per turn of the loop.  Touches no sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from media import commands, events
from media.items import Item
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Seconds
from media.worker import Worker

_KEYS = "0123456789*#ABCD"
ENGINE_DIED = "the media engine died"

OnEvent: TypeAlias = Callable[[events.Event], None]


class Plane(Protocol):
    """What a handle needs of the media plane it belongs to."""

    @property
    def settings(self) -> MediaSettings: ...

    def listen(self, number: int, on_event: OnEvent) -> None: ...

    def forget(self, number: int) -> None: ...

    def question(self, worker: Worker) -> tuple[int, asyncio.Future[Any]]: ...


class MediaLeg:
    """One party's sound: a port pair, a stream once signalling agreed, and whom it hears."""

    __slots__ = ("_closed", "_media", "address", "id", "port", "rtcp_port", "worker")

    def __init__(
        self, media: Plane, worker: Worker, number: int, row: int, family: int, on_event: OnEvent
    ) -> None:
        settings = media.settings
        self._media, self.worker, self.id = media, worker, number
        self.address = settings.address if family == 4 else settings.address6 or "::"
        self.port: int = worker.ports[row]
        self.rtcp_port = self.port + 1
        self._closed = False
        media.listen(number, on_event)
        worker.own(number, row)
        worker.post(commands.Open(number, row))

    @property
    def home(self) -> Worker | None:
        return self.worker

    def move_in(self, worker: Worker) -> None:
        """A leg lives where its ports are bound."""
        _same(self.worker, worker)

    def connect(self, stream: Stream) -> None:
        """Use this agreement from now on; again at each offer and answer."""
        self.worker.post(commands.Connect(self.id, stream))

    def hear(self, *sources: Source | Mapping[Source, float], gain: float = 1.0) -> None:
        """Replace whom this leg hears: sources at one gain, or one mapping of gains.

        Nothing given: silence.  A leg that hears itself gets its echo.
        """
        heard = _gains(sources, gain)
        for source in heard:
            source.move_in(self.worker)
        gains = {source.id: value for source, value in heard.items()}
        self.worker.post(commands.Hear(self.id, gains))

    def send_dtmf(self, digits: str, ms: int = 100) -> None:
        """Press keys towards the peer: as events where it takes them, else as tones.

        Raises ValueError for what is no key.
        """
        if strangers := set(digits.upper()) - set(_KEYS):
            raise ValueError(f"{''.join(sorted(strangers))!r} are no keys; there are {_KEYS}")
        self.worker.post(commands.SendDtmf(self.id, digits, ms))

    def detect(
        self,
        *,
        dtmf_inband: bool = False,
        silence: Seconds | None = None,
        starved: Seconds | None = None,
        voice: bool = False,
        signals: bool = False,
    ) -> None:
        """Listen for these, and nothing else from now on.

        `silence`: seconds without voice; `starved`: seconds without any packet; `voice`: its
        beginning and end; `signals`: fax tones and beeps.
        """
        self.worker.post(commands.Detect(self.id, dtmf_inband, silence, starved, voice, signals))

    async def stats(self) -> events.LegStats:
        """The counters as they are now."""
        number, answer = self._media.question(self.worker)
        self.worker.post(commands.Ask(number, self.id))
        stats: events.LegStats = await answer
        return stats

    def close(self) -> None:
        """End the leg; `Closed` follows, with its last counters.  Twice is harmless."""
        if not self._closed:
            self._closed = True
            self.worker.post(commands.Close(self.id))


class Player:
    """Items played one after the other to whoever hears it."""

    def __init__(
        self,
        media: Plane,
        number: int,
        items: tuple[Item, ...],
        loop: bool,
        shared: bool,
        on_event: OnEvent | None,
    ) -> None:
        self._media, self.id, self._items = media, number, items
        self._loop, self._shared = loop, shared
        self._lives: list[tuple[Worker, int]] = []
        if on_event is not None:
            media.listen(number, on_event)

    @property
    def home(self) -> Worker | None:
        return self._lives[0][0] if self._lives else None

    def move_in(self, worker: Worker) -> None:
        """A player is made in every engine where somebody hears it."""
        here = (worker, worker.generation)
        if here not in self._lives:
            self._lives = [life for life in self._lives if life[0] is not worker] + [here]
            if not self._loop:
                worker.promise(self.id, events.Played(self.id, ENGINE_DIED))
            worker.post(commands.Play(self.id, self._items, self._loop, self._shared))

    def pause(self) -> None:
        """Stand still and be silent."""
        self._post(commands.Pause(self.id, True))

    def resume(self) -> None:
        self._post(commands.Pause(self.id, False))

    def seek(self, seconds: Seconds) -> None:
        """Go to a place, counted from the beginning."""
        self._post(commands.Seek(self.id, seconds))

    def _post(self, command: commands.Command) -> None:
        for worker, generation in self._lives:
            if worker.generation == generation:
                worker.post(command)

    def close(self) -> None:
        """Stop; its listeners hear silence.  `Played` does not follow."""
        self._post(commands.Close(self.id))
        for worker, _ in self._lives:
            worker.release(self.id)
        self._lives.clear()
        self._media.forget(self.id)


class Room:
    """A conference: who hears the room hears all its members but himself."""

    def __init__(self, number: int, rate: int, loudest: int | None) -> None:
        self.id, self._rate, self._loudest = number, rate, loudest
        self._members: dict[int, float] = {}
        self._worker: Worker | None = None
        self._generation = 0

    @property
    def home(self) -> Worker | None:
        return self._worker

    def move_in(self, worker: Worker) -> None:
        """A room lives in the engine of its first member."""
        if self._worker is None:
            self._worker = worker
        _same(self._worker, worker)
        if self._generation != worker.generation:
            self._generation = worker.generation
            worker.post(commands.MakeRoom(self.id, self._rate, self._loudest))

    def add(self, source: Source, gain: float = 1.0) -> None:
        """Let the room hear `source`; again to change its gain; 0 mutes it."""
        if source.home is not None:
            self.move_in(source.home)
        if self._worker is not None:
            self.move_in(self._worker)
            source.move_in(self._worker)
        self._members[source.id] = gain
        self._tell()

    def remove(self, source: Source) -> None:
        self._members.pop(source.id, None)
        self._tell()

    def close(self) -> None:
        if self._worker is not None:
            self._worker.post(commands.Close(self.id))

    def _tell(self) -> None:
        if self._worker is not None:
            self._worker.post(commands.Hear(self.id, dict(self._members)))


class Recorder:
    """A recording in progress."""

    __slots__ = ("_worker", "id")

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker, self.id = worker, number

    def pause(self) -> None:
        """Leave out what is said from now on."""
        self._worker.post(commands.Pause(self.id, True))

    def resume(self) -> None:
        self._worker.post(commands.Pause(self.id, False))

    def stop(self) -> None:
        """Finish the file; `Recorded` follows."""
        self._worker.post(commands.Close(self.id))


Source: TypeAlias = MediaLeg | Player | Room


def _gains(
    sources: tuple[Source | Mapping[Source, float], ...], gain: float
) -> dict[Source, float]:
    heard: dict[Source, float] = {}
    for source in sources:
        if isinstance(source, Mapping):
            heard.update(source)
        else:
            heard[source] = gain
    return heard


def _same(one: Worker, other: Worker) -> None:
    if one is not other:
        raise ValueError("legs that hear each other must be opened beside each other")
