"""The asynchronous side: an engine for queries, which never block the event loop.

Rows are written by `writer` alone; here they are only read.
"""

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from softswitch.store.errors import StoreError
from softswitch.store.sinks import PRAGMAS

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def parse_url(text: str) -> URL:
    """`sqlite:///var/switch.db` or `postgresql://user:word@host/name`, with our driver in it."""
    try:
        url = make_url(text)
        return url.set(drivername=DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError):
        known = " and ".join(f"{name}://" for name in DRIVERS)
        raise StoreError(f"{text!r} is no database that we know: {known} are") from None


def connect(url: URL) -> AsyncEngine:
    """An engine; nothing is opened before the first query."""
    engine = create_async_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
