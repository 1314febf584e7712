"""The engine and its memory: every event is journaled before its actions are carried out.

Knows the engine, its journal and the loop's timers.  Refuses to know calls.  A journal that cannot
be written stops nobody's call (see `snapshots`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import structlog

from acd.actions import Action
from acd.codec import CodecError
from acd.engine import Engine
from acd.events import Event, Reconfigured, Tick
from acd.journal import decode, encode, explain_call
from acd.settings import Settings
from acd.types import Instant, Seconds
from softswitch.pbx.alarms import Alarms
from softswitch.pbx.queue.clock import Clock
from softswitch.pbx.queue.history import History
from softswitch.pbx.queue.snapshots import Snapshots
from softswitch.store.engine_log import EngineLog
from softswitch.store.errors import JournalFullError, StoreError

log = structlog.get_logger("queue")

GATHER: Seconds = 0.2
"""How long rows of statistics are gathered; a crash meanwhile loses none, events make them anew."""


class Keeper:
    """The single writer of the engine.

    `perform` carries out one action; what it tells in turn is handled at once, and what follows
    from that is carried out after everything decided before.
    """

    def __init__(
        self,
        journal: EngineLog,
        history: History,
        alarms: Alarms,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`wall` tells epoch seconds."""
        self._loop = asyncio.get_running_loop()
        self.clock = Clock(self._loop.time, wall)
        self.history = history
        self.began: Instant = 0.0
        """When this run took over."""
        self.perform: Callable[[Action], None] = _nothing
        self._journal = journal
        self._snapshots = Snapshots(journal, alarms, spawn, self._state, self._flush)
        self._todo: deque[Action] = deque()
        self._performing = self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._due: Instant | None = None
        self._flusher: asyncio.TimerHandle | None = None

    # -- the beginning and the end ---------------------------------------------------

    def restore(self, settings: Settings) -> bool:
        """Rebuild the engine of the last run, or make a new one; whether there was one.

        Raises StoreError for a journal that cannot be believed.
        """
        remembered = self._journal.load()
        if self._journal.repair is not None:
            log.warning(str(self._journal.repair))
        if self._journal.damage:
            log.warning("an older snapshot was taken", why=self._journal.damage)
        try:
            self.engine = self._rebuilt(remembered.state, remembered.events, settings)
        except (CodecError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"the queue journal cannot be understood: {error}") from error
        self.clock.not_before(self.engine.floor.now)
        self.began = self.clock()
        if remembered.state is None:
            self._snapshots.take()
        return remembered.state is not None

    def start(self, settings: Settings) -> None:
        """Go on from there, by these settings; what is due by now is decided."""
        if self.engine.floor.settings != settings:
            self.tell(Reconfigured(settings))
        self.tell(Tick())
        self._snapshots.watch()

    def _rebuilt(self, state: Any, events: list[Any], settings: Settings) -> Engine:
        if state is None:
            return Engine(settings)
        engine = Engine.restore(state["engine"])
        self.history.restore(state["history"])
        for number, record in enumerate(events, 1):
            try:
                event, now = decode(record)
            except CodecError as error:
                raise CodecError(f"record {number} after the snapshot: {error}") from None
            self.history.take(event, engine.handle(event, now), engine.floor)
        return engine

    def close(self) -> None:
        """Stop; the next start needs no events."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._timer, self._flusher):
            if timer is not None:
                timer.cancel()
        self._snapshots.close()
        self._journal.close()

    def _state(self) -> Any:
        """All that is to be known at the next start; rows of events so far are written."""
        return {"engine": self.engine.snapshot(), "history": self.history.dump()}

    # -- events ----------------------------------------------------------------------

    def tell(self, event: Event) -> list[Action]:
        """One fact: journal it, decide, carry out.  What was decided, for who wants to know.

        Once closed, nothing is taken any more: what calls do while the switch stops does not count.
        """
        if self._closed:
            return []
        now = self.clock()
        self._keep(event, now)
        actions = self.engine.handle(event, now)
        self.history.take(event, actions, self.engine.floor)
        if self._flusher is None and self.history.is_behind:
            self._flusher = self._loop.call_later(GATHER, self._flush)
        self._todo += actions
        if not self._performing:
            self._carry_out()
            self._arm()
        return actions

    async def decisions(self, call: str, since: Instant, until: Instant) -> list[dict[str, Any]]:
        """Every offer made within to calls whose id begins so, explained from the journal.

        Reads what lies between the last snapshot before `since` and `until`, in another process;
        nothing where that is kept no more.  Raises OSError or AsideError where it cannot be read.
        """
        question = partial(_decisions, call=call, until=until)
        found: list[dict[str, Any]] | None = json.loads(await self._journal.ask(question, since))
        return found or []

    def _flush(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
            self._flusher = None
        self.history.flush()

    def _keep(self, event: Event, now: Instant) -> None:
        try:
            self._journal.append(encode(event, now))
        except JournalFullError as refusal:
            self._snapshots.missed(refusal)

    def _carry_out(self) -> None:
        self._performing = True
        try:
            for action in self._orders():
                try:
                    self.perform(action)
                except Exception:  # one call's fault is not the others'
                    log.exception("action failed", action=str(action))
        finally:
            self._performing = False

    def _orders(self) -> Iterator[Action]:
        while self._todo:
            yield self._todo.popleft()

    # -- time ------------------------------------------------------------------------

    def _arm(self) -> None:
        due = self.engine.next_timeout()
        if due == self._due and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        at = None if due is None else self.clock.monotonic(due)
        self._timer = None if at is None else self._loop.call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.tell(Tick())


def _decisions(state: Any, events: Iterator[bytes], call: str, until: Instant) -> Any:
    return explain_call(state["engine"], events, call, until)


def _nothing(action: Action) -> None:
    """Until somebody carries actions out."""
