"""Changing sample rates: live legs in batches, files in one piece.  Knows no codecs, no packets.

Live sound goes through a polyphase FIR filter written as a matrix.  One block of 5 ms with the
history before it, times the matrix, is one block of output:

      history (taps)   block (b)           matrix (taps + b, b·up/down)
    +----------------+---------+     ×    banded Toeplitz, column j holds the
    | kept per leg   | new     |          phase of the filter that sample j needs
    +----------------+---------+

so all blocks of all legs together are one product, and the delay is 16 samples of the lower rate.
"""

from collections.abc import Hashable, Sequence
from functools import cache
from math import gcd
from typing import Final

import numpy as np
import soxr

from media.pcm import Floats, Pcm, saturate

_TAPS: Final = 32
"""Taps for each phase, counted at the lower of the two rates."""
_BLOCKS_PER_SECOND: Final = 200
_KAISER_BETA: Final = 6.0
"""Stop band near -60 dB."""


def resample(pcm: Pcm, source: int, target: int) -> Pcm:
    """A whole recording `(samples,)` from `source` to `target` Hz, at high quality."""
    if source == target:
        return pcm
    return saturate(np.rint(soxr.resample(pcm.astype(np.float32), source, target, quality="HQ")))


@cache
def _filter(up: int, down: int) -> Floats:
    """Low pass at the lower Nyquist frequency, sampled at `up` times the source rate."""
    factor = max(up, down)
    places = np.arange(_TAPS * factor) - (_TAPS * factor - 1) / 2
    window = np.kaiser(places.size, _KAISER_BETA)
    taps = np.sinc(places / factor) * window
    return np.asarray(taps * up / taps.sum(), np.float32)


@cache
def _matrix(up: int, down: int, block: int) -> Floats:
    """Matrix `(history + block, block·up/down)`; both rates as a reduced fraction."""
    taps = _filter(up, down)
    history = _history(up, down)
    matrix = np.zeros((history + block, block * up // down), np.float32)
    for column in range(matrix.shape[1]):
        newest, phase = divmod(column * down, up)
        chosen = taps[phase::up]
        rows = history + newest - np.arange(chosen.size)
        matrix[rows, column] = chosen
    return matrix


@cache
def _history(up: int, down: int) -> int:
    """Samples of the source that each block needs before its own."""
    return -(-_TAPS * max(up, down) // up)


class Resampler:
    """Streams from one rate to another; keeps a short history for every key.

    Feed each stream's sound in order.  Streams of one call must be equally long; the length may
    change from call to call.  A key seen for the first time begins in silence.
    """

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        self._block = source // _BLOCKS_PER_SECOND
        self._slots: dict[Hashable, int] = {}
        self._free: list[int] = []
        self._past = np.zeros((0, _history(self._up, self._down)), np.float32)

    def convert(self, keys: Sequence[Hashable], pcm: Pcm) -> Pcm:
        """Matrix `(keys, n)` at the source rate to `(keys, n·target/source)`.

        What does not fill a sample of the target (n not divisible) is cut off.
        """
        usable = pcm.shape[1] - pcm.shape[1] % self._down
        if not usable or not len(keys):
            return np.zeros((len(keys), 0), np.int16)
        slots = [self._slot(key) for key in keys]
        past = self._past[slots]
        line = np.concatenate([past, pcm[:, :usable]], axis=1, dtype=np.float32)
        self._past[slots] = line[:, usable:]
        return self._product(line, usable)

    def forget(self, key: Hashable) -> None:
        """Drop a stream's history.  Forgetting twice is harmless."""
        slot = self._slots.pop(key, None)
        if slot is not None:
            self._free.append(slot)

    def _product(self, line: Floats, usable: int) -> Pcm:
        history = line.shape[1] - usable
        block = gcd(usable, self._block)
        windows = np.lib.stride_tricks.sliding_window_view(line, history + block, axis=1)
        blocks = windows[:, ::block].reshape(-1, history + block)
        sound = blocks @ _matrix(self._up, self._down, block)
        return saturate(np.rint(sound, out=sound)).reshape(line.shape[0], -1)

    def _slot(self, key: Hashable) -> int:
        slot = self._slots.get(key)
        if slot is None:
            slot = self._free.pop() if self._free else self._grow()
            self._past[slot] = 0
            self._slots[key] = slot
        return slot

    def _grow(self) -> int:
        used, history = self._past.shape
        self._past = np.concatenate([self._past, np.zeros((max(used, 16), history), np.float32)])
        self._free.extend(range(self._past.shape[0] - 1, used, -1))
        return used
