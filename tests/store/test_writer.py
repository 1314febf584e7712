"""The writer: rows follow the journal, in order, whatever the database does meanwhile."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from softswitch.store.journal import Journal
from softswitch.store.shape import Batch, Row
from softswitch.store.sinks import RefusedError, SqliteSink, UnavailableError
from softswitch.store.store import Store
from softswitch.store.tables import METADATA
from softswitch.store.writer import Pace, Writer

pytestmark = pytest.mark.anyio
EAGER = Pace(gather=0.0, retry=0.001, queue=10)


class Shelf:
    """A sink in memory that can be told to fail."""

    def __init__(self) -> None:
        self.state: dict[tuple[Any, ...], Row] = {}
        self.reached: int | None = None
        self.up = threading.Event()
        self.up.set()

    def position(self, journal: str) -> int | None:
        return self.reached

    def apply(self, batch: Batch) -> None:
        if not self.up.is_set():
            raise UnavailableError("the disk is full")
        if any("poison" in key for changes in batch.values() for key in changes):
            raise RefusedError("a row is wrong")
        for table, changes in batch.items():
            for key, row in changes.items():
                if row is None:
                    self.state.pop((table, *key), None)
                elif table == "journal_position":
                    self.reached = row[1]
                else:
                    self.state[table, *key] = row

    def harden(self) -> None: ...

    def rows(self, table: str, unset: str | None = None) -> list[Row]:
        return []

    def close(self) -> None: ...


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def troubles() -> list[str | None]:
    return []


@pytest.fixture
def writer(tmp_path: Path, shelf: Shelf, troubles: list[str | None]) -> Iterator[Writer]:
    journal = Journal(tmp_path, segment_bytes=500)
    writer = Writer(journal, shelf, troubles.append, EAGER)
    writer.start()
    yield writer
    writer.stop()
    journal.close()


async def test_rows_follow_in_order_and_spent_segments_go(writer: Writer, shelf: Shelf) -> None:
    for number in range(100):
        writer.put(("state", ("a", str(number % 7), str(number))))
    writer.drop("state", "a", "0")
    await writer.settled()
    last = {str(number % 7): str(number) for number in range(93, 100) if number % 7}
    assert {key: value for _, key, value in shelf.state.values()} == last
    assert writer.backlog == 0
    writer.stop()
    assert writer._journal.first > 90


async def test_while_the_database_fails_nothing_is_lost(
    writer: Writer, shelf: Shelf, troubles: list[str | None]
) -> None:
    """More rows than memory is given for: what fell out of the queue is read from the journal."""
    shelf.up.clear()
    for number in range(200):
        writer.put(("state", ("a", str(number), "1")))
    while not troubles:
        threading.Event().wait(0.001)
    assert troubles == ["the disk is full"]
    assert writer.trouble == "the disk is full"
    writer.drop("state", "a", "7")
    shelf.up.set()
    await writer.settled()
    assert len(shelf.state) == 199
    writer.stop()
    assert troubles == ["the disk is full", None]


async def test_a_wrong_row_costs_only_itself(
    writer: Writer, shelf: Shelf, troubles: list[str | None]
) -> None:
    for name in ("a", "poison", "b"):
        writer.put(("state", (name, "k", "1")))
    await writer.settled()
    assert [space for _, space, _ in shelf.state] == ["a", "b"]
    assert writer.refused == 1
    assert "poison" in str(troubles)


def test_rows_of_an_older_version_end_in_nulls(tmp_path: Path, shelf: Shelf) -> None:
    journal = Journal(tmp_path)
    journal.append("put", [["calls", ["c1", 5.0]]])
    assert Writer(journal, shelf, lambda _: None).recover() == 1
    journal.close()
    row = shelf.state["calls", "c1"]
    assert (row[:3], set(row[2:])) == (("c1", 5.0, None), {None})


CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.text(max_size=2)), max_size=30)


@given(CHANGES, st.integers(0, 30))
def test_stopping_anywhere_and_replaying_gives_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[str, str | None]],
    stop: int,
) -> None:
    """The database is a fold of the journal, wherever it was when the process ended."""
    shelf, expected = Shelf(), dict[str, str]()
    directory = tmp_path_factory.mktemp("journal")
    for part in (changes[:stop], changes[stop:]):
        journal = Journal(directory, after=shelf.reached or 0, segment_bytes=200)
        writer = Writer(journal, shelf, lambda _: None)
        writer.recover()
        for key, value in part:
            if value is None:
                writer.drop("state", "s", key)
                expected.pop(key, None)
            else:
                writer.put(("state", ("s", key, value)))
                expected[key] = value
        journal.close()
    journal = Journal(directory, after=shelf.reached or 0)
    Writer(journal, shelf, lambda _: None).recover()
    journal.close()
    assert {key: value for _, key, value in shelf.state.values()} == {
        key: value.replace("\0", "�").encode(errors="replace").decode()
        for key, value in expected.items()
    }


async def test_a_locked_database_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softswitch.store.sinks.PRAGMAS", ("journal_mode=WAL", "busy_timeout=1"))
    troubles: list[str | None] = []
    store = await Store.open(tmp_path, on_trouble=troubles.append, pace=EAGER)
    with sqlite3.connect(tmp_path / "switch.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        store.state.set("dnd", "101", True)
        while store.writer.trouble is None:
            threading.Event().wait(0.001)
        assert "locked" in store.writer.trouble
        other.execute("ROLLBACK")
    other.close()
    await store.writer.settled()
    await store.close()
    assert troubles[0] is not None


def test_a_damaged_database_is_no_fault_of_the_rows(tmp_path: Path) -> None:
    """So they stay in the journal, and are not dropped as wrong ones."""
    path = tmp_path / "x.db"
    engine = create_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    engine.dispose()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    sink = SqliteSink(str(path))
    with pytest.raises(UnavailableError, match="malformed"):
        sink.apply({"state": {("a", "b"): ("a", "b", "1")}})
    sink.close()


def test_a_row_reaches_sqlite_within_twenty_microseconds(tmp_path: Path) -> None:
    """Of CPU, batching, projecting and SQL together; five-fold for a busy machine."""

    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    METADATA.create_all(engine)
    engine.dispose()
    journal, sink = Journal(tmp_path / "journal"), SqliteSink(f"{tmp_path}/x.db")
    writer = Writer(journal, sink, lambda _: None)
    for number in range(5000):
        writer.put(("legs", (f"call-{number}", 0, "caller", "101", "abc@host", None, 1.5)))
    began = time.process_time()
    writer.recover()
    spent = time.process_time() - began
    journal.close()
    sink.close()
    assert spent / 5000 < 5 * 20e-6
