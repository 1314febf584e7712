"""The office: the switch of pbx with every feature that needs more than a call to begin.

Here features meet the hooks by which requests, phones and settings reach them.
"""

from __future__ import annotations

import asyncio

from config.settings import Settings
from media.client import Media
from softswitch.app.signalling import Signalling
from softswitch.calls.switchboard import Switchboard
from softswitch.pbx.features import FEATURES
from softswitch.pbx.gatekeeper import Gatekeeper
from softswitch.pbx.locations import Locations
from softswitch.pbx.lookups import Lookups
from softswitch.pbx.queue.centre import Centre
from softswitch.pbx.reachability import serve_requests
from softswitch.pbx.recalls import Recalls
from softswitch.pbx.reception import Reception
from softswitch.pbx.registration import register
from softswitch.pbx.requests import Requests
from softswitch.pbx.switch import Spawn, Switch
from softswitch.pbx.trunks import Trunks
from softswitch.sip.message import Request, reply
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Destination, Flow
from softswitch.store.engine_log import EngineLog
from softswitch.store.store import Store

EXPIRY = 1.0
"""Seconds between looks at expired bindings, which last a minute at least."""


class Office:
    """Built on signalling, media and store; serves as soon as there are listeners."""

    def __init__(
        self,
        settings: Settings,
        signalling: Signalling,
        media: Media,
        store: Store,
        queue_log: EngineLog,
        spawn: Spawn,
    ) -> None:
        self._clock = clock = asyncio.get_running_loop().time
        self._ua, self._spawn = signalling.ua, spawn
        ua = signalling.ua
        domain = settings.switch.domain
        self.board = Switchboard(ua, media, signalling.outlook.sound, domain)
        self.locations = Locations(signalling.registrar, store.registrations, clock)
        self.switch = Switch(settings, self.board, store, self.locations, FEATURES, spawn)
        self.trunks = self.switch.trunks = Trunks(self.switch, signalling.resolver.resolve)
        self.switch.recalls = Recalls(self.switch)
        self.centre = self.switch.centre = Centre(self.switch, queue_log)
        self.switch.lookups = Lookups(self.switch)
        self.gatekeeper = Gatekeeper(signalling.challenger, signalling.guard.failed, self.trunks.of)
        self.gatekeeper.apply(settings)
        self.switch.on_settings.append(self.gatekeeper.apply)
        self.switch.on_settings.append(signalling.apply)
        reception = Reception(self.switch, self.gatekeeper)
        ua.on_invite = lambda session: reception.on_invite(session, clock())
        self.requests = Requests(ua)
        self.requests.serve("REGISTER", self._register)
        self.requests.serve("OPTIONS", self._options)
        serve_requests(self.switch, self.gatekeeper, self.requests)
        ua.on_request = self.requests.receive
        signalling.driver.on_failed = self._on_failed

    def start(self) -> int:
        """Take back the bindings of before the restart, how many that are; begin services."""
        restored = self.locations.restore()
        self.centre.start()
        self._expire()
        self.trunks.start()
        for service in self.switch.features.services:
            self._spawn(service(self.switch))
        return restored

    def resume(self) -> None:
        """To be called once we can be heard: look for those who waited or talked before."""
        self.centre.resume()
        self.switch.continuing.resume()

    async def stop(self) -> None:
        """Give our own registrations back; queues go on from here at the next start."""
        self._expiry.cancel()
        self.centre.close()
        await self.trunks.stop()
        await self.switch.lookups.close()

    def _register(self, tx: ServerTransaction, request: Request) -> None:
        capacity = self.switch.settings.limits.registrations
        register(self._ua, self.gatekeeper, self.locations, capacity, tx, request, self._clock())

    def _options(self, tx: ServerTransaction, request: Request) -> None:
        """A peer that pings us is told when not to send calls any more."""
        if self.switch.draining:
            retry = [("Retry-After", str(self.switch.settings.limits.retry_after))]
            ua = self._ua
            ua.respond(tx, reply(request, 503, to_tag=ua.new_tag(), headers=retry))
        else:
            self.requests.options(tx, request)

    def _on_failed(self, destination: Destination) -> None:
        """A connection is gone; bindings that lived by it may end (RFC 5626 §5.3)."""
        if isinstance(destination, Flow):
            self.locations.forget_flow(destination)

    def _expire(self) -> None:
        self.locations.expire()
        self._expiry = asyncio.get_running_loop().call_later(EXPIRY, self._expire)
