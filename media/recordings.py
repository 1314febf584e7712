"""The files that recordings go to: WAV, written octet by octet, and Opus in OGG.

They block, and raise OSError when the disk refuses.  Knows samples; no threads.
"""

import struct
from pathlib import Path
from typing import Final, Protocol

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.error import FFmpegError

from media.pcm import Pcm

_UNKNOWN: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM: Final = 1
_OPUS_BIT_RATE: Final = 24000
"""For each channel."""
_OGG: Final = {"page_duration": "200000", "flush_packets": "1"}
"""A fifth of a second a page, and each page on its way to the disk when it is full."""


class RecordingFile(Protocol):
    """An open file of samples `(n, channels)`."""

    def append(self, samples: Pcm) -> None: ...
    def close(self) -> None: ...


class WavFile:
    """16-bit PCM; playable at any moment.

     0      4       8      12           36     40      44
    | RIFF | size  | WAVE | fmt  (24)  | data | size  | samples …
             ^ both 0xFFFFFFFF until closed     ^
    """

    def __init__(self, path: str, rate: int, channels: int) -> None:
        self._rate, self._channels, self._octets = rate, channels, 0
        self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - it stays open
        try:
            self._write(self._header(_UNKNOWN, _UNKNOWN))
        except OSError:
            self._file.close()
            raise

    def append(self, samples: Pcm) -> None:
        octets = np.ascontiguousarray(samples, "<i2").data.cast("B")
        self._write(octets)
        self._octets += len(octets)

    def close(self) -> None:
        """Set the lengths right, if the file can tell its place (a pipe cannot)."""
        try:
            if self._file.seekable():
                self._file.seek(0)
                lengths = (min(self._octets + n, _UNKNOWN) for n in (_HEADER.size - 8, 0))
                self._write(self._header(*lengths))
        finally:
            self._file.close()

    def _header(self, riff: int, data: int) -> bytes:
        block = 2 * self._channels
        return _HEADER.pack(
            b"RIFF", riff, b"WAVE", b"fmt ", 16, _PCM, self._channels,
            self._rate, self._rate * block, block, 16, b"data", data,
        )  # fmt: skip

    def _write(self, octets: bytes | memoryview) -> None:
        """All of it: a raw file may take less than it is given when the disk is nearly full."""
        rest = memoryview(octets)
        while rest:
            rest = rest[self._file.write(rest) :]


class OggFile:
    """Opus in OGG, a tenth of the size; a crash loses the last second or so."""

    def __init__(self, path: str, rate: int, channels: int) -> None:
        self._layout, self._rate = ("stereo" if channels == 2 else "mono"), rate
        try:
            self._container = av.open(path, "w", format="ogg", options=_OGG)
            stream = self._container.add_stream("libopus", rate=rate, layout=self._layout)
        except FFmpegError as error:
            raise OSError(str(error)) from error
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        assert isinstance(context, AudioCodecContext)
        context.bit_rate = _OPUS_BIT_RATE * channels
        context.options = {"application": "voip"}
        self._stream = stream

    def append(self, samples: Pcm) -> None:
        for start in range(0, len(samples), self._rate // 50):
            part = np.ascontiguousarray(samples[start : start + self._rate // 50])
            frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), "s16", self._layout)
            frame.sample_rate = self._rate
            self._encode(frame)

    def close(self) -> None:
        try:
            self._encode(None)
        finally:
            self._container.close()

    def _encode(self, frame: av.AudioFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except FFmpegError as error:
            raise OSError(str(error)) from error
