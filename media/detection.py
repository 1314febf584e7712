"""What a leg's sound tells: voice, silence, and the signals of machines.  Arrays over rows.

Knows 20 ms frames; no legs, no clock: time is counted in frames.  `features` is what classifiers
to come (answering machine or person) are told: one vector a frame, named in `FEATURES`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media.mixing import decibels, energies
from media.pcm import FRAMES_PER_SECOND, Floats, Integers, Mask, Pcm, Rows
from media.types import Seconds

_ABOVE_NOISE: Final = 9.0
"""dB by which voice exceeds the noise beneath it."""
_LEAST_VOICE: Final = -50.0
_HANG_OVER: Final = 12
"""Frames (240 ms) that voice lasts after its last loud frame: pauses between words are voice."""
_FLOOR_RISE: Final = 0.06
"""dB a frame by which the noise is taken to grow while there is no voice; it falls at once."""
_FLOOR_RISE_IN_VOICE: Final = 0.02
_FIRST_FLOOR: Final = -60.0
_NEVER: Final = 1 << 40


class VoiceActivity:
    """Voice by energy over an estimate of the noise, with hang-over."""

    def __init__(self, capacity: int) -> None:
        self._floor: Floats = np.full(capacity, _FIRST_FLOOR, np.float32)
        self._hang_over: Integers = np.zeros(capacity, np.int64)

    def reset(self, rows: Rows) -> None:
        self._floor[rows] = _FIRST_FLOOR
        self._hang_over[rows] = 0

    def feed(self, rows: Rows, frames: Pcm) -> tuple[Floats, Mask]:
        """One frame of each row, at any rate: its level in dBov, and whether there is voice."""
        level = decibels(energies(frames))
        floor = self._floor[rows]
        loud = level > np.maximum(floor + _ABOVE_NOISE, _LEAST_VOICE)
        hang_over = np.where(loud, _HANG_OVER, np.maximum(self._hang_over[rows] - 1, 0))
        voice: Mask = hang_over > 0
        rise = np.where(voice, _FLOOR_RISE_IN_VOICE, _FLOOR_RISE)
        self._floor[rows] = np.minimum(level, floor + rise)
        self._hang_over[rows] = hang_over
        return level, voice


class SilenceWatch:
    """Tells rows in which nobody has spoken for as long as each allows."""

    def __init__(self, capacity: int) -> None:
        self._allowed: Integers = np.full(capacity, _NEVER, np.int64)
        self._silent: Integers = np.zeros(capacity, np.int64)

    def watch(self, row: int, seconds: Seconds | None) -> None:
        """Begin to count anew; None stops watching."""
        self._silent[row] = 0
        self._allowed[row] = (
            _NEVER if seconds is None else max(round(seconds * FRAMES_PER_SECOND), 1)
        )

    def feed(self, rows: Rows, voice: Mask) -> list[int]:
        """One frame of each row: rows whose time is up, told once until there is voice again."""
        self._silent[rows] = np.where(voice, 0, self._silent[rows] + 1)
        told: list[int] = rows[self._silent[rows] == self._allowed[rows]].tolist()
        return told


FEATURES: Final = ("level", "low", "middle", "high", "flatness", "peak", "purity", "crossings")
"""level in dBov; shares of energy in 0-800, 800-2000, 2000-4000 Hz; spectral flatness 0 … 1;
frequency of the strongest component in Hz, and its share of the energy; crossings per sample."""

_BINS: Final = 256
_HERTZ: Final = 8000 / _BINS
_WINDOW: Final = np.asarray(np.hanning(161)[:-1], np.float32)
_BANDS: Final = np.array([0, 26, 64])
"""First bins of the three bands."""
_LOBE: Final = 4
"""Bins on each side that belong to one component under the window."""


def features(frames: Pcm) -> Floats:
    """One vector of `FEATURES` for each frame of `(k, 160)` at 8 kHz."""
    sound = frames.astype(np.float32)
    spectrum = np.abs(np.fft.rfft(sound * _WINDOW, _BINS, axis=1)) ** 2 + 1.0
    power = spectrum[:, 1:129].astype(np.float32)
    total = power.sum(axis=1)
    shares = np.add.reduceat(power, _BANDS, axis=1) / total[:, None]
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    peak, purity = _strongest(power, total)
    crossings = (np.diff(np.signbit(sound), axis=1)).mean(axis=1)
    columns = [decibels(energies(frames)), *shares.T, flatness, peak, purity, crossings]
    return np.stack(columns, axis=1).astype(np.float32)


def _strongest(power: Floats, total: Floats) -> tuple[npt.NDArray[np.float64], Floats]:
    """Frequency, between the bins by a parabola through the logarithms, and share of the energy."""
    best = power.argmax(axis=1).clip(1, power.shape[1] - 2)
    each = np.arange(len(power))
    left, middle, right = (np.log(power[each, best + i]) for i in (-1, 0, 1))
    curve = left - 2 * middle + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.minimum(curve, -1e-9), 0.0)
    sums = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))
    upper = np.minimum(best + _LOBE + 1, power.shape[1])
    lower = np.maximum(best - _LOBE, 0)
    purity: Floats = (sums[each, upper] - sums[each, lower]) / total
    return (best + 1 + shift) * _HERTZ, purity


_PURE: Final = 0.9
_LEAST_SIGNAL: Final = -45.0
_NEIGHBOURHOOD: Final = 25.0
"""Hz by which a steady tone's estimate may wander."""
_BEEP: Final = (350.0, 2600.0)
_BEEP_FRAMES: Final = (5, 75)
"""A beep lasts 0.1 to 1.5 s; it is told at its end."""
_MACHINES: Final = (("cng", 1100.0, 38.0, 20), ("ced", 2100.0, 20.0, 40))
"""Name, Hz, tolerance, and frames after which it is told (T.30: 0.5 s calling, 2.6 s answering)."""

Signal = tuple[int, str, int]
"""(row, name, milliseconds)"""


class SignalDetector:
    """Steady single tones: fax calling ("cng") and answering ("ced"), and machines' beeps.

    A fax is told while its tone lasts, once for each tone; a "beep" is any other pure tone, told
    when it has ended.
    """

    def __init__(self, capacity: int) -> None:
        self._pitch: Floats = np.zeros(capacity, np.float32)
        self._held: Integers = np.zeros(capacity, np.int64)

    def reset(self, rows: Rows) -> None:
        self._held[rows] = 0

    def feed(self, rows: Rows, found: Floats) -> list[Signal]:
        """The `features` of one frame of each row: the signals that are sure now."""
        level, peak, purity = (
            found[:, FEATURES.index(name)] for name in ("level", "peak", "purity")
        )
        pure = (purity > _PURE) & (level > _LEAST_SIGNAL)
        steady = pure & (np.abs(peak - self._pitch[rows]) < _NEIGHBOURHOOD) & (self._held[rows] > 0)
        told = self._beeps(rows[~steady])
        held = np.where(steady, self._held[rows] + 1, pure)
        pitch = np.where(steady, self._pitch[rows] + (peak - self._pitch[rows]) / 8, peak)
        self._held[rows], self._pitch[rows] = held, pitch
        for name, hertz, tolerance, frames_needed in _MACHINES:
            sure = (held == frames_needed) & (np.abs(pitch - hertz) <= tolerance)
            told += [(row, name, frames_needed * 20) for row in rows[sure].tolist()]
        return told

    def _beeps(self, rows: Rows) -> list[Signal]:
        """Rows whose tone ended now."""
        held, pitch = self._held[rows], self._pitch[rows]
        beep = (held >= _BEEP_FRAMES[0]) & (held <= _BEEP_FRAMES[1])
        beep &= (pitch >= _BEEP[0]) & (pitch <= _BEEP[1])
        for _, hertz, tolerance, _ in _MACHINES:
            beep &= np.abs(pitch - hertz) > tolerance
        ended = zip(rows[beep].tolist(), held[beep].tolist(), strict=True)
        return [(row, "beep", length * 20) for row, length in ended]
