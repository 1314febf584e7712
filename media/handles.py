"""What the switch holds of the media plane: legs, players, rooms and recorders.

Every handle is a number and the engine it lives in; its verbs are commands, which are gathered
and written once per turn of the loop.  Touches no sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from media import commands, events
from media.items import Item
from media.link import join
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

    def open_in(self, worker: Worker, on_event: OnEvent, family: Literal[4, 6]) -> MediaLeg: ...

    def question(self, worker: Worker) -> tuple[int, asyncio.Future[Any]]: ...


class MediaLeg:
    """One party's sound: a port pair, a stream once signalling agreed, and whom it hears."""

    __slots__ = (
        *("_closed", "_generation", "_links", "_media", "_stream", "address", "family", "id"),
        *("port", "rtcp_port", "worker"),
    )

    def __init__(
        self,
        media: Plane,
        worker: Worker,
        number: int,
        row: int,
        family: Literal[4, 6],
        on_event: OnEvent,
    ) -> None:
        settings = media.settings
        self.family, self._generation = family, worker.generation
        self._stream: Stream | None = None
        self._links: dict[Worker, tuple[MediaLeg, MediaLeg]] = {}
        """By engine where this leg is heard: the link's ends, here and there."""
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

    @property
    def lives(self) -> bool:
        """Whether its engine still is the one it was opened in."""
        return self._generation == self.worker.generation and self.worker.answers

    def heard_in(self, worker: Worker) -> int:
        """Its number for who listens in that engine: of a link's end, if that is another one."""
        if worker is self.worker or self._closed or not self.lives:
            return self.id
        return self._link(worker)[1].id

    def connect(self, stream: Stream) -> None:
        """Use this agreement from now on; again at each offer and answer."""
        self._stream = stream
        self.worker.post(commands.Connect(self.id, stream))
        for near, far in self._links.values():
            join(near, far, stream)

    def hear(self, *sources: Source | Mapping[Source, float], gain: float = 1.0) -> None:
        """Replace whom this leg hears: sources at one gain, or one mapping of gains.

        Nothing given: silence.  A leg that hears itself gets its echo.
        """
        if self._closed:
            return
        here: dict[int, float] = {}
        there: dict[Worker, dict[int, float]] = {}
        for source, value in _gains(sources, gain).items():
            home = source.home
            if isinstance(source, Room) and home is not None and home is not self.worker:
                there.setdefault(home, {})[source.heard_in(home)] = value
            else:
                here[source.heard_in(self.worker)] = value
        for worker in self._links.keys() - there.keys():
            worker.post(commands.Hear(self._links[worker][1].id, {}))
        for worker, gains in there.items():
            near, far = self._link(worker)
            worker.post(commands.Hear(far.id, gains))
            here[near.id] = 1.0
        self.worker.post(commands.Hear(self.id, here))

    def _link(self, worker: Worker) -> tuple[MediaLeg, MediaLeg]:
        """Two legs by which this one is heard in another engine.  Raises NoPorts."""
        ends = self._links.get(worker)
        if ends is None or not all(end.lives for end in ends):
            near = self._media.open_in(self.worker, _ignore, self.family)
            far = self._media.open_in(worker, _ignore, self.family)
            join(near, far, self._stream or Stream(None))
            near.hear(self)
            ends = self._links[worker] = near, far
        return ends

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
        features: bool = False,
    ) -> None:
        """Listen for these, and nothing else from now on.

        `silence`: seconds without voice; `starved`: seconds without any packet; `voice`: its
        beginning and end; `signals`: fax tones and beeps; `features`: a vector of
        `media.detection.FEATURES` for each frame.
        """
        watched = commands.Detect(self.id, dtmf_inband, silence, starved, voice, signals, features)
        self.worker.post(watched)

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
            for ends in self._links.values():
                for end in ends:
                    end.close()


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

    def heard_in(self, worker: Worker) -> int:
        """Its number for who listens in that engine: it is made in each where somebody does."""
        here = (worker, worker.generation)
        if here not in self._lives:
            self._lives = [life for life in self._lives if life[0] is not worker] + [here]
            if not self._loop:
                worker.promise(self.id, events.Played(self.id, ENGINE_DIED))
            worker.post(commands.Play(self.id, self._items, self._loop, self._shared))
        return self.id

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
        self._members: dict[Source, float] = {}
        self._worker: Worker | None = None
        self._generation = 0

    @property
    def home(self) -> Worker | None:
        return self._worker

    def heard_in(self, worker: Worker) -> int:
        """Its number; it lives in the engine of its first member, and nowhere else."""
        if self._worker is None:
            self._worker = worker
        if self._worker is not worker:
            raise ValueError("rooms are heard in their own engine only")
        if self._generation != worker.generation:
            self._generation = worker.generation
            worker.post(commands.MakeRoom(self.id, self._rate, self._loudest))
        return self.id

    def add(self, source: Source, gain: float = 1.0) -> None:
        """Let the room hear `source`; again to change its gain; 0 mutes it."""
        home = self._worker or source.home
        if home is not None:
            self.heard_in(home)
            source.heard_in(home)
        self._members[source] = gain
        self._tell()

    def remove(self, source: Source) -> None:
        self._members.pop(source, None)
        self._tell()

    def close(self) -> None:
        if self._worker is not None:
            self._worker.post(commands.Close(self.id))

    def _tell(self) -> None:
        worker = self._worker
        if worker is not None:
            heard = {member.heard_in(worker): gain for member, gain in self._members.items()}
            worker.post(commands.Hear(self.id, heard))


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


def _ignore(event: events.Event) -> None:
    """What befalls a link is told by the legs it serves."""
