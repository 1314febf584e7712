"""The call centre at work: carries the engine's decisions out on calls.

Knows which call and which legs an action is about.  Who is served by whom, and when, is the
engine's; what one caller or one agent's phone goes through is written in `caller` and `ringing`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from acd.actions import (
    Action,
    AgentChanged,
    Alarm,
    Announce,
    Connect,
    DialCallback,
    Joined,
    Left,
    Offer,
    OfferEnded,
    Refused,
    Withdraw,
)
from acd.events import CallEnded, Event, OfferAnswered, OfferFailed, Reconfigured
from acd.types import CallId, OfferId, OfferOutcome, Seconds
from config.queues import Queue
from config.settings import Settings
from softswitch.calls.dial import Place
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.acd_settings import settings_of
from softswitch.pbx.queue.announcements import whisper
from softswitch.pbx.queue.history import History
from softswitch.pbx.queue.keeper import Keeper
from softswitch.pbx.queue.ringing import OfferedLeg
from softswitch.pbx.queue.roster import Roster
from softswitch.pbx.voice import Voice
from softswitch.store.engine_log import EngineLog

if TYPE_CHECKING:
    from softswitch.pbx.queue.caller import Caller
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("queue")

CONFIRM = "1"
CONFIRM_TIME: Seconds = 8.0
"""How long an agent at an outside number has to press the key, each time he is asked."""


class Centre:
    """All queues and agents of one switch."""

    def __init__(self, switch: Switch, journal: EngineLog) -> None:
        self.switch = switch
        history = History(switch.store.statistics, switch.settings.switch.zone)
        self.keeper = Keeper(journal, history, switch.alarms)
        self.callers: dict[CallId, Caller] = {}
        """Those who wait with somebody on the line."""
        self.offers: dict[OfferId, OfferedLeg] = {}
        self.roster = Roster(self)
        self._calls: dict[str, CallId] = {}
        """Which call of the engine the caller's leg is, by leg."""

    def start(self) -> None:
        """Take up where the last run ended.  Raises StoreError for a damaged journal."""
        switch = self.switch
        self.keeper.perform = self._perform
        self.keeper.restore(settings_of(switch.settings))
        switch.centre = self
        switch.watchers.append(self._on_leg)
        switch.on_settings.append(self._on_settings)
        self.roster.start()

    def close(self) -> None:
        """The switch stops; what is going on is as it was when it starts again."""
        self.keeper.close()

    # -- telling the engine ------------------------------------------------------------

    def tell(self, event: Event) -> list[Action]:
        """A fact for the engine; what it decided is carried out when this returns."""
        return self.keeper.tell(event)

    def settings(self, queue: str) -> Queue:
        return self.switch.settings.queues[queue]

    def title(self, queue: str) -> str:
        """The queue's name as agents see it."""
        return self.settings(queue).name or queue

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.switch.spawn(coroutine)

    # -- callers -----------------------------------------------------------------------

    def enter(self, caller: Caller) -> None:
        """`caller` is about to wait."""
        self.callers[caller.id] = caller
        self._calls[caller.call.leg.id] = caller.id

    def leave(self, caller: Caller) -> None:
        """`caller` waits no longer; one who still stands in line has gone."""
        if self.callers.get(caller.id) is caller:
            del self.callers[caller.id]
        if caller.id in self.keeper.engine.floor.calls:
            self.tell(CallEnded(caller.id))

    def _on_leg(self, leg: Leg) -> None:
        self.roster.on_leg(leg)
        if leg.ended and (call := self._calls.pop(leg.id, None)) is not None:
            self._caller_left(leg, call)

    def _caller_left(self, leg: Leg, call: CallId) -> None:
        """The caller's leg is over, unless he was handed on while he waited."""
        caller = self.callers.get(call)
        if caller is not None and caller.call.leg is not leg and not caller.call.leg.ended:
            self._calls[caller.call.leg.id] = call
            caller.take_leg()
        else:
            self.tell(CallEnded(call))

    # -- what the engine wants ---------------------------------------------------------

    def _perform(self, action: Action) -> None:  # noqa: C901 - one case an action
        match action:
            case Offer():
                self._offer(action)
            case Withdraw(offer, _, elsewhere):
                if (offered := self.offers.pop(offer, None)) is not None:
                    offered.withdraw(elsewhere=elsewhere)
            case Connect(offer):
                self.offers[offer].connect.set_result(action)
            case Joined(call) | Left(call) | Announce(call):
                if (caller := self.callers.get(call)) is not None:
                    caller.hear_of(action)
            case DialCallback():
                log.error("no callbacks yet")
            case AgentChanged() | OfferEnded():
                self._report(action)
            case Alarm(rule, detail, trace):
                self.switch.alarms.raise_(f"queue-{rule}", f"the queue engine: {rule}: {detail}")
                log.error("invariant violated", rule=rule, detail=detail, trace=trace)
            case Refused(event, reason):
                log.debug("refused", told=event, reason=reason)
            case _:  # reports that only statistics use
                pass

    def _report(self, action: AgentChanged | OfferEnded) -> None:
        if isinstance(action, AgentChanged):
            self.switch.tell(
                "agent.changed",
                agent=action.agent,
                state=action.state.value,
                reason=action.detail or None,
                until=action.until,
            )
        elif (caller := self.callers.get(action.call)) is not None:
            caller.call.record.event(
                "offered",
                queue=action.queue,
                agent=action.agent,
                outcome=action.outcome.value,
                rang=round(action.rang, 3),
            )

    # -- offers ------------------------------------------------------------------------

    def _offer(self, offer: Offer) -> None:
        caller = self.callers.get(offer.call)
        offered = OfferedLeg(offer, None if caller is None else caller.call)
        self.offers[offer.offer] = offered
        offered.task = self.switch.spawn(self._carry(offered))

    async def _carry(self, offered: OfferedLeg) -> None:
        """Ring, ask for the key where that is wanted, and bring the two together."""
        outcome = await offered.ring(self._places(offered))
        if outcome is None:
            self._watch(offered)
            if offered.offer.confirm:
                outcome = await self._confirm(offered)
        if outcome is not None:
            self.fail(offered, outcome)
            return
        assert offered.leg is not None  # nothing failed
        self.tell(OfferAnswered(offered.offer.offer, offered.leg.id))
        connect = await offered.connect
        await self._whisper(offered, connect)
        caller = self.callers.get(connect.call)
        if caller is not None:
            caller.mail.put(offered)

    def _places(self, offered: OfferedLeg) -> Sequence[Place]:
        offer = offered.offer
        if offered.call is None or offer.phone not in self.switch.settings.extensions:
            return ()
        caller = offered.call.leg
        shown = Party(caller.party.number, f"{self.title(offer.queue)}: {caller.party.number}")
        return self.switch.phones(offer.phone, caller, shown=shown)

    def _watch(self, offered: OfferedLeg) -> None:
        """An agent who hangs up before he is joined has not taken the call."""
        assert offered.leg is not None
        offered.leg.divert()
        offered.leg.on_end = lambda _: self.fail(offered, OfferOutcome.REJECTED)
        if offered.leg.ended:
            self.fail(offered, OfferOutcome.REJECTED)

    async def _confirm(self, offered: OfferedLeg) -> OfferOutcome | None:
        """A mobile's voicemail answers but presses no key (D23)."""
        assert offered.leg is not None and offered.call is not None
        voice = Voice(self.switch, offered.call, offered.leg)
        while True:
            key = await voice.ask("agent-accept", most=1, timeout=CONFIRM_TIME)
            if key == CONFIRM:
                return None
            if key:
                return OfferOutcome.REJECTED

    async def _whisper(self, offered: OfferedLeg, connect: Connect) -> None:
        assert offered.leg is not None
        queue = self.settings(connect.queue)
        call = offered.call
        if queue.whisper is not None and call is not None:
            voice = Voice(self.switch, call, offered.leg)
            await voice.say(*whisper(voice, connect.queue, queue, connect.waited))

    def fail(self, offered: OfferedLeg, outcome: OfferOutcome) -> None:
        """Nothing came of this offer through the agent or his phone."""
        offer = offered.offer.offer
        if self.offers.pop(offer, None) is not None:
            offered.withdraw(elsewhere=False)
            self.tell(OfferFailed(offer, outcome))

    def connected(self, offered: OfferedLeg) -> Leg | None:
        """The caller takes the agent's leg; None where it is too late."""
        if self.offers.pop(offered.offer.offer, None) is None:
            return None
        leg = offered.hand_over()
        self.roster.own(leg, offered.offer.agent)
        return leg

    # -- settings ----------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        wanted = settings_of(settings)
        if wanted != self.keeper.engine.floor.settings:
            self.tell(Reconfigured(wanted))
        self.roster.sign_in_residents()
