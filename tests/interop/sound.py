"""What was really heard: tones found in recordings by Fourier transform."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

AUDIBLE = 100.0
"""Root mean square of int16 samples above which a second is not silent."""


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a recording: loudness (RMS of int16) and its strongest frequency in Hz."""

    loudness: float
    frequency: int
    share: float
    """Energy within ±3 Hz of that frequency, of the whole second's."""


def read_wav(path: Path, channel: int = 0) -> tuple[Samples, int]:
    """Samples of one channel, and their rate.  16-bit PCM."""
    with wave.open(str(path)) as file:
        frames, rate, channels = file.getnframes(), file.getframerate(), file.getnchannels()
        data = np.frombuffer(file.readframes(frames), "<i2").reshape(-1, channels)
    return data[:, channel].astype(np.float64), rate


def seconds(path: Path, channel: int = 0) -> Iterator[Second]:
    """Each whole second of a recording."""
    sound, rate = read_wav(path, channel)
    for piece in sound[: len(sound) // rate * rate].reshape(-1, rate):
        energy = np.abs(np.fft.rfft(piece * np.hanning(rate))) ** 2
        peak = int(energy.argmax())
        near = energy[max(peak - 3, 0) : peak + 4].sum()
        loudness = float(np.sqrt((piece**2).mean()))
        yield Second(loudness, peak, float(near / max(energy.sum(), 1.0)))


def seconds_of_tone(path: Path, frequency: int, channel: int = 0, purity: float = 0.9) -> int:
    """Whole seconds in which nothing but `frequency` was heard."""
    return sum(
        second.loudness > AUDIBLE
        and abs(second.frequency - frequency) <= 3
        and second.share > purity
        for second in seconds(path, channel)
    )


def share_of(path: Path, frequency: int, channel: int = 0) -> float:
    """Energy within ±5 Hz of `frequency`, of the whole recording's; for mixtures of tones."""
    sound, rate = read_wav(path, channel)
    energy = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    width = len(sound) / rate
    low, high = int((frequency - 5) * width), int((frequency + 5) * width) + 1
    return float(energy[low:high].sum() / max(energy.sum(), 1.0))


def is_silent(path: Path, channel: int = 0) -> bool:
    """Whether no second of it was audible."""
    return all(second.loudness < AUDIBLE for second in seconds(path, channel))


def write_tone(path: Path, frequency: float, length: float, rate: int = 8000) -> Path:
    """A WAV of `length` seconds of one tone, mono, 16 bits, a third of full scale."""
    wave_form = np.sin(2 * np.pi * frequency * np.arange(int(length * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((wave_form * 10_000).astype("<i2").tobytes())
    return path
