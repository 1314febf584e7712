"""The engine: events in, actions out, and nothing else.  Pure, deterministic, one writer.

Contract.  `handle(event, now)` returns the orders and reports that follow; `now` is seconds on a
clock that never goes back (an earlier instant is taken for the latest one seen).  What is due by
then is done first, so a late timer changes nothing that an earlier one would not have.
`handle_timer(now)` is `handle(Tick(), now)`; `next_timeout()` says when it next has work.  Journal
each event with its instant before carrying out its actions: `Engine.restore(snapshot)` and the same
events then make the same engine, bit for bit.  An event that makes no sense is `Refused`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from acd import explain
from acd.actions import Action, Alarm
from acd.callbacks import Callbacks
from acd.callers import Callers
from acd.desk import Desk
from acd.events import (
    AgentDnd,
    AgentFreed,
    AgentHeld,
    AgentLegEnded,
    AgentLegReplaced,
    AgentLegsCounted,
    AgentLegStarted,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentRegistered,
    AgentResumed,
    AgentScored,
    AgentTransferred,
    CallbackAnswered,
    CallbackCancelled,
    CallbackFailed,
    CallbackRequested,
    CallEnded,
    CallJoined,
    CallLeft,
    CallMoved,
    Connected,
    Event,
    OfferAnswered,
    OfferFailed,
    PriorityChanged,
    QueueClosed,
    QueueOpened,
    Reconfigured,
    StrategyChanged,
    Tick,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.floor import Floor
from acd.invariants import violations, wrong_pools
from acd.lines import Lines
from acd.matcher import Matcher
from acd.offers import AGENTS_FAULT, Offers
from acd.predict import Accuracy
from acd.rooms import Rooms
from acd.settings import Settings, problems
from acd.snapshot import dump, load
from acd.strategies import strategies
from acd.timers import Due
from acd.types import CallId, Instant, OfferId, OfferOutcome, SettingError

TRACE = 50
"""Latest events that an alarm shows."""
AUDIT_PARTS = 20
"""Of a full check of the invariants, at least: none stops the centre for long."""
SPARING = 10
"""Events for each agent and call that is checked: so the check costs an event next to nothing."""
REPORTABLE = AGENTS_FAULT | {OfferOutcome.WITHDRAWN}


class Engine:
    """Who waits, who is free, who gets whom."""

    def __init__(self, settings: Settings) -> None:
        for key, reason in problems(settings, set(strategies())):
            raise SettingError(key, reason)
        self._work_on(Floor(settings))

    def _work_on(self, floor: Floor) -> None:
        self.floor = floor
        self._plan_audits()
        self._trace: deque[tuple[Instant, Event]] = deque(maxlen=TRACE)
        self.lines = lines = Lines(floor)
        self.offers = offers = Offers(floor, lines)
        self.callbacks = callbacks = Callbacks(floor, lines, offers)
        self.desk = desk = Desk(floor, offers)
        callers = Callers(floor, lines, offers, callbacks)
        self._rooms = rooms = Rooms(floor, lines, offers, callbacks)
        self.matcher = Matcher(floor, offers, callbacks)
        self._handlers: dict[type, Callable[[Any], None]] = {
            Tick: lambda _: None,
            Reconfigured: self._reconfigured,
            QueueOpened: rooms.opened,
            QueueClosed: rooms.closed,
            StrategyChanged: rooms.strategy_changed,
            CallJoined: callers.joined,
            CallEnded: callers.ended,
            CallLeft: callers.left,
            CallMoved: callers.moved,
            PriorityChanged: callers.reprioritised,
            CallbackRequested: callbacks.requested,
            CallbackAnswered: callbacks.answered,
            CallbackFailed: callbacks.failed,
            CallbackCancelled: callbacks.cancelled,
            AgentLoggedIn: desk.logged_in,
            AgentLoggedOut: desk.logged_out,
            AgentPaused: desk.paused,
            AgentResumed: desk.resumed,
            AgentRegistered: desk.registered,
            AgentDnd: desk.dnd,
            AgentLegStarted: desk.leg_started,
            AgentLegEnded: desk.leg_ended,
            AgentHeld: desk.held,
            AgentLegReplaced: desk.leg_replaced,
            AgentTransferred: desk.transferred,
            AgentLegsCounted: desk.legs_counted,
            WrapUpExtended: desk.extended,
            WrapUpEnded: desk.rested,
            AgentFreed: desk.freed,
            AgentScored: desk.scored,
            OfferAnswered: lambda event: offers.answered(event.offer, event.leg),
            Connected: lambda event: offers.connected(event.offer),
            OfferFailed: self._offer_failed,
        }

    # --- events and time ---------------------------------------------------------------------

    def handle(self, event: Event, now: Instant) -> list[Action]:
        """Take one fact and decide everything anew that it touches."""
        floor = self.floor
        floor.now = now = max(now, floor.now)
        floor.event += 1
        floor.out = out = []
        self._trace.append((now, event))
        if floor.timers.any_due(now):
            self._do_due()
        self._handlers[type(event)](event)
        self._settle()
        if floor.changed:
            floor.tell_changes()
        if floor.touched:
            floor.broken += wrong_pools(floor.touched)
            floor.touched = []
        if self._audit_step and floor.event % self._audit_step == 0:
            floor.broken += self._audit_part()
        if floor.broken:
            out += self._alarms()
        return out

    def handle_timer(self, now: Instant) -> list[Action]:
        """Do whatever is due.  Calling early, late or twice is harmless."""
        return self.handle(Tick(), now)

    def next_timeout(self) -> Instant | None:
        """When `handle_timer` next has work to do, or None."""
        return self.floor.timers.next_timeout()

    def _settle(self) -> None:
        """Match until nothing is left to match; then who may not stay goes, and once more."""
        floor = self.floor
        while True:
            if floor.timers.any_due(floor.now):
                self._do_due()
            if floor.freed or floor.restless:
                self.matcher.settle()
            if not floor.newcomers and not floor.thinned:
                return
            if floor.newcomers:
                newcomers, floor.newcomers = floor.newcomers, []
                for entry in newcomers:
                    self.lines.settle_in(entry)
            if floor.thinned:
                thinned, floor.thinned = floor.thinned, {}
                for queue in thinned.values():
                    self.lines.thin_out(queue)

    def _do_due(self) -> None:
        floor = self.floor
        while (key := floor.timers.pop(floor.now)) is not None:
            kind, name = key
            if isinstance(name, int):
                self.offers.do_due(name)
            elif kind == Due.AGENT:
                self.desk.do_due(floor.agents[name])
            elif kind == Due.LEASE:
                self.desk.end_leases()
            elif kind == Due.PLACE:
                del floor.places[name]
            else:
                call = floor.calls[name]
                self.callbacks.do_due(call)
                self.lines.do_due(call)

    def _reconfigured(self, event: Reconfigured) -> None:
        self._rooms.reconfigured(event)
        self._plan_audits()

    def _plan_audits(self) -> None:
        """In parts, where there is room for them between two full checks."""
        every = self.floor.settings.audit_every
        self._audit_parts = AUDIT_PARTS if every >= AUDIT_PARTS else 1
        self._audit_step = every // self._audit_parts

    def _audit_part(self) -> Iterator[tuple[str, str]]:
        """The part whose turn it is; in a large centre it takes more of them to see everything."""
        floor, parts = self.floor, self._audit_parts
        if parts > 1:
            size = len(floor.agents) + len(floor.calls)
            parts = max(parts, -(-SPARING * size // self._audit_step))
        return violations(floor, floor.event // self._audit_step % parts, parts)

    def _offer_failed(self, event: OfferFailed) -> None:
        if event.outcome in REPORTABLE:
            self.offers.failed(event.offer, event.outcome)
        else:
            self.floor.refuse(event, f"{event.outcome} is not for the carrier to say")

    # --- the state, whole --------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Everything that decides the future, as JSON can hold it, settings included."""
        return dump(self.floor)

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Engine:
        """The engine that gave this snapshot.  New settings then come as `Reconfigured`."""
        engine = cls.__new__(cls)
        engine._work_on(load(snapshot))
        return engine

    # --- questions ---------------------------------------------------------------------------

    def audit(self) -> list[Action]:
        """Check every invariant in full: O(agents + calls)."""
        self.floor.broken += violations(self.floor)
        return self._alarms()

    def _alarms(self) -> list[Action]:
        broken, self.floor.broken = dict.fromkeys(self.floor.broken), []
        trace = tuple(f"{at:.3f} {event}" for at, event in self._trace)
        return [Alarm(rule, detail, trace) for rule, detail in broken]

    def explain_offer(self, offer: OfferId) -> dict[str, Any] | None:
        """Why this agent for this call; None if it is too long ago."""
        return explain.explain_offer(self.floor, offer)

    def explain_agent(self, name: str) -> dict[str, Any] | None:
        """Why this agent is idle, or is not offered calls."""
        return explain.explain_agent(self.floor, name)

    def explain_waiting(self, call: CallId) -> dict[str, Any] | None:
        """Why this caller is not being served."""
        return explain.explain_waiting(self.floor, call)

    def accuracy(self) -> dict[str, Accuracy]:
        """For each queue how good its predictions of waiting have been."""
        return {name: queue.predictor.accuracy() for name, queue in self.floor.queues.items()}
