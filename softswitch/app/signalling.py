"""Signalling whole: the user agent, what guards it, and the sockets under it."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path
from random import Random

import structlog

from config.settings import Settings
from softswitch.app.outlook import Outlook
from softswitch.app.settings import (
    guard_limits,
    registrar_limits,
    stream_limits,
    trusted,
    ua_settings,
)
from softswitch.sip.challenger import Challenger
from softswitch.sip.guard import Guard
from softswitch.sip.registrar import Registrar
from softswitch.sip.session import Session
from softswitch.sip.transaction import State
from softswitch.sip.types import Seconds
from softswitch.sip.ua import UserAgent
from softswitch.sip.uri import SipUri
from softswitch.transport.addresses import is_wildcard
from softswitch.transport.driver import Driver
from softswitch.transport.resolve import Resolver
from softswitch.transport.tls import client_context, own_certificate, server_context
from softswitch.transport.trace import Trace
from softswitch.transport.transports import Listener, Transports

log = structlog.get_logger("signalling")

UNANSWERED = frozenset({State.CALLING, State.TRYING, State.PROCEEDING})


class Signalling:
    """Everything between the network and the hooks of the user agent."""

    def __init__(self, settings: Settings, rng: Random) -> None:
        self._settings = settings
        self.listeners: list[Listener] = []
        self.ua = UserAgent(ua_settings(settings), rng, asyncio.get_running_loop().time)
        self.registrar = Registrar(registrar_limits(settings))
        self.guard = Guard(guard_limits(settings), self.registrar.knows, trusted(settings))
        self.challenger = Challenger(
            settings.switch.domain,
            self._is_ours,
            secrets.token_bytes(32),
            rng,
            lifetime=settings.sip.nonce_life,
        )
        self.trace = Trace()
        self.driver = Driver(self.ua, self.guard.admit, self.trace)
        tls = settings.sip.tls
        self.transports = Transports(
            self.driver,
            limits=stream_limits(settings),
            client_tls=client_context(tls.authorities, verify=tls.verify),
        )
        self.driver.wires = self.transports
        self.ua.output.on_first = self.driver.wake
        self.resolver = Resolver([(name.host, name.port) for name in settings.sip.dns])
        self.outlook = Outlook(settings, self.transports)
        self.ua.advertise = self.outlook.signalling
        self.ua.on_crash = _on_crash

    async def listen(self) -> None:
        """Open every listener of the settings.  Raises ListenError."""
        wanted = [Listener(*listen) for listen in self._settings.sip.listen]
        secure = any(listener.transport in ("tls", "wss") for listener in wanted)
        context = server_context(*self._certificate()) if secure else None
        self.listeners = await self.transports.listen(wanted, context)

    def apply(self, settings: Settings) -> None:
        """Use what of new settings can be used without a restart."""
        self._settings = settings
        self.registrar.limits = registrar_limits(settings)
        self.challenger.lifetime = settings.sip.nonce_life
        self.guard.apply(guard_limits(settings), trusted(settings))
        self.outlook.apply(settings)

    async def settled(self, patience: Seconds) -> None:
        """Wait until every request of ours is answered: the BYEs of the last calls above all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._waits():  # noqa: ASYNC110 - the stack signals nobody
                    await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Send what is left to say, and give the sockets back."""
        self.driver.flush()
        self.driver.close()
        await self.transports.close()

    def _waits(self) -> bool:
        clients = self.ua.transactions.clients.values()
        return any(client.state in UNANSWERED for client in clients)

    def _certificate(self) -> tuple[Path, Path | None]:
        tls = self._settings.sip.tls
        if tls.certificate is not None:
            return tls.certificate, tls.key
        hosts = [listen.host for listen in self._settings.sip.listen]
        return own_certificate(
            self._settings.switch.data / "tls", [self._settings.switch.domain, *hosts]
        )

    def _is_ours(self, uri: SipUri) -> bool:
        """Whether a digest's URI names this switch: its domain, or an address of its own.

        A port may be wrong only by its absence: pyVoIP leaves it away, wherever we listen.
        """
        if uri.host.lower() == self._settings.switch.domain.lower():
            return True
        host = uri.host.strip("[]")
        if host == self._settings.sip.external:
            return True
        hosts = {each.host for each in self.listeners if uri.port in (None, each.port)}
        return host in hosts or any(map(is_wildcard, hosts))


def _on_crash(error: Exception, session: Session | None) -> None:
    call_id = session.call_id if session is not None else None
    log.error("call crashed", sip_call_id=call_id, exc_info=error)
