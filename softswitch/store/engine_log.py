"""The queue engine's memory: a snapshot, and every event since.

A journal of its own, so that replaying a day of queues reads nothing else.  What an event or a
state is, the engine knows; here they are JSON.
"""

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from softswitch.store.errors import StoreError
from softswitch.store.journal import Journal, Repair

_SNAPSHOT: Final = "snapshot.json"
_EVENT: Final = "event"


class Remembered(NamedTuple):
    """The state of the last snapshot, None if there was none, and the events that followed."""

    state: Any
    events: list[Any]


class EngineLog:
    """Append events before carrying out what they cause; take a snapshot now and then."""

    def __init__(self, directory: Path) -> None:
        """Raises `StoreError` as `Journal` does, and for a snapshot that cannot be read."""
        self._directory = directory
        self._position, self._state = _read(directory / _SNAPSHOT)
        self._journal = Journal(directory, after=self._position)
        self.since_snapshot = self._journal.last - self._position

    @property
    def repair(self) -> Repair | None:
        return self._journal.repair

    def load(self) -> Remembered:
        """What the engine is to be rebuilt from; to be called once."""
        events = [entry.payload for entry in self._journal.replay(self._position)]
        state, self._state = self._state, None  # may be large
        return Remembered(state, events)

    def append(self, event: Any) -> int:
        """Keep an event.  Raises `JournalFullError`."""
        sequence = self._journal.append(_EVENT, event)
        self.since_snapshot += 1
        return sequence

    def snapshot(self, state: Any) -> None:
        """Keep `state`, which holds all events so far, in their stead.  Milliseconds, by size."""
        position = self._journal.last
        target = self._directory / _SNAPSHOT
        draft = target.with_suffix(".new")
        with draft.open("w") as file:
            json.dump({"sequence": position, "state": state}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        self._position, self.since_snapshot = position, 0
        self._journal.release(position)

    def close(self) -> None:
        self._journal.close()


def _read(path: Path) -> tuple[int, Any]:
    try:
        stored = json.loads(path.read_text())
        return stored["sequence"], stored["state"]
    except FileNotFoundError:
        return 0, None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error}); restore it from a backup") from error
