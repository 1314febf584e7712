"""Brings a database to the tables of this version, or refuses one that is ahead of it.

Knows alembic and the migrations beside it.  A SQLite file with data is copied before it is
changed, so that one can go back to the version before.
"""

import time
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store.errors import SchemaTooNewError

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Upgrade(NamedTuple):
    """From which revision to which; `backup` is the copy that was made, if any."""

    before: str | None
    after: str
    backup: Path | None


async def upgrade(engine: AsyncEngine) -> Upgrade | None:
    """Migrate; what was done, or None if nothing was due.  Raises `SchemaTooNewError`."""
    async with engine.connect() as connection:
        before, newest = await connection.run_sync(_revisions)
    if before == newest:
        return None
    backup = None
    if before is not None and engine.dialect.name == "sqlite":
        backup = Path(f"{engine.url.database}.{before}-{int(time.time())}")
        await _copy(engine, backup)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate)
    return Upgrade(before, newest, backup)


def _revisions(connection: Connection) -> tuple[str | None, str]:
    """The database's revision and ours."""
    from alembic.runtime.migration import MigrationContext  # 0.3 s of imports, once a start
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))
    current = MigrationContext.configure(connection).get_current_revision()
    newest = scripts.get_current_head()
    assert newest is not None
    if current is not None and current not in {step.revision for step in scripts.walk_revisions()}:
        raise SchemaTooNewError(
            f"the database has schema {current} and this version knows schemas up to {newest}: "
            f"it was written by a later version; start that one, or restore a backup"
        )
    return current, newest


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _copy(engine: AsyncEngine, backup: Path) -> None:
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM INTO :path"), {"path": str(backup)})
