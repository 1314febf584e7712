"""Questions to the call records: filters, pages, whole histories, CSV.

Reads through the asynchronous engine; writes nothing.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store.tables import AGENT_INTERVALS, CALL_EVENTS, CALLS, LEGS, VISITS

Found: TypeAlias = dict[str, Any]
_JSON: Final = ("details", "quality")
_TIMES: Final = ("began_at", "answered_at", "ended_at")
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; absent is anything.  Times in epoch seconds, lengths in seconds."""

    number: str | None = None
    """Caller, dialled number, or a party of any leg; an extension is one as well."""
    since: float | None = None
    until: float | None = None
    longer: float | None = None
    shorter: float | None = None
    cause: str | None = None
    direction: str | None = None
    queue: str | None = None
    agent: str | None = None
    line: str | None = None
    trunk: str | None = None
    chain: str | None = None
    """Id of the first record of a call that went through several switches of ours (N1)."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        asked = {field.name: getattr(self, field.name) for field in fields(self)}
        return [
            _CONDITIONS[name](value) if name in _CONDITIONS else CALLS.c[name] == value
            for name, value in asked.items()
            if value is not None
        ]


class Search:
    """Call records and queue statistics, newest first."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def count(self, query: Query) -> int:
        """How many calls match."""
        statement = select(func.count()).select_from(CALLS).where(*query.conditions())
        async with self._engine.connect() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def page(self, query: Query, *, limit: int = 100, offset: int = 0) -> list[Found]:
        """Calls that match, without their legs."""
        return await self._fetch(_matching(query).limit(limit).offset(offset))

    async def call(self, call_id: str) -> Found | None:
        """One call with its `legs` and `events`, or None."""
        found = await self._fetch(select(CALLS).where(CALLS.c.id == call_id))
        if not found:
            return None
        legs = select(LEGS).where(LEGS.c.call_id == call_id).order_by(LEGS.c.number)
        events = select(CALL_EVENTS).where(CALL_EVENTS.c.call_id == call_id)
        found[0]["legs"] = await self._fetch(legs)
        found[0]["events"] = await self._fetch(events.order_by(CALL_EVENTS.c.number))
        return found[0]

    async def export(self, query: Query, zone: tzinfo) -> AsyncIterator[str]:
        """All calls that match as CSV, a batch of lines at a time; times local to `zone`."""
        names = [column.name for column in CALLS.columns]
        yield _csv([names])
        async with self._engine.connect() as connection:
            result = await connection.stream(_matching(query))
            async for rows in result.partitions(_BATCH):
                yield _csv([_local(dict(zip(names, row, strict=True)), zone) for row in rows])

    async def visits(self, since: float, until: float, queue: str | None = None) -> list[Found]:
        """Visits to queues that were entered in [since, until)."""
        statement = _within(VISITS, VISITS.c.entered_at, since, until)
        if queue is not None:
            statement = statement.where(VISITS.c.queue == queue)
        return await self._fetch(statement)

    async def visits_of(self, call: str) -> list[Found]:
        """Visits of the calls whose id begins so, in order."""
        named = VISITS.c.call_id.startswith(call, autoescape=True)
        return await self._fetch(select(VISITS).where(named).order_by(VISITS.c.entered_at))

    async def intervals(self, since: float, until: float, agent: str | None = None) -> list[Found]:
        """What agents did, from the intervals that began in [since, until)."""
        statement = _within(AGENT_INTERVALS, AGENT_INTERVALS.c.began_at, since, until)
        if agent is not None:
            statement = statement.where(AGENT_INTERVALS.c.agent == agent)
        return await self._fetch(statement)

    async def duty(self, since: float, until: float) -> list[Found]:
        """What all agents did, from the intervals of which any part lies in [since, until)."""
        rows = AGENT_INTERVALS.c
        open_or_later = or_(rows.ended_at.is_(None), rows.ended_at > since)
        statement = select(AGENT_INTERVALS).where(rows.began_at < until, open_or_later)
        return await self._fetch(statement.order_by(rows.agent, rows.began_at))

    async def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """What a question of a report's own finds."""
        async with self._engine.connect() as connection:
            return [tuple(row) for row in (await connection.execute(statement)).all()]

    async def _fetch(self, statement: Select[Any]) -> list[Found]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_plain(dict(row)) for row in rows]


def _matching(query: Query) -> Select[Any]:
    return select(CALLS).where(*query.conditions()).order_by(CALLS.c.began_at.desc(), CALLS.c.id)


def _concerns(number: str) -> ColumnElement[bool]:
    legs = select(LEGS.c.call_id).where(LEGS.c.party == number)
    return or_(CALLS.c.caller == number, CALLS.c.dialled == number, CALLS.c.id.in_(legs))


def _in_chain(call_id: str) -> ColumnElement[bool]:
    told = CALLS.c.details.contains(f'"chain":{json.dumps(call_id)}', autoescape=True)
    return or_(CALLS.c.id == call_id, told)


_LENGTH = CALLS.c.ended_at - CALLS.c.began_at
_CONDITIONS: Final[dict[str, Callable[[Any], ColumnElement[bool]]]] = {
    "chain": _in_chain,
    "number": _concerns,
    "since": lambda value: CALLS.c.began_at >= value,
    "until": lambda value: CALLS.c.began_at < value,
    "longer": lambda value: value <= _LENGTH,
    "shorter": lambda value: value >= _LENGTH,
}


def _within(table: Table, when: ColumnElement[Any], since: float, until: float) -> Select[Any]:
    return select(table).where(when >= since, when < until).order_by(when)


def _plain(row: Found) -> Found:
    """JSON columns as what they hold."""
    for name in _JSON:
        if row.get(name) is not None:
            row[name] = json.loads(row[name])
    return row


def _local(row: Found, zone: tzinfo) -> list[Any]:
    for name in _TIMES:
        if row[name] is not None:
            moment = datetime.fromtimestamp(row[name], zone)
            row[name] = moment.isoformat(timespec="milliseconds")
    return list(row.values())


def _csv(rows: list[list[Any]]) -> str:
    """RFC 4180 lines."""
    text = io.StringIO()
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: Any) -> Any:
    """A cell that a spreadsheet would run as a formula, defused: callers choose their names.

    `+7495…` is a number and stays as it is.
    """
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    return cell if cell[1:].isdigit() else f"'{cell}"
