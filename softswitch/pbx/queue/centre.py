"""The call centre at work: carries the engine's decisions out on calls.

Knows which call and which legs an action is about.  Who is served by whom, and when, is the
engine's; what one caller or one agent's phone goes through is written in `caller` and `offering`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import structlog

from acd.actions import (
    Action,
    Alarm,
    Announce,
    Connect,
    DialCallback,
    Held,
    Joined,
    Left,
    Offer,
    OfferEnded,
    Reclaim,
    Refused,
    Remind,
    TalkEnded,
    Withdraw,
)
from acd.events import CallEnded, Event, Reconfigured
from acd.floor import Floor
from acd.types import CallId, Instant, Seconds
from config.queues import Queue
from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.leg import Leg
from softswitch.pbx.acd_settings import settings_of
from softswitch.pbx.queue.callbacks import Callbacks
from softswitch.pbx.queue.history import History
from softswitch.pbx.queue.holds import Holds
from softswitch.pbx.queue.keeper import Keeper
from softswitch.pbx.queue.offering import Offering
from softswitch.pbx.queue.reports import report
from softswitch.pbx.queue.returning import Returning
from softswitch.pbx.queue.roster import Roster
from softswitch.pbx.queue.watch import Watch
from softswitch.store.engine_log import EngineLog

if TYPE_CHECKING:
    from softswitch.pbx.queue.caller import Caller
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("queue")

SKEW: Seconds = 1.0
"""How much the engine's clock may differ from the wall's before somebody has set the latter."""


class Centre:
    """All queues and agents of one switch."""

    def __init__(
        self, switch: Switch, journal: EngineLog, wall: Callable[[], float] = time.time
    ) -> None:
        """`wall` tells epoch seconds."""
        self.switch, self._wall = switch, wall
        history = History(switch.store.statistics, switch.settings.switch.zone)
        self.keeper = Keeper(journal, history, switch.alarms, switch.spawn, wall)
        self.callers: dict[CallId, Caller] = {}
        """Those who wait with somebody on the line."""
        self.roster = Roster(self)
        self.offering = Offering(self)
        self.callbacks = Callbacks(self)
        self.holds = Holds(self)
        self.returning = Returning(self)
        self._calls: dict[str, CallId] = {}
        """Which call of the engine the caller's leg is, by leg."""
        self._arrivals: WeakKeyDictionary[Call, Instant] = WeakKeyDictionary()

    def start(self) -> None:
        """Take up where the last run ended.  Raises StoreError for a damaged journal."""
        switch = self.switch
        self.keeper.perform = self._perform
        settings = settings_of(switch.settings)
        self.keeper.restore(settings)
        self.returning.begin()
        self.keeper.start(settings)
        switch.watchers.append(self._on_leg)
        switch.continuing.on_back.append(self.returning.goes_on)
        switch.continuing.on_lost.append(self.roster.legs.lost)
        switch.on_settings.append(self._on_settings)
        self.roster.start()
        self.spawn(Watch(self).keep())

    def resume(self) -> None:
        """Look for those who waited when the last run ended: now we can be heard."""
        self.returning.resume()

    def close(self) -> None:
        """The switch stops; what is going on is as it was when it starts again."""
        self.keeper.close()

    # -- telling the engine ------------------------------------------------------------

    @property
    def floor(self) -> Floor:
        """All that the engine knows, to be looked at only."""
        return self.keeper.engine.floor

    def tell(self, event: Event) -> list[Action]:
        """A fact for the engine; what it decided is carried out when this returns."""
        return self.keeper.tell(event)

    def settings(self, queue: str) -> Queue:
        return self.switch.settings.queues[queue]

    def title(self, queue: str) -> str:
        """The queue's name as agents see it."""
        return self.settings(queue).name or queue

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self.switch.spawn(coroutine)

    # -- callers -----------------------------------------------------------------------

    def arrived(self, call: Call) -> Instant:
        """When the call came to the switch: its rank in every queue, for its whole life."""
        arrival = self._arrivals.get(call)
        if arrival is None:
            began, skew = call.leg.times.began, self.keeper.clock() - self._wall()
            # Nearly always the two clocks agree, and the loop's own is too coarse for an order.
            arrival = self._arrivals[call] = began if abs(skew) < SKEW else began + skew
        return arrival

    def came(self, call: Call, arrival: Instant) -> None:
        """`call` goes on for one who came at that moment."""
        self._arrivals[call] = arrival

    def enter(self, caller: Caller) -> None:
        """`caller` is about to wait."""
        self.callers[caller.id] = caller
        self.follow(caller.call.leg, caller.id)

    def follow(self, leg: Leg, call: CallId) -> None:
        """`leg` is the one on which the engine's `call` is: with its end, that ends."""
        self._calls[leg.id] = call

    def waits(self, leg: Leg) -> bool:
        """Whether `leg` is on the line and waits: another party may be put in its place."""
        caller = self.callers.get(self._calls.get(leg.id, ""))
        return caller is not None and caller.call.leg is leg and caller.hearing.has_begun

    def leave(self, caller: Caller) -> None:
        """`caller` waits no longer; one who still stands in line has gone."""
        if self.callers.get(caller.id) is caller:
            del self.callers[caller.id]
        self.returning.forget(caller.id)
        call = self.floor.calls.get(caller.id)
        if call is not None and call.live:
            self.tell(CallEnded(caller.id))
        elif call is not None:  # he will be called back: this leg's end means nothing any more
            self._calls.pop(caller.call.leg.id, None)

    def _on_leg(self, leg: Leg) -> None:
        self.roster.legs.on_leg(leg)
        if leg.ended and (call := self._calls.pop(leg.id, None)) is not None:
            self._caller_left(leg, call)

    def _caller_left(self, leg: Leg, call: CallId) -> None:
        """The caller's leg is over, unless he was handed on while he waited."""
        caller = self.callers.get(call)
        if caller is not None and caller.call.leg is not leg and not caller.call.leg.ended:
            self._calls[caller.call.leg.id] = call
            caller.take_leg()
        elif call in self.floor.calls or call in self.floor.talking:
            self.tell(CallEnded(call))

    # -- what the engine wants ---------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case Offer():
                self.offering.offer(action)
            case Withdraw(offer, _, elsewhere):
                self.offering.withdraw(offer, elsewhere=elsewhere)
            case Connect():
                self.offering.connect(action)
            case DialCallback():
                self.callbacks.dial(action)
            case Alarm(rule, detail, trace):
                self.switch.alarms.raise_(f"queue-{rule}", f"the queue engine: {rule}: {detail}")
                log.error("invariant violated", rule=rule, detail=detail, trace=trace)
            case Refused(event, reason):
                log.debug("refused", told=event, reason=reason)
            case _:
                self._inform(action)
                report(self.switch.tell, action)

    def _inform(self, action: Action) -> None:
        """Tell those who carry it on."""
        if isinstance(action, Left):
            self.callbacks.left(action)
        match action:
            case Remind():
                self.holds.remind(action)
            case Reclaim():
                self.holds.reclaim(action)
            case TalkEnded() | Held(on=False):
                self.holds.over(action)
            case _:
                pass
        if isinstance(action, Joined | Left | Announce | OfferEnded):
            caller = self.callers.get(action.call)
            if caller is not None:
                caller.hear_of(action)

    # -- settings ----------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        wanted = settings_of(settings)
        if wanted != self.floor.settings:
            self.tell(Reconfigured(wanted))
        self.roster.on_settings()
