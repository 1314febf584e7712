"""Recordings: frames from the tick to files on disk, by a thread, so that no tick waits for a disk.

Knows frames and paths; no legs, no clock.  A WAV file begins with lengths of 0xFFFFFFFF, which are
set right when it is closed: after a crash players read such a file to its end.
"""

import queue
import random
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
import structlog

from media.background import stand_back
from media.pcm import FRAMES_PER_SECOND, Pcm, frame_samples
from media.recordings import OggFile, RecordingFile, WavFile
from media.types import Seconds

Format: TypeAlias = Literal["wav", "ogg"]

_log = structlog.get_logger(__name__)

_CHUNK: Final = FRAMES_PER_SECOND
"""Frames handed over at once: a crash loses at most this second."""
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
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._bound = waiting
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether the disk is so far behind that no more sound may be handed over."""
        return self._jobs.qsize() >= self._bound

    def submit(self, job: _Job) -> None:
        """Have `job` run soon; it must deal with its own errors."""
        self._jobs.put(job)

    def close(self) -> None:
        """Write what waits, then end."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        stand_back()
        while (job := self._jobs.get()) is not None:
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
        self._chunk = self._new_chunk()
        self._fill = self._lost = self._written = 0
        self._limit = random.randint(1, _CHUNK)  # so that recordings begun together take turns
        self._paused = self._stopped = False
        self._error: str | None = None
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        writer.submit(self._open)

    def write(self, left: Pcm, right: Pcm | None = None) -> None:
        """Append one frame: each side to its channel, or both together when mono.

        Nothing is written while paused, after `stop` and after an error.
        """
        if self._paused or self._stopped:
            return
        sides = self._chunk[self._fill]
        if self.stereo:
            sides[:, 0] = left
            sides[:, 1] = 0 if right is None else right
        elif right is None:
            sides[:, 0] = left
        else:
            sides[:, 0] = np.clip(left.astype(np.int32) + right, -32768, 32767)
        self._fill += 1
        if self._fill == self._limit:
            self._limit = _CHUNK
            self._hand_over()

    def pause(self) -> None:
        """Leave out what comes until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def stop(self) -> None:
        """End the recording; `poll` tells when it is closed.  Stopping twice is harmless."""
        if not self._stopped:
            self._stopped = True
            self._hand_over()
            self._writer.submit(self._close)

    def poll(self) -> Outcome | None:
        """How it ended, told once: after `stop`, or by itself when the disk refuses more."""
        try:
            return self._outcomes.get_nowait()
        except queue.Empty:
            return None

    def _hand_over(self) -> None:
        frames = self._chunk[: self._fill]
        if self._fill and self._writer.full:
            self._lost += self._fill
        elif self._fill:
            self._writer.submit(lambda: self._append(frames))
            self._chunk = self._new_chunk()
        self._fill = 0

    def _new_chunk(self) -> Pcm:
        return np.empty((_CHUNK, frame_samples(self.rate), 2 if self.stereo else 1), np.int16)

    # -- in the writer's thread -----------------------------------------------------------------

    def _open(self) -> None:
        kind, rate, channels = self._make
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._file = kind(self.path, rate, channels)
        except OSError as error:
            self._fail(error)

    def _append(self, frames: Pcm) -> None:
        if self._file is None:
            return
        try:
            self._file.append(frames.reshape(-1, frames.shape[2]))
            self._written += len(frames)
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
            lost = self._lost / FRAMES_PER_SECOND
            self._error = f"{self.path}: {lost:.1f} s are lost, the disk did not keep up"
        self._outcomes.put(Outcome(self.path, self._written / FRAMES_PER_SECOND, self._error))
