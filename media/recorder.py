"""Recordings: sound from the tick to files on disk, by a thread, so that no tick waits for a disk.

Knows frames and paths; no legs, no clock.  A WAV file begins with lengths of 0xFFFFFFFF, which are
set right when it is closed: after a crash players read such a file to its end.
"""

import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
import structlog

from media.background import stand_back
from media.pcm import Pcm
from media.recordings import OggFile, RecordingFile, WavFile
from media.types import Seconds

Format: TypeAlias = Literal["wav", "ogg"]

_log = structlog.get_logger(__name__)

_WAITING: Final = 1024
"""Chunks (some 32 MB of stereo at 8 kHz) that may wait for the disk in all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a recording ended: `seconds` of sound lie in `path`; `error` is None if that is all."""

    path: str
    seconds: Seconds
    error: str | None


class _Job(Protocol):
    def __call__(self) -> None: ...


class DiskWriter:
    """The thread that writes all recordings of one engine, in order.  It ends with `close`."""

    def __init__(self, waiting: int = _WAITING) -> None:
        self.ended: queue.SimpleQueue[Recorder] = queue.SimpleQueue()
        """Recorders of which `poll` has something to tell."""
        self._jobs: queue.SimpleQueue[list[_Job]] = queue.SimpleQueue()
        self._gathered: list[_Job] = []
        self._bound = waiting
        self._taken = self._done = 0
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether the disk is so far behind that no more sound may be handed over."""
        return self._taken - self._done >= self._bound

    def gather(self, job: _Job) -> None:
        """Have `job` run after the next `flush`; it must deal with its own errors."""
        self._taken += 1
        self._gathered.append(job)

    def flush(self) -> None:
        """Let the thread do what was gathered: it is woken once for all."""
        if self._gathered:
            self._jobs.put(self._gathered)
            self._gathered = []

    def submit(self, job: _Job) -> None:
        """Have `job` run soon, after what was gathered."""
        self.gather(job)
        self.flush()

    def close(self) -> None:
        """Write what waits, then end."""
        self.flush()
        self._jobs.put([])
        self._thread.join()

    def _run(self) -> None:
        stand_back()
        while jobs := self._jobs.get():
            for job in jobs:
                self._do(job)
                self._done += 1

    @staticmethod
    def _do(job: _Job) -> None:
        try:
            job()
        except Exception:  # a fault of ours ends one recording, not all of them
            _log.exception("recording_failed")


class Recorder:
    """One recording.  All methods return at once; what becomes of it is told by `poll`.

    The file and its directories are made at birth, by the writer's thread.
    """

    def __init__(
        self,
        path: str,
        writer: DiskWriter,
        *,
        rate: int = 8000,
        stereo: bool = True,
        format: Format = "wav",  # noqa: A002 - the word that its users know
    ) -> None:
        self.path, self.rate, self.stereo = path, rate, stereo
        self._writer = writer
        self._file: RecordingFile | None = None
        self._make = (WavFile if format == "wav" else OggFile, rate, 2 if stereo else 1)
        self._lost = self._written = 0
        self._stopped = False
        self._error: str | None = None
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        writer.submit(self._open)

    def append(self, sound: Pcm) -> None:
        """Append some sound, `(channels, frames, samples of a frame)`, which is the writer's own
        from now on, at its next `flush`.  Nothing is written after `stop` and after an error.
        """
        if self._stopped:
            return
        if self._writer.full:
            self._lost += sound[0].size
        else:
            self._writer.gather(lambda: self._append(sound))

    def stop(self) -> None:
        """End the recording; `poll` tells when it is closed.  Stopping twice is harmless."""
        if not self._stopped:
            self._stopped = True
            self._writer.submit(self._close)

    def poll(self) -> Outcome | None:
        """How it ended, told once: after `stop`, or by itself when the disk refuses more."""
        try:
            return self._outcomes.get_nowait()
        except queue.Empty:
            return None

    # -- in the writer's thread -----------------------------------------------------------------

    def _open(self) -> None:
        kind, rate, channels = self._make
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._file = kind(self.path, rate, channels)
        except OSError as error:
            self._fail(error)

    def _append(self, sound: Pcm) -> None:
        if self._file is None:
            return
        try:
            self._file.append(_interleaved(sound.reshape(len(sound), -1)))
            self._written += sound[0].size
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """The disk refuses: tell it at once and keep what is there."""
        self._error = f"{self.path}: {error.strerror or error}"
        self._stopped = True
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None and self._error is None:
            return  # it was closed by an error before
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._error = self._error or f"{self.path}: {error.strerror or error}"
        self._tell()

    def _tell(self) -> None:
        if self._error is None and self._lost:
            lost = self._lost / self.rate
            self._error = f"{self.path}: {lost:.1f} s are lost, the disk did not keep up"
        self._outcomes.put(Outcome(self.path, self._written / self.rate, self._error))
        self._writer.ended.put(self)


def _interleaved(channels: Pcm) -> Pcm:
    """`(channels, n)` to `(n, channels)`, a channel at a time, which is quicker than turning."""
    turned = np.empty(channels.shape[::-1], np.int16)
    for number, channel in enumerate(channels):
        turned[:, number] = channel
    return turned
