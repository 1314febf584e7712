"""Migrations: they end at the tables of the code, keep data, and refuse a later schema."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store.database import connect, parse_url
from softswitch.store.errors import SchemaTooNewError, StoreError
from softswitch.store.schema import upgrade
from softswitch.store.tables import METADATA

pytestmark = pytest.mark.anyio


def differences(connection: Connection) -> Any:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, METADATA)


async def test_migrations_end_at_the_tables_of_the_code(engine: AsyncEngine) -> None:
    done = await upgrade(engine)
    assert done is not None
    assert (done.before, done.backup) == (None, None)
    assert await upgrade(engine) is None
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_postgresql_gets_the_same_tables(postgres_url: URL) -> None:
    engine = connect(postgres_url)
    await upgrade(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_a_later_schema_is_refused_in_a_sentence(engine: AsyncEngine) -> None:
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNewError, match=r"schema 9999 .* written by a later version"):
        await upgrade(engine)


async def test_sqlite_is_opened_with_our_pragmas(engine: AsyncEngine, tmp_path: Path) -> None:
    async with engine.connect() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
        assert (await connection.execute(text("PRAGMA busy_timeout"))).scalar() == 5000


@pytest.mark.parametrize("url", ["mysql://here", "switch.db", ""])
def test_an_unknown_database_is_named(url: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:// and postgresql://"):
        parse_url(url)
