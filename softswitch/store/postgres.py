"""The sink of a PostgreSQL database.  Knows asyncpg; see `sinks` for what a sink promises."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.engine import URL

from softswitch.store.shape import SHAPES, Batch, Row
from softswitch.store.sinks import POSITION, RefusedError, UnavailableError, split

T = TypeVar("T")


class PostgresSink:
    """One connection on an event loop of its own, made again when it was lost."""

    def __init__(self, url: URL) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def position(self, journal: str) -> int | None:
        query = f"SELECT sequence FROM {POSITION} WHERE name = $1"
        found: int | None = self._run(self._fetch_value(query, journal))
        return found

    def apply(self, batch: Batch) -> None:
        self._run(self._apply(batch))

    def harden(self) -> None:
        """Nothing to do: a commit is durable."""

    def rows(self, table: str, unset: str | None = None) -> list[Row]:
        return self._run(self._fetch(SHAPES[table].select(unset)))

    def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            self._runner.run(self._connection.close())
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Tell what may pass (a lost server, a full disk) from what never will (a wrong row)."""
        try:
            return self._runner.run(work)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise RefusedError(str(error)) from error
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise UnavailableError(f"the database cannot be written: {error}") from error

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, timeout=10, command_timeout=30)
        return self._connection

    async def _apply(self, batch: Batch) -> None:
        connection = await self._connected()
        async with connection.transaction():
            for table, changes in batch.items():
                written, gone = split(changes)
                await connection.executemany(SHAPES[table].upsert("$"), written)
                await connection.executemany(SHAPES[table].delete("$"), gone)

    async def _fetch(self, query: str) -> list[Row]:
        connection = await self._connected()
        return [tuple(row) for row in await connection.fetch(query)]

    async def _fetch_value(self, query: str, name: str) -> Any:
        connection = await self._connected()
        return await connection.fetchval(query, name)
