"""Who was rung for a group and what he did about it, from the legs of past calls (D7)."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import func, select

from softswitch.store.search import Query, Search
from softswitch.store.tables import CALLS, LEGS

IGNORED = frozenset({"no-answer"})
PASSED_BY = frozenset({"answered-elsewhere", "cancelled", "moved"})


class Rung(NamedTuple):
    """Counts of calls."""

    offered: int = 0
    answered: int = 0
    ignored: int = 0
    declined: int = 0
    elsewhere: int = 0


async def rung(
    search: Search, group: str, since: float | None, until: float | None
) -> dict[str, Rung]:
    """Of each party that was rung in calls to `group` that began in [since, until)."""
    of_group = CALLS.c.details.contains(f'"group":{json.dumps(group)}', autoescape=True)
    statement = (
        select(LEGS.c.party, LEGS.c.cause, func.count(), func.count(LEGS.c.answered_at))
        .join(CALLS, CALLS.c.id == LEGS.c.call_id)
        .where(LEGS.c.role == "callee", of_group, *Query(since=since, until=until).conditions())
        .group_by(LEGS.c.party, LEGS.c.cause)
    )
    found: dict[str, Rung] = {}
    for party, cause, legs, answered in await search.rows(statement):
        found[party] = _added(found.get(party, Rung()), cause, legs, answered)
    return found


def _added(so_far: Rung, cause: str, legs: int, answered: int) -> Rung:
    offered, total, ignored, declined, elsewhere = so_far
    rest = legs - answered
    return Rung(
        offered + legs,
        total + answered,
        ignored + (rest if cause in IGNORED else 0),
        declined + (rest if cause not in IGNORED | PASSED_BY else 0),
        elsewhere + (rest if cause in PASSED_BY else 0),
    )
