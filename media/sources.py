"""What a player's items are made of: sound by place, at any rate.  Knows files and tones; no ticks.

Places and lengths are counted in units of 1/8000 s.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from media.items import Tone
from media.library import UNITS_PER_SECOND, Library
from media.pcm import Pcm
from media.tones import Signal, signal

FOR_EVER: Final = 1 << 62
"""Length of a tone that does not end."""


class Source(Protocol):
    """One item of the timeline."""

    def prepare(self, rate: int) -> None:
        """It will be wanted at this rate soon."""

    def length(self) -> int | None:
        """In units; None while it is not known.  Raises SoundError if it can never be played."""

    def sound(self, rate: int, start: int, units: int) -> Pcm | None:
        """A part that lies within `length`; None while it is not there at this rate."""


@dataclass(slots=True)
class SilenceSource:
    units: int

    def prepare(self, rate: int) -> None:
        """Silence is always at hand."""

    def length(self) -> int:
        return self.units

    def sound(self, rate: int, start: int, units: int) -> Pcm:
        return np.zeros(units * rate // UNITS_PER_SECOND, np.int16)


@dataclass(slots=True)
class ToneSource:
    tone: Tone

    def prepare(self, rate: int) -> None:
        self._signal(rate)

    def length(self) -> int:
        if self.tone.ms is not None:
            return self.tone.ms * UNITS_PER_SECOND // 1000
        cycle = self._signal(UNITS_PER_SECOND)
        return FOR_EVER if cycle.repeats else cycle.sound.size

    def sound(self, rate: int, start: int, units: int) -> Pcm:
        cycle, scale = self._signal(rate), rate // UNITS_PER_SECOND
        places = np.arange(start * scale, (start + units) * scale)
        if cycle.repeats:
            return cycle.sound.take(places, mode="wrap")
        ended = places >= cycle.sound.size
        sound: Pcm = np.where(ended, 0, cycle.sound.take(places, mode="clip")).astype(np.int16)
        return sound

    def _signal(self, rate: int) -> Signal:
        return signal(self.tone.what, self.tone.country, rate)


@dataclass(slots=True)
class FileSource:
    path: str
    library: Library
    loading: dict[int, "Future[Pcm]"] = field(default_factory=dict)

    def prepare(self, rate: int) -> None:
        if rate not in self.loading:
            self.loading[rate] = self.library.request(self.path, rate)

    def length(self) -> int | None:
        for rate, loaded in self.loading.items():
            if loaded.done():
                return loaded.result().size * UNITS_PER_SECOND // rate
        return None

    def sound(self, rate: int, start: int, units: int) -> Pcm | None:
        self.prepare(rate)
        loaded = self.loading[rate]
        if not loaded.done():
            return None
        scale = rate // UNITS_PER_SECOND
        return loaded.result()[start * scale : (start + units) * scale]
