"""The switch's side of the media plane: starts the engines, keeps them running, talks to them.

Everything here is synchronous but `start`, `stop` and `stats`: opening a leg takes a port
from a list and writes nothing; commands are gathered and written once per turn of the loop.
Lives on the thread of its event loop.  Touches no sound.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import structlog

from media import commands, events
from media.items import Item
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Seconds
from media.worker import Worker

_KEYS = "0123456789*#ABCD"

log = structlog.get_logger("media")

OnEvent: TypeAlias = Callable[[events.Event], None]


class NoPorts(Exception):  # noqa: N818 - it is a state of affairs: 503 to the caller, not a fault
    """Every port pair of the range is in use, or no engine is up."""


class Media:
    """The media plane of one switch.

    `on_event` hears `EngineDied` and, at the start and after each death, `Ready`.
    """

    def __init__(self, settings: MediaSettings, on_event: OnEvent | None = None) -> None:
        self.settings = settings
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._questions: dict[int, tuple[Worker, asyncio.Future[Any]]] = {}
        self._things: dict[int, OnEvent] = {}
        self._shared: dict[str, Player] = {}
        self._workers = [
            Worker(number, settings.share(number), self._deliver)
            for number in range(settings.workers)
        ]

    @property
    def backend(self) -> str:
        """Name of the backend that runs; empty before `start`."""
        return self._workers[0].backend

    @property
    def pids(self) -> list[int]:
        """Process numbers of the engines, for accounting."""
        return [worker.pid for worker in self._workers]

    @property
    def usage(self) -> tuple[int, int]:
        """Legs that have ports, and for how many there are ports."""
        return sum(w.load for w in self._workers), sum(len(w.ports) for w in self._workers)

    async def start(self) -> None:
        """Start every engine; returns when all have bound their ports."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.start())

    async def stop(self) -> None:
        """End every engine and wait until it is gone.  Twice is harmless."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.stop())
        for _, answer in self._questions.values():
            answer.cancel()

    def open(
        self, on_event: OnEvent, *, beside: MediaLeg | None = None, family: Literal[4, 6] = 4
    ) -> MediaLeg:
        """A new leg with its ports, in the engine of `beside` if given.

        Raises NoPorts when nothing is free.
        """
        able = [beside.worker] if beside else sorted(self._workers, key=lambda w: w.load)
        for worker in able:
            free = worker.free if family == 4 else worker.free6
            if free:
                row = free.popleft()
                return MediaLeg(self, worker, next(self._ids), row, family, on_event)
        raise NoPorts(f"no free port pair in {self.settings.ports} (IPv{family})")

    def player(
        self,
        *items: Item,
        loop: bool = False,
        on_event: OnEvent | None = None,
        shared: str | None = None,
    ) -> Player:
        """Something to hear.  `shared` names a class whose listeners all hear one clock.

        It begins when somebody first hears it.  A shared player is made once and stays.
        """
        if shared is not None and shared in self._shared:
            return self._shared[shared]
        made = Player(self, next(self._ids), items, loop, shared is not None, on_event)
        if shared is not None:
            self._shared[shared] = made
        return made

    def room(self, rate: int | Literal["auto"] = "auto", loudest: int | None = None) -> Room:
        """A conference; `loudest` lets only so many voices through at a time."""
        return Room(self, next(self._ids), 0 if rate == "auto" else rate, loudest)

    def record(
        self,
        path: str,
        left: Source,
        right: Source | None = None,
        *,
        rate: int = 8000,
        stereo: bool = True,
        format: Literal["wav", "ogg"] = "wav",  # noqa: A002 - the word for it
        on_event: OnEvent | None = None,
    ) -> Recorder:
        """Record what `left` and `right` say; both mixed unless `stereo`.

        At least one of the two must live in an engine already: a leg, or something heard.
        """
        number = next(self._ids)
        sources = [source for source in (left, right) if source is not None]
        worker = next(w for w in (source.home for source in sources) if w is not None)
        for source in sources:
            source.move_in(worker)
        worker.post(
            commands.Record(
                number,
                str(path),
                left.id,
                None if right is None else right.id,
                rate,
                stereo,
                format,
            )
        )
        recorder = Recorder(worker, number)
        if on_event is not None:
            self._things[number] = on_event
        return recorder

    def listen(self, number: int, on_event: OnEvent) -> None:
        """Deliver the events of thing `number` to `on_event`."""
        self._things[number] = on_event

    async def stats(self) -> list[events.EngineStats]:
        """How each engine fares; one that dies meanwhile is left out."""
        asked = []
        for worker in self._workers:
            number, answer = self.question(worker)
            worker.post(commands.AskEngine(number))
            asked.append(answer)
        told = [await answer for answer in asked]
        return [stats for stats in told if isinstance(stats, events.EngineStats)]

    def question(self, worker: Worker) -> tuple[int, asyncio.Future[Any]]:
        """A number for a question to `worker`, and the future that its answer completes."""
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._questions[number] = worker, future
        return number, future

    def _answer(self, question: int, stats: events.LegStats | events.EngineStats) -> None:
        _, answer = self._questions.pop(question)
        if not answer.done():
            answer.set_result(stats)

    def _deliver(self, event: events.Event) -> None:
        """Hand an engine's event to whom it concerns."""
        match event:
            case events.Told(question, stats):
                self._answer(question, stats)
            case events.EngineTold(question, fares):
                self._answer(question, fares)
            case events.Ready():
                self._note_ready(event)
                self._tell(self._on_event, event)
            case events.EngineDied(worker):
                self._mourn(worker)
            case events.Closed(thing) | events.Played(thing) | events.Recorded(thing):
                self._tell(self._things.pop(thing, None), event)
            case _:
                self._tell(self._things.get(event.leg), event)

    @staticmethod
    def _note_ready(event: events.Ready) -> None:
        pairs = len(event.ports) + len(event.ports6)
        log.info("media engine ready", worker=event.worker, backend=event.backend, pairs=pairs)
        if event.note:
            log.warning(event.note, worker=event.worker)

    def _mourn(self, number: int) -> None:
        """An engine died: its questions are answered with nothing, and the switch is told."""
        log.error("media engine died", worker=number)
        for question, (asked, _) in list(self._questions.items()):
            if asked.number == number:
                self._answer(question, events.LegStats())
        self._tell(self._on_event, events.EngineDied(number))

    @staticmethod
    def _tell(listener: OnEvent | None, event: events.Event) -> None:
        if listener is not None:
            listener(event)


class MediaLeg:
    """One party's sound: a port pair, a stream once signalling agreed, and whom it hears."""

    __slots__ = ("_closed", "_media", "address", "id", "port", "rtcp_port", "worker")

    def __init__(
        self, media: Media, worker: Worker, number: int, row: int, family: int, on_event: OnEvent
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
        media: Media,
        number: int,
        items: tuple[Item, ...],
        loop: bool,
        shared: bool,
        on_event: OnEvent | None,
    ) -> None:
        self.id, self._items = number, items
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
            self._lives.append(here)
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
        self._lives.clear()


class Room:
    """A conference: who hears the room hears all its members but himself."""

    def __init__(self, media: Media, number: int, rate: int, loudest: int | None) -> None:
        self.id, self._rate, self._loudest = number, rate, loudest
        self._members: dict[int, float] = {}
        self._worker: Worker | None = None
        self._media = media

    @property
    def home(self) -> Worker | None:
        return self._worker

    def move_in(self, worker: Worker) -> None:
        """A room lives in the engine of its first member."""
        if self._worker is None:
            self._worker = worker
            worker.post(commands.MakeRoom(self.id, self._rate, self._loudest))
        _same(self._worker, worker)

    def add(self, source: Source, gain: float = 1.0) -> None:
        """Let the room hear `source`; again to change its gain; 0 mutes it."""
        if source.home is not None:
            self.move_in(source.home)
        if self._worker is not None:
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
