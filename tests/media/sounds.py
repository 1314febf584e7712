"""Sounds to send in, and what to look for in what comes out."""

import numpy as np

from media.pcm import Pcm


def tone(frequency: float, rate: int = 8000, seconds: float = 1.0, level: float = 8000) -> Pcm:
    """A sine of amplitude `level`."""
    places = np.arange(round(rate * seconds))
    wave = level * np.sin(2 * np.pi * frequency / rate * places)
    return np.asarray(np.rint(wave), np.int16)


def share(sound: Pcm, frequency: float, rate: int = 8000) -> float:
    """Part of the energy, 0 … 1, that lies within three FFT bins of `frequency`."""
    window = np.hanning(sound.size)
    power = np.abs(np.fft.rfft(sound * window)) ** 2
    bin_of_tone = round(frequency * sound.size / rate)
    total = float(power[1:].sum())
    near = float(power[max(bin_of_tone - 3, 1) : bin_of_tone + 4].sum())
    return near / total if total else 0.0


def level_db(sound: Pcm) -> float:
    """RMS in dB relative to full scale; -inf for silence."""
    power = float(np.mean(sound.astype(float) ** 2)) / 32768**2
    return 10 * float(np.log10(power)) if power else float("-inf")


def frames_of(sound: Pcm, samples: int = 160) -> Pcm:
    """Cut into whole frames, `(frames, samples)`."""
    return sound[: sound.size // samples * samples].reshape(-1, samples)
