"""Filling the hole that a lost packet leaves: the last pitch period repeated, fading.

After the idea of G.711 Appendix I, over all lossy legs at once.  Knows samples at any of our
rates; no packets.  `history` is always `(k, 40 ms)`, the sound before the hole.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media.pcm import Floats, Integers, Pcm, saturate

SEARCH_RATE: Final = 4000
"""Pitch is looked for at this rate, whatever the rate of the sound."""
_SHORTEST: Final = 20
_LONGEST: Final = 60
"""Pitch periods of 5 … 15 ms (66 … 200 Hz), in samples at `SEARCH_RATE`."""
_TEMPLATE: Final = 40
"""10 ms that the earlier sound is compared with."""
FADE_FRAMES: Final = 3
"""20 ms frames after which nothing is left of the sound before the hole."""


def pitch_lags(history: Pcm, rate: int) -> Integers:
    """The period, in samples at `rate`, after which each row best repeats itself."""
    step = rate // SEARCH_RATE
    coarse = history.reshape(len(history), -1, step).mean(axis=2, dtype=np.float32)
    lags = np.arange(_SHORTEST, _LONGEST + 1)
    windows = np.lib.stride_tricks.sliding_window_view(coarse, _TEMPLATE, axis=1)
    earlier = windows[:, coarse.shape[1] - _TEMPLATE - lags]
    best = _most_alike(earlier, coarse[:, -_TEMPLATE:])
    return _refine(history, lags[best] * step, step)


def _refine(history: Pcm, lags: Integers, step: int) -> Integers:
    """Search around each coarse lag at the full rate, comparing 40 points of 10 ms."""
    around = np.arange(1 - step, step)
    candidates = np.clip(lags[:, None] + around, _SHORTEST * step, _LONGEST * step)
    points = history.shape[1] - 1 - step * np.arange(_TEMPLATE)
    rows = np.arange(len(history))[:, None, None]
    earlier = history[rows, points - candidates[:, :, None]].astype(np.float32)
    best = _most_alike(earlier, history[:, points].astype(np.float32))
    chosen: Integers = candidates[np.arange(len(history)), best]
    return chosen


def _most_alike(earlier: Floats, template: Floats) -> npt.NDArray[np.intp]:
    """Index of the candidate `(k, candidates, points)` that correlates best with `(k, points)`."""
    alike = np.einsum("kcp,kp->kc", earlier, template)
    energy = np.einsum("kcp,kcp->kc", earlier, earlier)
    best: npt.NDArray[np.intp] = np.argmax(alike / np.sqrt(energy + 1.0), axis=1)
    return best


def extend(history: Pcm, lags: Integers, start: Integers, samples: int) -> Pcm:
    """`samples` of the repeated period, from `start` samples into the hole, not yet faded."""
    places = (start[:, None] + np.arange(samples)) % lags[:, None]
    places += history.shape[1] - lags[:, None]
    extended: Pcm = np.take_along_axis(history, places, axis=1)
    return extended


def fade(sound: Pcm, start: Integers, rate: int) -> Pcm:
    """Full for the first 10 ms of the hole, then 2 % less each millisecond."""
    milliseconds = (start[:, None] + np.arange(sound.shape[1])) * (1000 / rate)
    gains = np.clip(1.2 - 0.02 * milliseconds, 0, 1)
    return saturate(np.rint(sound * gains).astype(np.int32))


def cross_fade(before: Pcm, after: Pcm) -> Pcm:
    """From the one sound to the other, over the whole of both `(k, samples)`."""
    rising = (np.arange(after.shape[1]) + 0.5) / after.shape[1]
    mixed: Pcm = np.rint(before * (1 - rising) + after * rising).astype(np.int16)
    return mixed
