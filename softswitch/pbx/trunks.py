"""Trunks: the ways to the outside world, who comes in by them, how they fare (P27, P29, P38).

Owns the carriers and the tasks that look after them.  Names are resolved at start and then
at intervals, so that no call ever waits for DNS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.leg import Leg
from softswitch.pbx import pings
from softswitch.pbx.balance import Balance
from softswitch.pbx.carrier import Carrier, literal
from softswitch.pbx.classes import Payer, destination_of
from softswitch.pbx.peers import Line
from softswitch.pbx.registering import Registration
from softswitch.pbx.sources import Sources
from softswitch.sip.types import Address, Flow, Seconds, Target
from softswitch.sip.uri import SipUri

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

Resolve: TypeAlias = Callable[[SipUri], Awaitable[list[Target]]]
"""Finds the addresses of a URI (RFC 3263), the first to be tried first."""


RESOLVE_AGAIN: Seconds = 60.0
RESOLVE_SOON: Seconds = 5.0
"""While a name has no address."""


class Outgoing(NamedTuple):
    """A leg that goes out, as the limits of classes count it."""

    payer: Payer
    destination: str | None


class Trunks:
    """All trunks of the settings, at work."""

    def __init__(self, switch: Switch, resolve: Resolve) -> None:
        self._switch, self._resolve = switch, resolve
        self._carriers: dict[str, Carrier] = {}
        self._registrations: dict[str, Registration] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._doubts: dict[str, asyncio.Event] = {}
        self._sources = Sources()
        self._outgoing: dict[Leg, Outgoing] = {}
        self.balance = Balance()
        self.on_free: list[Callable[[Carrier], None]] = []
        """Told of a trunk one of whose channels has become free."""
        self.started = False
        switch.watchers.append(self._on_leg)
        switch.on_settings.append(self.apply)
        self.apply(switch.settings)

    # -- life ------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to resolve, ping and register."""
        self.started = True
        for name in self._carriers:
            self._look_after(name)

    async def stop(self) -> None:
        """Give our registrations back."""
        self.started = False
        for name in list(self._tasks):
            self._abandon(name)
        farewells = [registration.give_back() for registration in self._registrations.values()]
        await asyncio.gather(*farewells)

    def apply(self, settings: Settings) -> None:
        """Use these trunks from now on; one that did not change goes on as it is."""
        for name in self._carriers.keys() - settings.trunks.keys():
            registration = self._registrations.get(name)
            self._abandon(name)
            del self._carriers[name]
            if registration is not None and self.started:
                self._switch.spawn(registration.give_back())
        for name, trunk in settings.trunks.items():
            before = self._carriers.get(name)
            if before is not None and before.trunk == trunk:
                continue
            self._abandon(name)
            carrier = self._carriers[name] = Carrier(name, trunk, settings.media)
            if before is not None:
                carrier.inherit(before)
            if self.started:
                self._look_after(name)
        self._sources.know(self)

    # -- asking ----------------------------------------------------------------------

    def __iter__(self) -> Iterator[Carrier]:
        return iter(self._carriers.values())

    def get(self, name: str) -> Carrier | None:
        return self._carriers.get(name)

    def named(self, names: Iterable[str]) -> list[Carrier]:
        """The carriers of these names that may go out, in this order."""
        found = (self._carriers.get(name) for name in names)
        return [carrier for carrier in found if carrier is not None and carrier.goes_out]

    def of(self, flow: Flow, called: str = "") -> Line | None:
        """The trunk that a flow comes from; of several accounts the one that is `called`."""
        return self._sources.of(flow, called)

    def suspect(self, address: Address) -> None:
        """A call from `address` was asked for a password; say so where a trunk may be meant."""
        self._sources.suspect(address)

    def calls_of_class(self, name: str | None) -> int:
        """Outside calls at once of all who share a class."""
        return sum(each.payer.class_name == name for each in self._outgoing.values())

    def expensive_of(self, name: str) -> int:
        """Calls at once of one extension to expensive destinations."""
        mine = [each for each in self._outgoing.values() if each.payer.name == name]
        return sum(each.destination in each.payer.class_.expensive for each in mine)

    def seized(self, carrier: Carrier, leg: Leg, call: Call | None, payer: Payer) -> None:
        """`leg` goes out through `carrier` in the name of `payer`."""
        carrier.take(leg, call)
        if not leg.ended:
            number = destination_of(self._switch.settings, leg.party.number)
            self._outgoing[leg] = Outgoing(payer, number)

    def doubt(self, carrier: Carrier) -> None:
        """A call got no answer there: ask its servers now rather than at the next interval.

        Without effect on a trunk that is never asked, and so always believed alive.
        """
        if carrier.name in self._doubts:
            self._doubts[carrier.name].set()

    # -- inside ----------------------------------------------------------------------

    def _on_leg(self, leg: Leg) -> None:
        if not leg.ended:
            return
        self._outgoing.pop(leg, None)
        for carrier in list(self._carriers.values()):
            if carrier.release(leg):
                for listener in self.on_free:
                    listener(carrier)

    def _look_after(self, name: str) -> None:
        carrier, spawn = self._carriers[name], self._switch.spawn
        tasks = self._tasks.setdefault(name, [])
        if any(literal(uri) is None for uri in carrier.uris):
            tasks.append(spawn(self._keep_resolved(carrier)))
        if carrier.trunk.ping:
            tasks.append(spawn(self._keep_pinging(carrier)))
        if carrier.trunk.register_:
            registration = Registration(self._switch.board.ua, carrier)
            self._registrations[name] = registration
            tasks.append(spawn(registration.keep()))

    def _abandon(self, name: str) -> None:
        self._doubts.pop(name, None)
        self._switch.alarms.clear(_alarm(name))
        for task in self._tasks.pop(name, ()):
            task.cancel()
        if self.started:
            self._registrations.pop(name, None)

    async def _keep_resolved(self, carrier: Carrier) -> None:
        while True:
            found = [(uri, target) for uri in carrier.uris for target in await self._where(uri)]
            if found:  # an answer of yesterday serves better than none
                carrier.found(found)
                self._sources.know(self)
            await asyncio.sleep(RESOLVE_AGAIN if found else RESOLVE_SOON)

    async def _where(self, uri: SipUri) -> list[Target]:
        numeric = literal(uri)
        return [numeric] if numeric is not None else await self._resolve(uri)

    async def _keep_pinging(self, carrier: Carrier) -> None:
        doubt = self._doubts[carrier.name] = asyncio.Event()
        while True:
            await self._ping_all(carrier)
            doubt.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pings.interval(carrier)):
                    await doubt.wait()

    async def _ping_all(self, carrier: Carrier) -> None:
        ua = self._switch.board.ua
        await asyncio.gather(*(pings.ping(ua, carrier, server) for server in carrier.servers))
        self._report(carrier)

    def _report(self, carrier: Carrier) -> None:
        alarms, name = self._switch.alarms, _alarm(carrier.name)
        if carrier.alive:
            alarms.clear(name)
            for listener in self.on_free:
                listener(carrier)
        else:
            alarms.raise_(name, f"trunk {carrier.name} is down: {carrier.state}")


def _alarm(trunk: str) -> str:
    return f"trunk:{trunk}"
