"""Journal first, database soon: the one way in which rows reach the tables.

`put` returns when the journal has the rows; a thread of its own brings them to the database in
batches.  While that fails the rows stay in the journal and an alarm stands; the queue in memory
is bounded, and what fell out of it is read back from the journal.  Within a batch the last row
under a key wins, so a call that begins and ends in one is written once.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from softswitch.store.errors import StoreError
from softswitch.store.frame import Entry
from softswitch.store.journal import Journal
from softswitch.store.shape import SHAPES, Batch, storable
from softswitch.store.sinks import RefusedError, Sink

Seconds: TypeAlias = float
Sync: TypeAlias = Literal["none", "batched"]
Trouble: TypeAlias = Callable[[str | None], None]

JOURNAL_NAME: Final = "switch"
BATCH: Final = 500  # entries
_PUT, _DROP = "put", "drop"


class Pace(NamedTuple):
    """How eagerly the database follows."""

    gather: Seconds = 0.1
    retry: Seconds = 1.0
    queue: int = 50_000  # entries kept in memory
    sync: Sync = "batched"


class Writer:
    """Journal and sink joined.  `put`, `drop` and `settled` belong to one thread.

    `on_trouble` gets a sentence when the database does not follow, and None when it does again;
    it is called in the writer's thread.
    """

    def __init__(
        self, journal: Journal, sink: Sink, on_trouble: Trouble, pace: Pace | None = None
    ) -> None:
        self._journal, self._sink, self._on_trouble = journal, sink, on_trouble
        self._pace = pace or Pace()
        self._queue: deque[Entry] = deque(maxlen=self._pace.queue)
        position = sink.position(JOURNAL_NAME)
        self.position = journal.first - 1 if position is None else position
        self._accepted = journal.last
        self._waiting: deque[tuple[int, Future[None]]] = deque()
        self._work, self._hurry, self._stop = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.trouble: str | None = None
        self.refused = 0  # rows that the database would never take

    @property
    def backlog(self) -> int:
        """Journal records that the database does not hold yet."""
        return self._accepted - self.position

    def put(self, *rows: tuple[str, Sequence[Any]]) -> None:
        """Write (table, row) pairs, all or none; they are safe when this returns.

        Raises `JournalFullError`.
        """
        assert all(table in SHAPES for table, _ in rows)  # the journal would keep it for ever
        self._append(_PUT, rows)

    def drop(self, table: str, *key: Any) -> None:
        """Delete the row under `key`; none there is no error."""
        self._append(_DROP, (table, key))

    async def settled(self) -> None:
        """Wait until the database holds all that was put before."""
        if self.backlog:
            done: Future[None] = Future()
            self._waiting.append((self._accepted, done))
            self._hurry.set()
            self._work.set()
            await asyncio.wrap_future(done)

    def recover(self) -> int:
        """Bring what the journal has beyond the database; how many records that was.  Blocks.

        Call before `start`.  Raises `StoreError` if the database cannot be written.
        """
        before = self.position
        self._catch_up()
        return self.position - before

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, if the database lets us, and end the thread.  Blocks."""
        self._stop.set()
        self._hurry.set()
        self._work.set()
        self._thread.join()

    def _append(self, kind: str, payload: Any) -> None:
        sequence = self._journal.append(kind, payload)
        self._queue.append(Entry(sequence, kind, payload))
        self._accepted = sequence
        if not self._work.is_set():
            self._work.set()
        if sequence - self.position >= BATCH and not self._hurry.is_set():
            self._hurry.set()

    def _run(self) -> None:
        try:
            self._follow()
        except BaseException as error:
            self._report(f"the database writer broke: {error!r}")  # the journal still keeps all
            raise

    def _follow(self) -> None:
        while not self._stop.is_set():
            self._work.wait()
            self._hurry.wait(self._pace.gather)
            self._work.clear()
            self._hurry.clear()
            self._attempt()
            while self.trouble and not self._stop.wait(self._pace.retry):
                self._attempt()
        self._attempt()  # what came while the last batch was written

    def _attempt(self) -> None:
        try:
            if self._pace.sync == "batched":
                self._journal.sync()
            self._catch_up()
        except (StoreError, OSError) as error:
            self._report(str(error))
        else:
            self._report(None)

    def _report(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_trouble(trouble)

    def _catch_up(self) -> None:
        pending = self._pending()
        while entries := list(islice(pending, BATCH)):
            self._store(entries)
            self.position = entries[-1].sequence
            self._wake_waiting()
            if self._journal.releasable(self.position):
                self._sink.harden()
                self._journal.release(self.position)

    def _pending(self) -> Iterator[Entry]:
        """What the database does not hold, in order: from memory, else from the journal."""
        reached = self.position
        while reached < self._accepted:
            if self._queue and (entry := self._queue.popleft()).sequence <= reached + 1:
                if entry.sequence == reached + 1:
                    reached = entry.sequence
                    yield entry
                continue
            for entry in self._journal.replay(reached):  # lost from memory, or never there
                reached = entry.sequence
                yield entry

    def _store(self, entries: list[Entry]) -> None:
        """Apply `entries` as one transaction; where one is wrong, all but that one."""
        try:
            self._sink.apply(_batch(entries))
        except RefusedError as error:
            if len(entries) > 1:
                half = len(entries) // 2
                self._store(entries[:half])
                self._store(entries[half:])
            else:
                self.refused += 1
                self._on_trouble(f"the database refused {entries[0]}: {error}")

    def _wake_waiting(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.position:
            _, done = self._waiting.popleft()
            if done.set_running_or_notify_cancel():
                done.set_result(None)


def _batch(entries: list[Entry]) -> Batch:
    batch: Batch = {"journal_position": {(JOURNAL_NAME,): (JOURNAL_NAME, entries[-1].sequence)}}
    for _, kind, payload in entries:
        if kind == _DROP:
            table, key = payload
            batch.setdefault(table, {})[storable(key)] = None
            continue
        for table, row in payload:
            shape = SHAPES[table]
            fitted = shape.fit(row)
            batch.setdefault(table, {})[fitted[: shape.keys]] = fitted
    return batch
