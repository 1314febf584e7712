"""Sound files in memory, bounded, read by a thread of their own so that no tick waits for a disk.

Knows paths and rates; no players.  Lengths are counted in *units* of 1/8000 s, so that a file is
equally long at every rate and a playlist has one timeline.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from media.background import stand_back
from media.decoding import SoundError, read_sound
from media.pcm import Pcm

UNITS_PER_SECOND: Final = 8000
_DEFAULT_BOUND: Final = 128 << 20


class Library:
    """All files of one engine.  `request` may be called from the tick; it never blocks."""

    def __init__(self, bound: int = _DEFAULT_BOUND) -> None:
        self._bound, self._held = bound, 0
        self._sounds: OrderedDict[tuple[str, int], tuple[int, Pcm]] = OrderedDict()
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(1, "sound-files", initializer=stand_back)

    def request(self, path: str, rate: int) -> "Future[Pcm]":
        """The file's sound at `rate`, padded to whole units; fails with SoundError."""
        return self._reader.submit(self._load, path, rate)

    def close(self) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)

    @property
    def held(self) -> int:
        """Octets of sound kept at present."""
        return self._held

    def _load(self, path: str, rate: int) -> Pcm:
        """In the reader's thread.  A file that changed on disk is read again."""
        try:
            changed = Path(path).stat().st_mtime_ns
        except OSError as error:
            raise SoundError(f"{path}: {error.strerror or error}") from None
        with self._lock:
            known = self._sounds.get((path, rate))
            if known is not None and known[0] == changed:
                self._sounds.move_to_end((path, rate))
                return known[1]
        sound = _whole_units(read_sound(path, rate), rate)
        self._keep((path, rate), changed, sound)
        return sound

    def _keep(self, key: tuple[str, int], changed: int, sound: Pcm) -> None:
        with self._lock:
            former = self._sounds.pop(key, None)
            self._held += sound.nbytes - (former[1].nbytes if former else 0)
            self._sounds[key] = changed, sound
            while self._held > self._bound and len(self._sounds) > 1:
                _, (_, oldest) = self._sounds.popitem(last=False)
                self._held -= oldest.nbytes


def _whole_units(sound: Pcm, rate: int) -> Pcm:
    size = rate // UNITS_PER_SECOND
    return np.pad(sound, (0, -sound.size % size))
