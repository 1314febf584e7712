"""Sound files to PCM: WAV, FLAC and OGG by soundfile, all else by FFmpeg.  Blocks while it reads.

Knows paths and rates; no players, no caches.
"""

from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile
from av.error import FFmpegError

from media.pcm import Floats, Pcm, saturate
from media.resample import resample

_BY_SOUNDFILE: Final = {".wav", ".flac", ".ogg", ".oga", ".opus", ".aiff", ".au"}
LONGEST: Final = 3600
"""Seconds; a longer file is refused rather than held in memory."""


class SoundError(Exception):
    """A file cannot be played: the administrator's fault, told as a sentence with its path."""


def read_sound(path: str, rate: int) -> Pcm:
    """The whole file as mono at `rate` Hz; several channels are averaged."""
    try:
        if Path(path).suffix.lower() in _BY_SOUNDFILE:
            sound, source = _by_soundfile(path)
        else:
            sound, source = _by_ffmpeg(path)
    except FileNotFoundError:
        raise SoundError(f"{path}: there is no such file") from None
    except (OSError, soundfile.SoundFileError, FFmpegError) as error:
        raise SoundError(f"{path}: cannot be read as sound ({error})") from error
    return resample(saturate(np.rint(sound * 32767)), source, rate)


def _by_soundfile(path: str) -> tuple[Floats, int]:
    with Path(path).open("rb") as stream, soundfile.SoundFile(stream) as file:
        if file.frames > LONGEST * file.samplerate:
            raise SoundError(f"{path}: is longer than {LONGEST} s")
        samples = file.read(dtype="float32", always_2d=True)
        return samples.mean(axis=1), int(file.samplerate)


def _by_ffmpeg(path: str) -> tuple[Floats, int]:
    with av.open(path) as container:
        if not container.streams.audio:
            raise SoundError(f"{path}: holds no sound")
        if (container.duration or 0) > LONGEST * av.time_base:
            raise SoundError(f"{path}: is longer than {LONGEST} s")
        stream = container.streams.audio[0]
        floats = av.AudioResampler(format="fltp")
        parts = [
            part.to_ndarray().mean(axis=0)
            for frame in container.decode(stream)
            for part in floats.resample(frame)
        ]
    if not parts:
        raise SoundError(f"{path}: holds no sound")
    return np.concatenate(parts).astype(np.float32), int(stream.rate)
