"""The switch's side of the media plane: starts the engines, keeps them running, talks to them.

Everything here is synchronous but `start`, `stop` and `stats`: opening a leg takes a port
from a list and writes nothing; commands are gathered and written once per turn of the loop.
Lives on the thread of its event loop.  Touches no sound.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Literal

import structlog

from media import commands, events
from media.handles import ENGINE_DIED, MediaLeg, OnEvent, Player, Recorder, Room, Source
from media.items import Item
from media.settings import MediaSettings
from media.worker import Worker

__all__ = ["Media", "MediaLeg", "NoPorts", "OnEvent", "Player", "Recorder", "Room", "Source"]

log = structlog.get_logger("media")


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
            if worker.free if family == 4 else worker.free6:
                return self.open_in(worker, on_event, family)
        raise NoPorts(f"no free port pair in {self.settings.ports} (IPv{family})")

    def open_in(self, worker: Worker, on_event: OnEvent, family: Literal[4, 6]) -> MediaLeg:
        """A new leg in this engine.  Raises NoPorts."""
        free = worker.free if family == 4 else worker.free6
        if not free:
            raise NoPorts(f"no free port pair in {worker.settings.ports} (IPv{family})")
        return MediaLeg(self, worker, next(self._ids), free.popleft(), family, on_event)

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
        return Room(next(self._ids), 0 if rate == "auto" else rate, loudest)

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
        worker.post(
            commands.Record(
                number,
                str(path),
                left.heard_in(worker),
                None if right is None else right.heard_in(worker),
                rate,
                stereo,
                format,
            )
        )
        worker.promise(number, events.Recorded(number, str(path), 0.0, ENGINE_DIED))
        recorder = Recorder(worker, number)
        if on_event is not None:
            self._things[number] = on_event
        return recorder

    def listen(self, number: int, on_event: OnEvent) -> None:
        """Deliver the events of thing `number` to `on_event`."""
        self._things[number] = on_event

    def forget(self, number: int) -> None:
        """What becomes of thing `number` is of no interest any more."""
        self._things.pop(number, None)

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
        """A number for a question to `worker`, and the future that its answer completes.

        Where no engine runs it is complete at once, with nothing.
        """
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if worker.answers:
            self._questions[number] = worker, future
        else:
            future.set_result(events.LegStats())
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
