"""The whole of what lasts, opened and closed in the right order.

Opening migrates the database, mends the journal, brings the one up to the other, and restores
what the switch keeps in memory.  Whoever opens it decides what a notice or an alarm is.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store import folders
from softswitch.store.database import connect, parse_url
from softswitch.store.errors import StoreError
from softswitch.store.journal import Journal
from softswitch.store.messages import Messages
from softswitch.store.records import Records, interrupted
from softswitch.store.registrations import Registrations
from softswitch.store.retention import forget_calls
from softswitch.store.schema import Upgrade, upgrade
from softswitch.store.search import Search
from softswitch.store.sinks import Sink, open_sink
from softswitch.store.state import State
from softswitch.store.statistics import Statistics
from softswitch.store.voicemail import Voicemail
from softswitch.store.writer import JOURNAL_NAME, Pace, Trouble, Writer


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening did besides: sentences for the log."""

    notices: tuple[str, ...] = ()


class Store:
    """Registrations, records, voicemail, messages and state over one journal and one database."""

    def __init__(
        self, journal: Journal, sink: Sink, engine: AsyncEngine, writer: Writer, opened: Opened
    ) -> None:
        """Use `Store.open`."""
        self._journal, self._sink, self._engine = journal, sink, engine
        self.writer, self.opened = writer, opened
        self.registrations = Registrations(writer, sink.rows("registrations"))
        self.voicemail = Voicemail(writer, sink.rows("voicemail"))
        self.messages = Messages(writer, sink.rows("messages"))
        self.state = State(writer, sink.rows("state"))
        self.records = Records(writer)
        self.statistics = Statistics(writer)
        self._search = Search(engine)
        self._closed = False

    @classmethod
    async def open(
        cls,
        directory: Path,
        url: str | None = None,
        *,
        on_trouble: Trouble = lambda _: None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> "Store":
        """Open what lies in `directory`; the database is `switch.db` there unless `url` says.

        `on_trouble` is called in the event loop: with a sentence when the database does not
        follow the journal, with None when it does again.  Raises `StoreError` with a sentence
        if the switch must not start.
        """
        folders.make(directory)
        where = parse_url(url or f"sqlite:///{directory / 'switch.db'}")
        engine = connect(where)
        try:
            done = await upgrade(engine)
            return await asyncio.to_thread(
                cls._assemble,
                (directory / "journal", where, engine),
                done,
                _in_loop(on_trouble),
                pace,
                clock,
            )
        except (SQLAlchemyError, OSError) as error:
            await engine.dispose()
            shown = where.render_as_string(hide_password=True)
            raise StoreError(f"the database {shown} cannot be opened: {error}") from error
        except BaseException:
            await engine.dispose()
            raise

    @classmethod
    def _assemble(
        cls,
        place: tuple[Path, URL, AsyncEngine],
        done: Upgrade | None,
        on_trouble: Trouble,
        pace: Pace | None,
        clock: Callable[[], float],
    ) -> "Store":
        """The part of opening that blocks; runs in a thread."""
        directory, url, engine = place
        sink = open_sink(url)
        try:
            journal = Journal(directory, after=sink.position(JOURNAL_NAME) or 0)
        except BaseException:
            sink.close()
            raise
        try:
            writer = Writer(journal, sink, on_trouble, pace)
            alive_at = journal.last_written or clock()
            replayed = writer.recover()
            closed = _close_interrupted(writer, sink, alive_at)
            opened = Opened(tuple(_notices(done, journal, replayed, closed)))
            store = cls(journal, sink, engine, writer, opened)
        except BaseException:
            journal.close()
            sink.close()
            raise
        writer.start()
        return store

    async def search(self) -> Search:
        """Where to ask for records; it knows all that was put before."""
        self.statistics.flush()
        with suppress(TimeoutError):  # a database in trouble answers with what it has
            async with asyncio.timeout(1.0):
                await self.writer.settled()
        return self._search

    async def forget_calls(self, before: float) -> int:
        """Delete the records of calls that ended before `before`, epoch seconds; how many."""
        return await forget_calls(self._engine, before)

    async def close(self) -> None:
        """Write what is left and give everything back; a second time is harmless."""
        if self._closed:
            return
        self._closed = True
        self.statistics.flush()
        await asyncio.to_thread(self.writer.stop)
        self._journal.close()
        await asyncio.to_thread(self._sink.close)
        await self._engine.dispose()


def _in_loop(on_trouble: Trouble) -> Trouble:
    """`on_trouble` for another thread to call; it runs in the loop of this one."""
    loop = asyncio.get_running_loop()

    def call(trouble: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            loop.call_soon_threadsafe(on_trouble, trouble)

    return call


def _close_interrupted(writer: Writer, sink: Sink, at: float) -> int:
    """End the records of calls that a killed switch left open; how many calls."""
    found = {table: sink.rows(table, unset="ended_at") for table in ("legs", "calls")}
    for table, rows in found.items():
        for row in rows:
            writer.put(interrupted(table, row, at))
    writer.recover()
    return len(found["calls"])


def _notices(done: Upgrade | None, journal: Journal, replayed: int, closed: int) -> list[str]:
    notices = []
    if done is not None and done.before is not None:
        steps = f"from schema {done.before} to {done.after}"
        copy = f"; {done.backup} is what it was" if done.backup else ""
        notices.append(f"database upgraded {steps}{copy}")
    if journal.repair is not None:
        notices.append(str(journal.repair))
    if replayed:
        notices.append(f"{replayed} journal records brought to the database")
    if closed:
        notices.append(f"{closed} calls were interrupted when the switch ended")
    return notices
