"""The office at work: what is set, who is registered, which calls go on.

Every feature is given it and asks it for phones, music, records and the rest.  Holds state
and look-ups only: what happens in a call is written in the features.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from config.extensions import Extension
from config.settings import Settings
from media.tones import tone_country
from softswitch.calls.call import Call, Script
from softswitch.calls.causes import CONGESTED, SHUT_DOWN, Cause
from softswitch.calls.dial import Place
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.calls.switchboard import Headers, Switchboard
from softswitch.pbx.alarms import Alarm, Alarms
from softswitch.pbx.continuing import Continuing
from softswitch.pbx.distribution import give_out
from softswitch.pbx.errands import Errands
from softswitch.pbx.locations import Locations
from softswitch.pbx.mailroom import Mailroom
from softswitch.pbx.parking import Parking
from softswitch.pbx.peers import profile
from softswitch.pbx.plan import Plan
from softswitch.pbx.recording import Recordings
from softswitch.pbx.rooms import Rooms
from softswitch.pbx.sounds import Sounds
from softswitch.pbx.targets import Features
from softswitch.pbx.wishes import Wishes, wishes_of
from softswitch.sip.types import Seconds
from softswitch.sip.uri import SipUri
from softswitch.store.store import Store

if TYPE_CHECKING:
    from media.client import Player
    from softswitch.pbx.lookups import Lookups
    from softswitch.pbx.queue.centre import Centre
    from softswitch.pbx.recalls import Recalls
    from softswitch.pbx.subscriptions import Subscriptions
    from softswitch.pbx.trunks import Trunks

log = structlog.get_logger("switch")

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
Tell = Callable[[str, Mapping[str, Any]], None]


class Switch:
    """One switch.  Lives on one event loop; nothing here is for other threads.

    `trunks`, `recalls`, `lookups`, `subscriptions` and `centre` are given to it by whoever
    builds them.
    """

    trunks: Trunks
    recalls: Recalls
    lookups: Lookups
    subscriptions: Subscriptions
    centre: Centre

    def __init__(
        self,
        settings: Settings,
        board: Switchboard,
        store: Store,
        locations: Locations,
        features: Features,
        spawn: Spawn,
    ) -> None:
        self.board, self.store, self.locations = board, store, locations
        self.features, self.spawn = features, spawn
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, dict[Leg, None]] = {}
        """Legs that are not over, by the extension whose phone they lead to, the oldest first."""
        self.draining = False
        self.quiet = asyncio.Event()
        """Set while no call goes on."""
        self.quiet.set()
        self.watchers: list[Callable[[Leg], None]] = []
        """Told whenever a leg of an extension rings, is answered, held or over."""
        self.on_handed_on: list[Callable[[Leg], None]] = []
        """Told of the leg of each party that transferred another one."""
        self.on_settings: list[Callable[[Settings], None]] = []
        """Told of new settings at a reload, once plan and sounds are made of them."""
        self.on_event: Tell = _nobody
        """Hears what happens, for those who watch the switch from outside."""
        self.alarms = Alarms(self._on_alarm)
        self.parking = Parking()
        self.mailroom = Mailroom(store.voicemail, store.state)
        self.recordings, self.rooms = Recordings(self), Rooms(self)
        self.errands, self.continuing = Errands(self), Continuing(self)
        self.mailroom.on_message.append(partial(give_out, self))
        board.on_leg = self._on_leg
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """Use these settings from now on; calls in progress keep what they were given."""
        self.settings = settings
        self.plan = Plan(settings)
        self.sounds = Sounds(settings, self.board.media)
        self.board.country = tone_country(settings.switch.country)
        for listener in self.on_settings:
            listener(settings)

    def tell(self, kind: str, **data: Any) -> None:
        """An event for the outside: `queue.joined`, `agent.paused`, …; `data` as JSON knows it."""
        self.on_event(kind, data)

    def _on_alarm(self, alarm: Alarm, stands: bool) -> None:
        self.tell("alarm.raised" if stands else "alarm.cleared", **alarm._asdict())

    # -- calls -----------------------------------------------------------------------

    def begin(self, leg: Leg, script: Script, *, urgent: bool = False, **facts: Any) -> Call:
        """A call for `leg`, carried by `script` in a task of its own.

        Raises Refused where the switch is about to stop, or full (an `urgent` call, to an
        emergency number, fits all the same).  When this returns, the call's record is safe.
        """
        if self.draining and not urgent:
            raise Refused(SHUT_DOWN)
        if self.is_full and not urgent:
            raise Refused(CONGESTED, "as many calls, legs or ports as there may be")
        record = self.store.records.begin(leg.id, urgent=urgent, **facts)
        call = Call(leg, record, call_id=leg.id)
        call.dialled, call.urgent = facts.get("dialled", ""), urgent
        record.leg(leg.id, **leg.facts())
        self.calls[call.id] = call
        self.quiet.clear()
        call.task = self.spawn(self._carry(call, script))
        return call

    @property
    def is_full(self) -> bool:
        """Whether `[limits]`, or the ports for sound, leave no room for one more call (P34)."""
        limits = self.settings.limits
        if len(self.calls) >= limits.calls or not self.free_ports:
            return True
        return limits.legs is not None and self.leg_count >= limits.legs

    @property
    def free_ports(self) -> int:
        """Legs for which there still are ports; none while no media engine runs."""
        used, ports = self.board.media.usage
        return max(ports - used, 0)

    @property
    def leg_count(self) -> int:
        """Legs of all calls in progress."""
        return sum(len(call.legs) for call in self.calls.values())

    async def _carry(self, call: Call, script: Script) -> None:
        length = self.settings.limits.call_length
        timer = None
        if length is not None:
            timer = asyncio.get_running_loop().call_later(length, call.end)
        try:
            await call.run(script)
        finally:
            if timer is not None:
                timer.cancel()
            del self.calls[call.id]
            if not self.calls:
                self.quiet.set()

    async def drain(self, patience: Seconds) -> None:
        """Take no new calls, wait for those in progress, then end them with their records."""
        self.draining = True
        try:
            async with asyncio.timeout(patience):
                await self.quiet.wait()
        except TimeoutError:
            self.end_all(SHUT_DOWN)
            await self.quiet.wait()

    def end_all(self, cause: Cause) -> None:
        for call in list(self.calls.values()):
            call.end(cause)

    # -- people ----------------------------------------------------------------------

    def wishes(self, number: str) -> Wishes:
        """What the extension set for itself."""
        person = self.settings.extensions.get(number)
        return wishes_of(number, person, self.store.state) if person else Wishes()

    def registered(self, number: str) -> bool:
        return bool(self.locations.of(number))

    def busy(self, number: str) -> bool:
        """Whether one of its phones is in a call, ringing included."""
        return bool(self.legs.get(number))

    def may_ring(self, number: str, person: Extension) -> bool:
        """Whether one more call may come in."""
        legs = len(self.legs.get(number, ()))
        return legs == 0 or (person.second_call == "ring" and legs < person.max_calls)

    def phones(
        self, number: str, caller: Leg | None, *, shown: Party | None = None, headers: Headers = ()
    ) -> list[Place]:
        """Every phone that is registered for the extension, ready to be called for `caller`.

        `shown` is displayed as the caller instead of himself; where we call for nobody,
        it must be given.
        """
        person = self.settings.extensions[number]
        manner = profile(person.codecs, person.dtmf, person.srtp, self.settings.media)
        party = Party(number, person.name)
        return self.locations.places(
            number,
            party,
            manner,
            caller,
            self.board,
            shown=shown or (caller.party if caller is not None else ANONYMOUS),
            headers=(*headers, *self._referred_by(caller)),
        )

    def _referred_by(self, caller: Leg | None) -> Headers:
        """Who transferred the caller, if somebody did (RFC 3892)."""
        call = caller.call if caller is not None else None
        if call is None or not call.diversions or call.diversions[-1][1] != "transfer":
            return ()
        by = SipUri("sip", call.diversions[-1][0], self.settings.switch.domain)
        return (("Referred-By", f"<{by}>"),)

    def handed_on(self, leg: Leg) -> None:
        """Whoever `leg` is has handed his party on, and is about to be let go."""
        for listener in self.on_handed_on:
            listener(leg)

    # -- sound -----------------------------------------------------------------------

    def music(self, holder: Leg) -> Player:
        """What those hear who wait for `holder`."""
        person = self.settings.extensions.get(holder.owner or "")
        return self.sounds.music(person.music if person else None)

    # -- watching --------------------------------------------------------------------

    def _on_leg(self, leg: Leg) -> None:
        if leg.owner is not None:
            legs = self.legs.setdefault(leg.owner, {})
            if leg.ended:
                legs.pop(leg, None)
            else:
                legs[leg] = None
            if not legs:
                del self.legs[leg.owner]
        for watcher in self.watchers:
            watcher(leg)


def _nobody(kind: str, data: Mapping[str, Any]) -> None:
    """Until somebody watches."""
