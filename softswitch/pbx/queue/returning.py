"""Callers who waited when the switch ended: their phones may still be on the line.

Who waits and is answered is written down with his dialog.  After a restart each is called inside
it (re-INVITE): who is there waits on in his place; who is not is called back in it, where that
may be.  Meanwhile agents may be chosen for them, but ring only once the caller is there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from acd.call import Call as Waiting
from acd.call import Phase
from acd.events import (
    AgentLegsCounted,
    CallbackFailed,
    CallbackRequested,
    CallEnded,
    OfferFailed,
)
from acd.types import CallId, OfferOutcome, Seconds
from softswitch.calls.call import Call
from softswitch.calls.causes import CANCELLED, UNREACHABLE
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.calls.profile import Profile
from softswitch.pbx.peers import profile
from softswitch.pbx.queue.caller import Caller
from softswitch.sip import events as sip
from softswitch.sip.resumed import written
from softswitch.sip.types import SwitchError
from softswitch.store.errors import JournalFullError

if TYPE_CHECKING:
    from softswitch.pbx.queue.centre import Centre

log = structlog.get_logger("queue")

SPACE = "waiting"
"""Where the store remembers dialogs of those who wait, by call."""
PATIENCE: Seconds = 6.0
"""How long a phone may take to answer after the restart."""


class Returning:
    """Takes up what the last run left."""

    def __init__(self, centre: Centre) -> None:
        self._centre, self._switch = centre, centre.switch
        self._awaited: dict[CallId, asyncio.Event] = {}

    # -- before the restart ------------------------------------------------------------

    def remember(self, caller: Caller) -> None:
        """`caller` is on the line and waits."""
        call, leg = caller.call, caller.call.leg
        session = written(leg.session)
        if session is None:
            return
        facts = {
            "session": session,
            "address": leg.sound.address,
            "owner": leg.owner,
            "trunk": self._trunk_of(leg),
            "party": leg.party,
            "began": leg.times.began,
            "dialled": call.dialled,
            "line": call.line,
            "language": call.language,
            "fields": call.fields,
            "tags": call.tags,
        }
        with suppress(JournalFullError):  # then he is called back after a crash
            self._switch.store.state.set(SPACE, caller.id, facts)

    def forget(self, call: CallId) -> None:
        """Waits no more."""
        with suppress(JournalFullError):  # at the start, who waits no more is forgotten anyway
            self._switch.store.state.remove(SPACE, call)

    def _trunk_of(self, leg: Leg) -> str | None:
        if leg.owner is not None:
            return None
        return next((c.name for c in self._switch.trunks if leg in c.inbound), None)

    # -- at the start ------------------------------------------------------------------

    def begin(self) -> None:
        """Look at what the engine remembers.  No leg has survived; nobody is rung yet."""
        floor, tell = self._centre.floor, self._centre.tell
        for call in floor.calls.values():
            if call.live:
                self._awaited[call.id] = asyncio.Event()
        for offer in list(floor.offers):
            tell(OfferFailed(offer, OfferOutcome.WITHDRAWN))
        for agent in list(floor.agents.values()):
            if agent.talks or agent.legs:
                tell(AgentLegsCounted(agent.name, ()))
        for call in list(floor.calls.values()):
            if call.phase is Phase.DIALLING and call.callback is not None:
                tell(CallbackFailed(call.id, call.callback.attempt))

    def resume(self) -> None:
        """Call those who waited, in order; to be done once we can be heard."""
        floor = self._centre.floor
        waited = [call for name in self._awaited if (call := floor.calls.get(name)) is not None]
        for call in sorted(waited, key=lambda call: min(e.row[:2] for e in call.entries.values())):
            self._switch.spawn(self._take_up(call))
        kept = self._switch.store.state.space(SPACE)
        for stale in [name for name in kept if name not in self._awaited]:
            self.forget(stale)

    def awaited(self, call: CallId) -> asyncio.Event | None:
        """Set once it is known whether this caller is still there; None for all others."""
        return self._awaited.get(call)

    def is_back(self, call: CallId) -> None:
        if (event := self._awaited.pop(call, None)) is not None:
            event.set()

    # -- one of them -------------------------------------------------------------------

    async def _take_up(self, waiting: Waiting) -> None:
        facts = self._switch.store.state.get(SPACE, waiting.id)
        leg = await self._found(facts) if facts is not None else None
        if leg is None or not self._begin(leg, waiting, facts):
            self._lost(waiting)

    async def _found(self, facts: dict[str, Any]) -> Leg | None:
        """The leg, if the phone is still in the dialog."""
        try:
            leg = self._switch.board.resume(
                facts["session"], facts["address"], self._profile(facts), Party(*facts["party"])
            )
        except (SwitchError, KeyError, TypeError, ValueError) as fault:
            log.warning("a caller cannot be taken up", why=str(fault))
            return None
        leg.owner, leg.times.began = facts["owner"], facts["began"]
        if await _answers(leg):
            return leg
        leg.hang_up(UNREACHABLE)
        return None

    def _profile(self, facts: dict[str, Any]) -> Profile:
        settings = self._switch.settings
        if facts["owner"] is not None:
            person = settings.extensions[facts["owner"]]
            return profile(person.codecs, person.dtmf, person.srtp, settings.media)
        carrier = self._switch.trunks.get(facts["trunk"] or "")
        if carrier is None:
            raise KeyError(f"trunk {facts['trunk']} is gone")
        return carrier.profile

    def _begin(self, leg: Leg, waiting: Waiting, facts: dict[str, Any]) -> bool:
        queue = next(iter(waiting.entries), None)
        if queue is None:
            leg.hang_up(CANCELLED)
            return False
        told: dict[str, Any] = {
            "caller": leg.party.number,
            "caller_name": leg.party.name,
            "dialled": facts["dialled"],
            "direction": "internal" if leg.owner is not None else "inbound",
            "line": facts["line"],
        }
        try:
            call = self._switch.begin(leg, partial(self._wait, waiting.id, queue), **told)
        except (Refused, JournalFullError):
            leg.hang_up(CANCELLED)
            return False
        call.line, call.language = facts["line"], facts["language"]
        call.fields, call.tags = dict(facts["fields"]), tuple(facts["tags"])
        call.record.event("resumed", call=waiting.id)
        if (carrier := self._switch.trunks.get(facts["trunk"] or "")) is not None:
            carrier.take(leg, call)
        return True

    async def _wait(self, known_as: CallId, queue: str, call: Call) -> None:
        await Caller(self._centre, call, queue, known_as=known_as).resume(None, None)

    def _lost(self, waiting: Waiting) -> None:
        """His phone is gone: call it back in his place, or count him as one who gave up."""
        known = self._switch.store.state.get(SPACE, waiting.id)
        self.forget(waiting.id)
        number = _number_of(waiting, known)
        queue = next(iter(waiting.entries), "")
        callbacks = self._centre.callbacks
        if number and queue and callbacks.may_call(queue, number):
            callbacks.promises.keep(waiting.id, known or {})
            self._centre.tell(CallbackRequested(waiting.id, number))
        known_call = self._centre.floor.calls.get(waiting.id)
        if known_call is not None and known_call.live:
            self._centre.tell(CallEnded(waiting.id))
        self.is_back(waiting.id)


def _number_of(waiting: Waiting, kept: dict[str, Any] | None) -> str:
    """Where the customer can be called."""
    if waiting.callback is not None:
        return waiting.callback.number
    number = kept["party"][0] if kept else waiting.customer
    return "" if number == ANONYMOUS.number else number


async def _answers(leg: Leg) -> bool:
    """Ask the phone by a re-INVITE whether it is there; its sound flows again if it is."""
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def hear(event: sip.Event) -> None:
        leg.on_sip(event)
        if not told.done() and isinstance(event, sip.OfferAnswered | sip.OfferRefused | sip.Ended):
            told.set_result(isinstance(event, sip.OfferAnswered) and not leg.ended)

    leg.session.on_event = hear
    try:
        leg.session.offer(leg.sound.offer())
        async with asyncio.timeout(PATIENCE):
            return await told
    except (TimeoutError, Refused):  # or there is no port for his sound
        return False
