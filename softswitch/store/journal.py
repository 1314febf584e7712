"""An append-only file of what happened, written before anybody is told of it.

`append` returns after one `write` to the kernel, so a record outlives the process (`kill -9`);
`sync` makes it outlive the machine.  Segments are deleted from the old end once the database
holds what they say.  Knows files and sequence numbers; refuses to know what a record means.
"""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from softswitch.store import folders
from softswitch.store.errors import (
    JournalCorruptError,
    JournalFullError,
    JournalLockedError,
    StoreError,
)
from softswitch.store.frame import Damage, Entry, pack, scan

SEGMENT_BYTES: Final = 8 << 20
_SUFFIX: Final = ".journal"


class Repair(NamedTuple):
    """What opening had to mend: the last write was cut off and nobody had been answered for it."""

    path: Path
    offset: int
    dropped: int  # bytes

    def __str__(self) -> str:
        return f"{self.path}: dropped {self.dropped} bytes of a torn last record at {self.offset}"


class Segment(NamedTuple):
    """One file; its name is the sequence of the record that it begins with."""

    path: Path
    first: int


class Journal:
    """Records numbered from 1 without gaps, over the files of one directory.

    One thread appends; `sync`, `replay` of what was appended before, and `release` may be
    called from another.  `repair` tells what was mended at the start, if anything.
    """

    def __init__(
        self, directory: Path, *, after: int = 0, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Open for appending.  An empty journal, or one behind `after`, goes on at `after + 1`.

        Raises `JournalLockedError` if a running switch has it, `JournalCorruptError` if its last
        file is damaged before its end, `StoreError` where the directory cannot be used.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        folders.make(directory)
        try:
            self._lock = _lock(directory / "lock")
        except OSError as error:
            raise StoreError(f"nothing can be kept in {directory}: {error.strerror}") from error
        self._segments: deque[Segment] = deque(_segments(directory))
        self.repair: Repair | None = None
        self.last_written = self._modified()
        try:
            tail = self._recover()
        except BaseException:
            os.close(self._lock)
            raise
        self.last = max(tail, after)
        self._synced = 0  # first sequence of the newest segment that `sync` has seen
        self._file, self._size = self._resume() if tail == self.last else self._begin()

    @property
    def first(self) -> int:
        """Sequence of the oldest record that is still kept, or of the next one if none is."""
        return self._segments[0].first

    @property
    def size(self) -> int:
        """Bytes of all that is kept, about: the newest segments count as full ones."""
        return self._segment_bytes * len(self._segments)

    def append(self, kind: str, payload: Any) -> int:
        """Keep `payload` (JSON values, or bytes); its sequence number.  About 5 µs.

        Raises `JournalFullError` and keeps nothing if the file system refuses any part of it.
        """
        sequence = self.last + 1
        record = pack(sequence, kind, payload)
        if self._size + len(record) > self._segment_bytes and self._size:
            self._rotate()
        try:
            written = os.write(self._file, record)
        except OSError as refusal:
            raise JournalFullError(
                f"the journal cannot be written: {refusal.strerror}"
            ) from refusal
        if written != len(record):
            os.ftruncate(self._file, self._size)
            raise JournalFullError("the journal cannot be written: no space is left for a record")
        self._size += written
        self.last = sequence
        return sequence

    def sync(self) -> None:
        """Have the disk hold all that was appended.  Milliseconds; not for the event loop."""
        for segment in list(self._segments):
            if segment.first >= self._synced:
                with suppress(FileNotFoundError):  # released meanwhile
                    _sync(segment.path)
                self._synced = segment.first

    def replay(self, after: int = 0) -> Iterator[Entry]:
        """Records with a sequence greater than `after`, up to the last at the time of the call.

        Raises `JournalCorruptError` at damage, and where records that are asked for are missing.
        """
        upto, expected = self.last, after + 1
        for segment, following in self._pairs():
            if following is not None and following <= expected:
                continue
            if expected > upto:
                return
            if segment.first > expected:
                raise JournalCorruptError(
                    segment.path, 0, f"records from {expected} on are missing"
                )
            for entry in _entries(segment):
                if entry.sequence == expected:
                    yield entry
                    expected += 1
                if expected > upto:
                    return  # beyond it another thread may be in the middle of a write

    def releasable(self, upto: int) -> bool:
        """Whether the oldest segment holds nothing beyond `upto`, and is not the newest."""
        return len(self._segments) > 1 and self._segments[1].first <= upto + 1

    def release(self, upto: int) -> None:
        """Delete the segments that hold nothing beyond `upto`; the newest one stays."""
        while self.releasable(upto):
            self._segments.popleft().path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the files back.  Appending afterwards is a bug."""
        os.close(self._file)
        os.close(self._lock)

    def _recover(self) -> int:
        """Sequence of the last record; cuts off a torn one."""
        if not self._segments:
            return 0
        segment = self._segments[-1]
        data = segment.path.read_bytes()
        last = segment.first - 1
        for found in scan(data, segment.first):
            if isinstance(found, Entry):
                last = found.sequence
            elif found.torn:
                os.truncate(segment.path, found.offset)
                self.repair = Repair(segment.path, found.offset, len(data) - found.offset)
            else:
                raise JournalCorruptError(segment.path, found.offset, found.reason)
        return last

    def _modified(self) -> float | None:
        """When the journal was last written, epoch seconds: the switch still lived then."""
        return self._segments[-1].path.stat().st_mtime if self._segments else None

    def _pairs(self) -> list[tuple[Segment, int | None]]:
        """Each segment with the first sequence of the one after it."""
        segments = list(self._segments)
        return list(zip(segments, [s.first for s in segments[1:]] + [None], strict=True))

    def _rotate(self) -> None:
        full = self._file
        self._file, self._size = self._begin()
        os.close(full)

    def _resume(self) -> tuple[int, int]:
        """Go on in the newest file, if there is one: its descriptor and size."""
        if not self._segments:
            return self._begin()
        descriptor = os.open(self._segments[-1].path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        return descriptor, os.fstat(descriptor).st_size

    def _begin(self) -> tuple[int, int]:
        """Start the file of the next record."""
        first = self.last + 1
        path = self._directory / f"{first:020d}{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        self._segments.append(Segment(path, first))
        return descriptor, 0


def _segments(directory: Path) -> list[Segment]:
    found = (Segment(path, int(path.stem)) for path in directory.glob(f"*{_SUFFIX}"))
    return sorted(found, key=lambda segment: segment.first)


def _entries(segment: Segment) -> Iterator[Entry]:
    for found in scan(segment.path.read_bytes(), segment.first):
        if isinstance(found, Damage):
            raise JournalCorruptError(segment.path, found.offset, found.reason)
        yield found


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    """Own the directory until this process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalLockedError(f"{path.parent} belongs to a switch that is running") from None
    return descriptor
