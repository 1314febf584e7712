"""Old call records go, by age and in small steps, so that nobody waits for the database."""

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store.tables import CALL_EVENTS, CALLS, LEGS

STEP: Final = 500  # calls a transaction


async def forget_calls(engine: AsyncEngine, before: float) -> int:
    """Delete calls that ended before `before`, epoch seconds, whole; how many that were."""
    forgotten = 0
    while step := await _forget_some(engine, before):
        forgotten += step
    return forgotten


async def _forget_some(engine: AsyncEngine, before: float) -> int:
    old = select(CALLS.c.id).where(CALLS.c.began_at < before, CALLS.c.ended_at < before)
    async with engine.begin() as connection:
        calls = list((await connection.execute(old.limit(STEP))).scalars())
        for column in (CALL_EVENTS.c.call_id, LEGS.c.call_id, CALLS.c.id):
            await connection.execute(delete(column.table).where(column.in_(calls)))
    return len(calls)
