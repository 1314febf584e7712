"""One row asked of somebody else's database, without blocking and without touching ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECTIONS: Final = 5


class Question:
    """A query with named parameters; the connections stay open from one asking to the next."""

    def __init__(self, url: str, query: str) -> None:
        """`url` as SQLAlchemy writes it, with an asyncio driver.

        Raises ImportError where that driver is not installed, ArgumentError where `url` is none.
        """
        self._engine: AsyncEngine = create_async_engine(
            url, pool_size=CONNECTIONS, max_overflow=CONNECTIONS, pool_pre_ping=True
        )
        self._query = text(query)
        self._names = tuple(self._query.compile().params)

    async def ask(self, values: Mapping[str, str]) -> dict[str, Any] | None:
        """The first row by column name; None where there is none.

        A parameter that `values` does not know is empty text.  Raises SQLAlchemyError or
        OSError where the database cannot answer.
        """
        given = {name: values.get(name, "") for name in self._names}
        async with self._engine.connect() as connection:
            row = (await connection.execute(self._query, given)).first()
        return None if row is None else dict(row._mapping)

    async def close(self) -> None:
        """Let the connections go."""
        await self._engine.dispose()
