"""Players: items in sequence, gapless, as 20 ms frames at whatever rate a listener wants.

Knows items and ticks; no legs, no wall clock.  A player's timeline is counted in units of 1/8000 s,
of which every item has a whole number, so all rates are at the same place.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from media.decoding import SoundError
from media.items import File, Item, Prompt, Say, Silence, Tone
from media.library import UNITS_PER_SECOND, Library
from media.pcm import FRAMES_PER_SECOND, Pcm, frame_samples
from media.prompts import prompt_path
from media.prompts.say import SayError, say
from media.sources import FileSource, SilenceSource, Source, ToneSource
from media.tones import ToneError, signal

_FRAME_UNITS: Final = UNITS_PER_SECOND // FRAMES_PER_SECOND


class _Span(NamedTuple):
    """Part of a source that lies `at` units into a frame."""

    source: Source
    start: int
    units: int
    at: int


class Player:
    """Plays `items` once, or for ever with `loop`.

    The first `frame` starts it.  It moves on by one frame at each new tick number and stands still
    while nobody asks; a `shared` player moves by as many ticks as have passed, so that its position
    is a function of time however many listen.  While a file is still being read there is silence,
    and nothing of the file is lost.  What cannot be played is left out and told in `error`.
    """

    def __init__(
        self, items: Sequence[Item], library: Library, *, loop: bool = False, shared: bool = False
    ) -> None:
        self.finished, self.error = False, ""
        self._library, self._loop, self._shared = library, loop, shared
        self._sources = [source for item in items for source in self._resolve(item)]
        self._index = self._offset = self._played = 0
        self._paused = False
        self._tick: int | None = None
        self._spans: list[_Span] = []
        self._rates: set[int] = set()
        self._frames: dict[int, Pcm] = {}
        if not self._sources:
            self.finished = True

    @property
    def position(self) -> float:
        """Seconds of sound played, since the start or the last `seek`ed place."""
        return self._played / UNITS_PER_SECOND

    def frame(self, rate: int, tick: int) -> Pcm:
        """The 20 ms of tick number `tick` at `rate`; the same array for each who asks."""
        if rate not in self._rates:
            self._rates.add(rate)
            self._prepare()
        if tick != self._tick:
            self._move(tick)
        made = self._frames.get(rate)
        if made is None:
            made = self._frames[rate] = self._render(rate)
        return made

    def pause(self) -> None:
        """Be silent and stand still until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def seek(self, seconds: float) -> None:
        """Go to a place counted from the beginning; beyond the end is the end.

        Files that have not been read yet count as empty on the way.
        """
        self._index = self._offset = self._played = 0
        self.finished = not self._sources
        self._walk(max(0, round(seconds * UNITS_PER_SECOND)))

    def _move(self, tick: int) -> None:
        passed = 1 if self._tick is None or not self._shared else max(tick - self._tick, 1)
        self._tick = tick
        self._frames.clear()
        self._spans = []
        if not self._paused:
            if passed > 1:
                self._walk((passed - 1) * _FRAME_UNITS)
            self._spans = self._walk(_FRAME_UNITS)

    def _walk(self, units: int) -> list[_Span]:
        """Go on by `units`; stops early at the end and at what is not ready."""
        spans: list[_Span] = []
        at = idle = 0
        while at < units and not self.finished:
            source = self._sources[self._index]
            length = self._length(source)
            if length is None:
                break
            taken = min(units - at, length - self._offset)
            if taken > 0:
                spans.append(_Span(source, self._offset, taken, at))
            at, self._offset, self._played = at + taken, self._offset + taken, self._played + taken
            idle = 0 if taken else idle + 1
            if self._offset >= length:
                self._next_source(idle)
        return spans

    def _length(self, source: Source) -> int | None:
        for rate in self._rates:
            source.prepare(rate)
        try:
            return source.length()
        except SoundError as error:
            self._note(str(error))
            return 0

    def _next_source(self, idle: int) -> None:
        """To the next item; `idle` counts those passed without any sound."""
        self._index, self._offset = self._index + 1, 0
        if self._index == len(self._sources):
            self._index = 0
            self.finished = not self._loop or idle >= len(self._sources)
        if not self.finished:
            self._prepare()

    def _prepare(self) -> None:
        """Have the present item and the next one read."""
        for index in (self._index, (self._index + 1) % max(len(self._sources), 1)):
            if index < len(self._sources):
                for rate in self._rates:
                    self._sources[index].prepare(rate)

    def _render(self, rate: int) -> Pcm:
        scale = rate // UNITS_PER_SECOND
        frame = np.zeros(frame_samples(rate), np.int16)
        for source, start, units, at in self._spans:
            try:
                sound = source.sound(rate, start, units)
            except SoundError as error:
                self._note(str(error))
                continue
            if sound is not None:
                frame[at * scale : at * scale + sound.size] = sound
        return frame

    def _resolve(self, item: Item) -> list[Source]:
        """What an item consists of; what is wrong with it is noted and left out."""
        try:
            match item:
                case File(path):
                    return [FileSource(path, self._library)]
                case Prompt(name, language):
                    return [FileSource(str(prompt_path(name, language)), self._library)]
                case Say(kind, value, language):
                    names = say(kind, value, language)
                    paths = [str(prompt_path(name, language)) for name in names]
                    return [FileSource(path, self._library) for path in paths]
                case Tone():
                    signal(item.what, item.country, UNITS_PER_SECOND)
                    return [ToneSource(item)]
                case Silence(ms):
                    return [SilenceSource(ms * UNITS_PER_SECOND // 1000)]
        except (SoundError, SayError, ToneError) as error:
            self._note(str(error))
            return []

    def _note(self, reason: str) -> None:
        if reason not in self.error:
            self.error = f"{self.error}; {reason}" if self.error else reason
