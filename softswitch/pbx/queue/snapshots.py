"""When and how snapshots of the queues are taken, so that a restart has few events to handle anew.

One is taken beside the loop, which goes on meanwhile.  Events that the journal had no room for are
in the next one only, so it is taken as soon as there is room; until then an alarm stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from acd.types import Seconds
from softswitch.pbx.alarms import Alarms
from softswitch.store.aside import AsideError
from softswitch.store.engine_log import EngineLog

AFTER = 20_000
"""Events that a restart has to handle anew at most, but for those of one interval."""
EVERY: Seconds = 30.0
"""How often it is looked whether a snapshot is due."""
LONGEST: Seconds = 300.0
"""How long one that is taken beside the loop may need; a copy that hangs is killed then."""
UNKEPT = "queue-journal"


class Snapshots:
    """Takes them."""

    def __init__(
        self,
        journal: EngineLog,
        alarms: Alarms,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        state: Callable[[], Any],
        flush: Callable[[], None],
    ) -> None:
        """`state` is what to keep; `flush` writes the rows of events so far, which come first."""
        self._journal, self._alarms, self._spawn = journal, alarms, spawn
        self._state, self._flush = state, flush
        self._unkept = False
        """Whether the journal has a gap."""
        self._timer: asyncio.TimerHandle | None = None
        self._taking: asyncio.Task[None] | None = None

    def missed(self, why: Exception) -> None:
        """An event could not be journaled."""
        self._unkept = True
        self._alarms.raise_(UNKEPT, f"events of the queues are not kept: {why}")

    def watch(self) -> None:
        """Take one whenever it is due, until `close`."""
        due = self._unkept or self._journal.since_snapshot >= AFTER
        if due and (self._taking is None or self._taking.done()):
            self._taking = self._spawn(self._take_aside())
        self._timer = asyncio.get_running_loop().call_later(EVERY, self.watch)

    def take(self) -> None:
        """Now, which stops the loop for as long as a large centre takes to be written down: for
        the beginning and the end."""
        self._flush()
        try:
            self._journal.snapshot(self._state(), alone=self._unkept)
        except OSError as error:
            self._failed(error)
        else:
            self._taken()

    def close(self) -> None:
        """Take the last one."""
        if self._timer is not None:
            self._timer.cancel()
        if self._taking is not None:
            self._taking.cancel()
        self.take()

    async def _take_aside(self) -> None:
        self._flush()
        unkept, self._unkept = self._unkept, False
        try:
            async with asyncio.timeout(LONGEST):
                await self._journal.snapshot_aside(self._state, alone=unkept)
        except (OSError, AsideError) as error:  # a TimeoutError is an OSError
            self._unkept = self._unkept or unkept
            self._failed(error)
        else:
            if not self._unkept:  # an event that came meanwhile may have found no room
                self._taken()

    def _taken(self) -> None:
        self._unkept = False
        self._alarms.clear(UNKEPT)

    def _failed(self, error: Exception) -> None:
        self._alarms.raise_(UNKEPT, f"no snapshot of the queues can be kept: {error}")
