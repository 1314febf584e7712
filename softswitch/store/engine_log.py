"""The queue engine's memory: snapshots, and every event.

A journal of its own, so that replaying a day of queues reads nothing else.  What an event or a
state is, the engine knows; here they are JSON.  Older snapshots stay with the events after them
for as long as there is room (`KEEP`): from them old decisions are explained and days replayed, and
if the newest is damaged the one before and the journal take its place.
"""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from softswitch.store import folders
from softswitch.store.aside import aside
from softswitch.store.errors import StoreError
from softswitch.store.frame import encoded
from softswitch.store.journal import Journal, Repair

KEEP: Final = 128 << 20
"""Bytes of snapshots and journal; two snapshots with their events stay whatever their size."""
_PREFIX, _SUFFIX, _DRAFT = "snapshot-", ".json", ".new"
_BEFORE: Final = "snapshot.json"
"""The only snapshot's name in older versions."""
_EVENT: Final = "event"


Question: TypeAlias = Callable[[Any, Iterator[Any]], Any]
"""Asked of a state and the events after it; its answer is what JSON can hold."""


class Remembered(NamedTuple):
    """The state of a snapshot, None if there was none, and the events that followed."""

    state: Any
    events: list[Any]


class Snapshot(NamedTuple):
    """A file, and the last event that is in it."""

    path: Path
    sequence: int

    @property
    def taken_by(self) -> float:
        """It was not made later than this, epoch seconds."""
        return self.path.stat().st_mtime


class EngineLog:
    """Append events before carrying out what they cause; take a snapshot now and then."""

    def __init__(self, directory: Path, keep: int = KEEP) -> None:
        """Raises `StoreError` as `Journal` does."""
        self._directory, self._keep = directory, keep
        folders.make(directory)
        _tidy(directory)
        self.snapshots = _found(directory)
        """The oldest first."""
        position = self.snapshots[-1].sequence if self.snapshots else 0
        self._journal = Journal(directory, after=position)
        self.since_snapshot = self._journal.last - position
        self.damage = ""
        """What `load` found wrong and could do without, as a sentence."""

    @property
    def repair(self) -> Repair | None:
        return self._journal.repair

    def load(self) -> Remembered:
        """What the engine is to be rebuilt from.

        Raises `StoreError` where no snapshot can be read, or events after it are missing.
        """
        faults: list[str] = []
        for snapshot in reversed(self.snapshots):
            try:
                state = _read(snapshot.path)
            except StoreError as fault:
                faults.append(str(fault))
                continue
            self.damage = "; ".join(faults)
            return Remembered(state, self.events(snapshot))
        if faults:
            raise StoreError(f"{faults[0]}; restore it from a backup")
        return Remembered(None, [entry.payload for entry in self._journal.replay()])

    def first(self) -> Remembered:
        """The oldest state that is kept, and all events since."""
        if not self.snapshots:
            return self.load()
        return Remembered(_read(self.snapshots[0].path), self.events(self.snapshots[0]))

    def events(self, after: Snapshot) -> list[Any]:
        """Events that followed a snapshot, all of them."""
        return [entry.payload for entry in self._journal.replay(after.sequence)]

    async def ask(self, question: Question, since: float) -> bytes:
        """What `question` finds in the state of the last snapshot before `since`, epoch seconds,
        and the events that followed, as JSON; in another process, since it may take a second.

        `null` where nothing so old is kept.  Raises OSError or AsideError.
        """
        before = [each for each in self.snapshots if each.taken_by <= since]
        if not before:
            return b"null"
        return await aside(partial(self._answer, question, before[-1]))

    def _answer(self, question: Question, snapshot: Snapshot) -> bytes:
        events = (entry.payload for entry in self._journal.replay(snapshot.sequence))
        return encoded(question(_read(snapshot.path), events))

    def append(self, event: Any) -> int:
        """Keep an event.  Raises `JournalFullError`."""
        sequence = self._journal.append(_EVENT, event)
        self.since_snapshot += 1
        return sequence

    def snapshot(self, state: Any, *, alone: bool = False) -> None:
        """Keep `state`, which holds all events so far.  Takes as long as its size wants.

        `alone`: not all events were kept, so nothing can be rebuilt from older snapshots.
        """
        taken = self._next()
        _write(self._draft(taken), lambda: state)
        self._took(taken, alone)

    async def snapshot_aside(self, state: Callable[[], Any], *, alone: bool = False) -> None:
        """Keep what `state` returns at this moment, which another process writes down.

        Raises OSError or AsideError; then nothing has changed.
        """
        taken = self._next()
        await aside(partial(_write, self._draft(taken), state))
        self._took(taken, alone)

    def close(self) -> None:
        self._journal.close()

    def _next(self) -> Snapshot:
        sequence = self._journal.last
        return Snapshot(self._directory / f"{_PREFIX}{sequence:020d}{_SUFFIX}", sequence)

    def _draft(self, taken: Snapshot) -> Path:
        return taken.path.with_suffix(f".{os.getpid()}{_DRAFT}")

    def _took(self, taken: Snapshot, alone: bool) -> None:
        """The draft is complete: it counts from now on, and what is too old goes.

        Only the process that owns the journal does this: a copy that outlives it changes nothing.
        """
        self._draft(taken).replace(taken.path)
        self.snapshots = [each for each in self.snapshots if each != taken] + [taken]
        self.since_snapshot = self._journal.last - taken.sequence
        while alone and len(self.snapshots) > 1:
            self._drop_oldest()
        while len(self.snapshots) > 2 and self._size() > self._keep:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.snapshots.pop(0).path.unlink(missing_ok=True)
        self._journal.release(self.snapshots[0].sequence)

    def _size(self) -> int:
        return self._journal.size + sum(each.path.stat().st_size for each in self.snapshots)


def _write(draft: Path, state: Callable[[], Any]) -> bytes:
    """The whole file, safe on the disk."""
    with draft.open("wb") as file:
        file.write(encoded(state()))
        file.flush()
        os.fsync(file.fileno())
    return b""


def _found(directory: Path) -> list[Snapshot]:
    paths = directory.glob(f"{_PREFIX}*{_SUFFIX}")
    found = (Snapshot(path, int(path.stem.removeprefix(_PREFIX))) for path in paths)
    return sorted(found, key=lambda snapshot: snapshot.sequence)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error})") from error


def _tidy(directory: Path) -> None:
    """Drop drafts that were never finished; take over the snapshot of an older version."""
    for draft in directory.glob(f"*{_DRAFT}"):
        draft.unlink(missing_ok=True)
    old = directory / _BEFORE
    if old.exists():
        stored = _read(old)
        new = directory / f"{_PREFIX}{stored['sequence']:020d}{_SUFFIX}"
        draft = new.with_suffix(_DRAFT)
        _write(draft, lambda: stored["state"])
        draft.replace(new)
        old.unlink()
