"""A changed settings file, applied to the running switch whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import structlog

from config import Change, ConfigError, Settings, changes, load, needs_restart, with_fixed

log = structlog.get_logger("reload")

NAMED = 8
"""Entries that a sentence names; more are counted."""


class Reload:
    """Reads the file again and hands it on.

    `apply` gives settings to every part; calls in progress and waiting callers keep what they
    were given.
    """

    def __init__(
        self, path: Path, current: Callable[[], Settings], apply: Callable[[Settings], None]
    ) -> None:
        self._path, self._current, self._apply = path, current, apply
        self._one = asyncio.Lock()

    async def __call__(self) -> list[str]:
        """What changed, a sentence each.  Raises ConfigError; then nothing has changed."""
        async with self._one:
            read = await asyncio.to_thread(load, self._path)
            old = self._current()
            postponed = needs_restart(old, read)
            new = with_fixed(old, read)
            self._hand_on(old, new)
        told = [*_sentences(changes(old, new)), *map(str, postponed)]
        log.info("settings reloaded", changes=told)
        return told

    async def on_signal(self) -> None:
        """As SIGHUP wants it: who sent it looks into the log."""
        try:
            await self()
        except ConfigError as error:
            problems = [str(problem) for problem in error.problems]
            log.error("settings not reloaded; the old ones stay", problems=problems)

    def _hand_on(self, old: Settings, new: Settings) -> None:
        try:
            self._apply(new)
        except BaseException:  # a part that fails must not leave the others ahead of it
            self._apply(old)
            raise


def _sentences(found: Mapping[str, Change]) -> Iterator[str]:
    for table, change in found.items():
        for names, verb in (
            (change.added, "added"),
            (change.changed, "changed"),
            (change.removed, "removed"),
        ):
            if names:
                listed = sorted(names)[:NAMED]
                more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
                yield f"{table}: {', '.join(listed)}{more} {verb}"
