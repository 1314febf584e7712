"""Hold music, composed and synthesised here, so that it is free of anybody's rights.

A slow progression of plucked chords with a sparse melody over it; every note is a sum of a few
decaying partials.  Knows notes and samples; no players.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media.pcm import Pcm

Wave = npt.NDArray[np.float64]

_BEAT: Final = 0.75
"""Seconds; 80 beats a minute."""
_BARS: Final = 28
_PEAK: Final = 9000
"""Well below full scale: callers hold the receiver at their ear."""

_CHORDS: Final = (
    (48, 55, 64, 67, 71),  # C major 7
    (45, 52, 60, 64, 67),  # A minor 7
    (41, 53, 57, 64, 67),  # F major 9
    (43, 50, 59, 62, 69),  # G with the ninth
    (40, 52, 59, 62, 67),  # E minor 7
    (45, 52, 60, 64, 71),  # A minor 9
    (50, 53, 60, 65, 69),  # D minor 7
    (43, 53, 59, 62, 65),  # G 7
)
_PICKING: Final = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (3, 5), (2, 6), (1, 7))
"""Which note of the chord sounds at which half beat of the bar."""
_MELODY: Final = (
    (76, 0), (79, 3), (74, 8), (72, 11), (81, 16), (79, 19), (74, 24), (76, 30),
    (83, 32), (79, 36), (76, 40), (72, 43), (77, 48), (74, 51), (71, 56), (72, 62),
)  # fmt: skip
"""Note and half beat, over eight bars."""


def hold_music(rate: int) -> Pcm:
    """84 seconds that end as they begin, so that they loop."""
    length = round(_BARS * 4 * _BEAT * rate)
    wave = np.zeros(length)
    for bar in range(_BARS):
        chord = _CHORDS[bar % len(_CHORDS)]
        for note, half in _PICKING:
            _pluck(wave, chord[note], bar * 8 + half, rate, 0.5 if note else 0.8)
        if bar % 8 == 0 and bar // 8 % 2 == 1:
            for pitch, half in _MELODY:
                _bell(wave, pitch, bar * 8 + half, rate)
    softened = np.convolve(wave, np.hanning(5) / np.hanning(5).sum(), mode="same")
    return np.asarray(np.rint(softened * (_PEAK / np.abs(softened).max())), np.int16)


def _pluck(wave: Wave, note: int, half: int, rate: int, loudness: float) -> None:
    """A nylon string: harmonics that die away the faster the higher they are."""
    _add(wave, half, rate, loudness * _partials(note, rate, 3.0, (1, 2, 3, 4, 5), 1.6))


def _bell(wave: Wave, note: int, half: int, rate: int) -> None:
    """A soft vibraphone."""
    _add(wave, half, rate, 0.5 * _partials(note, rate, 3.5, (1, 4), 2.2))


def _partials(
    note: int, rate: int, seconds: float, harmonics: tuple[int, ...], darkness: float
) -> Wave:
    times = np.arange(round(seconds * rate)) / rate
    pitch = 440 * 2 ** ((note - 69) / 12)
    sound = np.zeros(times.size)
    for harmonic in harmonics:
        if pitch * harmonic < 0.45 * rate:
            decay = np.exp(-times * (0.9 + 0.7 * harmonic))
            sound += decay * np.sin(2 * np.pi * pitch * harmonic * times) / harmonic**darkness
    attack, release = round(0.006 * rate), round(0.2 * rate)
    sound[:attack] *= np.linspace(0, 1, attack)
    sound[-release:] *= np.linspace(1, 0, release)
    return sound


def _add(wave: Wave, half: int, rate: int, sound: Wave) -> None:
    """At a half beat; what rings beyond the end rings into the beginning."""
    start = round(half * _BEAT / 2 * rate)
    places = (start + np.arange(sound.size)) % wave.size
    wave[places] += sound
