"""What an administrator should look at, until it is over: each alarm a name and a sentence.

Knows nothing of what raises them; the same name raised again keeps its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import structlog

log = structlog.get_logger("alarms")


class Alarm(NamedTuple):
    """Something is wrong since `since` (epoch seconds)."""

    name: str
    sentence: str
    since: float


class Alarms:
    """All that stand now.  `on_change(alarm, stands)` hears of each that comes or goes."""

    def __init__(
        self,
        on_change: Callable[[Alarm, bool], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._on_change, self._clock = on_change, clock
        self._standing: dict[str, Alarm] = {}

    def __iter__(self) -> Iterator[Alarm]:
        return iter(self._standing.values())

    def raise_(self, name: str, sentence: str) -> None:
        """Let `name` stand, or stand with another sentence."""
        before = self._standing.get(name)
        if before is not None and before.sentence == sentence:
            return
        since = self._clock() if before is None else before.since
        alarm = self._standing[name] = Alarm(name, sentence, since)
        log.error(sentence, alarm=name)
        self._on_change(alarm, True)

    def clear(self, name: str) -> None:
        """It is over; without effect where it does not stand."""
        alarm = self._standing.pop(name, None)
        if alarm is not None:
            log.info("alarm over", alarm=name)
            self._on_change(alarm, False)
