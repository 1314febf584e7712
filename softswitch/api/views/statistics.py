"""Figures of queues and agents for any past interval, from what the store remembers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

from acd.metrics.definitions import AGENT, QUEUE, explain, figures
from acd.metrics.logbook import Logbook
from acd.metrics.tallies import agent_tallies, queue_tally
from config.queues import Queue
from config.settings import Settings
from softswitch.api import models
from softswitch.pbx.queue import past
from softswitch.pbx.switch import Switch

MARGIN = 6 * 3600.0
"""Seconds before the interval in which conversations that last into it may have begun."""
Rows = Sequence[dict[str, Any]]


class Statistics:
    """Over the store."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def figures(self, since: float, until: float | None) -> models.Statistics:
        """All figures of [since, until); until now, if None."""
        end = time.time() if until is None else until
        visits, duty = await self._rows(since, end)
        settings = self._switch.settings
        return await asyncio.to_thread(_figures, settings, visits, duty, since, end)

    async def visits(
        self, since: float, until: float | None, queue: str | None, outcome: str | None
    ) -> list[models.Visit]:
        """Visits that began within the interval: the list of those who gave up, for one."""
        search = await self._switch.store.search()
        rows = await search.visits(since, time.time() if until is None else until, queue)
        wanted = (row for row in rows if outcome is None or row["outcome"] == outcome)
        return [models.Visit(**row) for row in wanted]

    async def queue_log(self, since: float, until: float | None) -> str:
        """The interval as Asterisk's tools read it."""
        end = time.time() if until is None else until
        visits, duty = await self._rows(since, end)
        lines = await asyncio.to_thread(_lines, visits, duty, since, end)
        return "".join(f"{line}\n" for line in lines)

    async def _rows(self, since: float, until: float) -> tuple[Rows, Rows]:
        search = await self._switch.store.search()
        return await search.visits(since - MARGIN, until), await search.duty(since, until)


def _figures(
    settings: Settings, visits: Rows, duty: Rows, since: float, until: float
) -> models.Statistics:
    log = past.logbook(visits, duty, min(until, time.time()))
    return models.Statistics(
        since=since,
        until=until,
        queues=list(_of_queues(settings, log, since, until)),
        agents=list(_of_agents(settings, log, since, until)),
    )


def _of_queues(
    settings: Settings, log: Logbook, since: float, until: float
) -> Iterator[models.Figures]:
    for name in dict.fromkeys([*settings.queues, *log.visits]):
        queue = settings.queues.get(name) or Queue()
        target, short = queue.service_level.seconds, queue.short_abandon
        tally = queue_tally(log, name, since, until, target=target, short=short)
        told = {each.name: explain(each, tally) for each in QUEUE.values()}
        yield models.Figures(name=name, figures=figures(QUEUE, tally), explanations=told)


def _of_agents(
    settings: Settings, log: Logbook, since: float, until: float
) -> Iterator[models.Figures]:
    names = dict.fromkeys([*settings.agents, *log.spans])
    for name, tally in agent_tallies(log, since, until, names).items():
        yield models.Figures(name=name, figures=figures(AGENT, tally))


def _lines(visits: Rows, duty: Rows, since: float, until: float) -> list[str]:
    lines = past.queue_log(visits, duty)
    return [line for line in lines if since <= float(line.partition("|")[0]) < until]
