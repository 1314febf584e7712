"""DTMF heard in the sound, over all watched legs at once.  Knows 8 kHz frames; no packets.

Each 10 ms a Hann window of 20 ms is compared with the eight frequencies: a Goertzel bank written
as one matrix product.  A window is a *hit* when (ITU-T Q.24, with the usual margins)

* the strongest of each group is loud enough, and neither group outweighs the other (twist),
* the two together are nearly all of the window's energy: speech has harmonics, keys have none,
* their phases moved since the window before as their frequencies say, within 2.4 %.

Three hits of one key are a press (tones of 40 ms pass, of 23 ms do not); three windows without a
hit end it (a gap of 10 ms does not, one of 40 ms does).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media.pcm import Floats, Integers, Mask, Pcm, Rows
from media.tones import DTMF_HIGH, DTMF_KEYS, DTMF_LOW

_RATE: Final = 8000
_WINDOW: Final = 160
_HOP: Final = 80
_HOP_MS: Final = 10
_LEAST_AMPLITUDE: Final = 22800 * 10 ** (-34 / 20)
"""-34 dBm0 for each frequency."""
_LOW_STRONGER: Final = 10 ** (10 / 10)
_HIGH_STRONGER: Final = 10 ** (6 / 10)
_PURITY: Final = 0.74
_DETUNED: Final = 0.024
_HITS: Final = 3
_MISSES: Final = 3
_EDGES_MS: Final = 6
"""A tone is about this much longer than its hits: its edges lie in windows that fail."""
_NONE: Final = -1

_FREQUENCIES: Final = np.array([*DTMF_LOW, *DTMF_HIGH], np.float64)
_HANN: Final = np.hanning(_WINDOW + 1)[:-1]

Press = tuple[int, str, int]
"""(row, key, milliseconds)"""
Spectra = npt.NDArray[np.complex64]


def _bank() -> Floats:
    """`(window, 16)`: cosines, then sines; a sine of amplitude A yields modulus A."""
    times = np.arange(_WINDOW)[:, None] * (2 * np.pi / _RATE)
    waves = np.concatenate([np.cos(times * _FREQUENCIES), -np.sin(times * _FREQUENCIES)], axis=1)
    return np.asarray(waves * _HANN[:, None] * (2 / _HANN.sum()), np.float32)


_BANK: Final = _bank()
_SQUARED_HANN: Final = np.asarray(_HANN**2 / (_HANN**2).sum(), np.float32)
_TURN: Final = np.asarray(np.exp(-2j * np.pi * _FREQUENCIES * _HOP / _RATE), np.complex64)
_TOLERANCE: Final = np.asarray(_DETUNED * _FREQUENCIES * 2 * np.pi * _HOP / _RATE, np.float32)
"""Radians by which the phase of each frequency may be off after one hop."""


class InbandDetector:
    """Detectors of up to `capacity` rows; feed each watched row every 20 ms."""

    def __init__(self, capacity: int) -> None:
        self._past: Pcm = np.zeros((capacity, _HOP), np.int16)
        self._spectra: Spectra = np.zeros((capacity, _FREQUENCIES.size), np.complex64)
        self._key: Integers = np.full(capacity, _NONE, np.int64)
        self._hits: Integers = np.zeros(capacity, np.int64)
        self._misses: Integers = np.zeros(capacity, np.int64)

    def reset(self, rows: Rows) -> None:
        self._past[rows] = 0
        self._spectra[rows] = 0
        self._key[rows] = _NONE
        self._hits[rows] = self._misses[rows] = 0

    def feed(self, rows: Rows, frames: Pcm) -> list[Press]:
        """Take 20 ms of each row (no row twice); tell the presses that ended."""
        line = np.concatenate([self._past[rows], frames], axis=1).astype(np.float32)
        self._past[rows] = frames[:, _HOP:]
        told: list[Press] = []
        for start in (0, _HOP):
            window = line[:, start : start + _WINDOW]
            self._step(rows, self._keys(rows, window), told)
        return told

    def _keys(self, rows: Rows, window: Floats) -> Integers:
        """The key that each row's window is a hit of, or -1."""
        parts = window @ _BANK
        spectra: Spectra = parts[:, :8] + 1j * parts[:, 8:]
        powers = np.abs(spectra) ** 2
        low, high = powers[:, :4].argmax(axis=1), powers[:, 4:].argmax(axis=1)
        each = np.arange(len(rows))
        low_power, high_power = powers[each, low], powers[each, high + 4]
        hit = np.minimum(low_power, high_power) > _LEAST_AMPLITUDE**2
        hit &= (low_power < high_power * _LOW_STRONGER) & (high_power < low_power * _HIGH_STRONGER)
        hit &= (low_power + high_power) / 2 > _PURITY * (window**2 @ _SQUARED_HANN)
        tuned = self._in_tune(rows, spectra)
        hit &= tuned[each, low] & tuned[each, high + 4]
        self._spectra[rows] = spectra
        return np.where(hit, low * 4 + high, _NONE)

    def _in_tune(self, rows: Rows, spectra: Spectra) -> Mask:
        moved = spectra * self._spectra[rows].conj() * _TURN
        tuned: Mask = np.abs(np.angle(moved)) <= _TOLERANCE
        return tuned

    def _step(self, rows: Rows, keys: Integers, told: list[Press]) -> None:
        """Count hits and misses; a press ends by misses or by another key's hits."""
        same = (keys == self._key[rows]) & (keys != _NONE)
        other = (keys != self._key[rows]) & (keys != _NONE)
        self._hits[rows] += same
        self._misses[rows] = np.where(same, 0, self._misses[rows] + 1)
        ended = other | ((self._misses[rows] >= _MISSES) & (self._key[rows] != _NONE))
        if ended.any():
            self._end(rows[ended], told)
            self._key[rows[ended]] = keys[ended]
            self._hits[rows[ended]] = keys[ended] != _NONE
            self._misses[rows[ended]] = 0

    def _end(self, rows: Rows, told: list[Press]) -> None:
        for row in rows[self._hits[rows] >= _HITS].tolist():
            ms = int(self._hits[row]) * _HOP_MS + _EDGES_MS
            told.append((row, DTMF_KEYS[self._key[row]], ms))
