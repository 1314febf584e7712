"""The composition root: builds every part, joins them, runs until told to stop.

The only module that knows all rooms.  Nothing is decided here but who is given what.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

import structlog
import uvloop

from config import ConfigError, Settings, load
from config.addresses import Listen
from media.client import Media
from media.settings import MediaSettings
from softswitch.calls.switchboard import Switchboard
from softswitch.logging import configure as configure_logging
from softswitch.pbx.features import FEATURES
from softswitch.pbx.gatekeeper import Gatekeeper
from softswitch.pbx.locations import Locations
from softswitch.pbx.reception import Reception
from softswitch.pbx.registration import register
from softswitch.pbx.requests import Requests
from softswitch.pbx.switch import Switch
from softswitch.pbx.trunks import Trunks
from softswitch.sip.challenger import Challenger
from softswitch.sip.guard import Guard, GuardLimits
from softswitch.sip.message import Request
from softswitch.sip.registrar import Registrar, RegistrarLimits
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.timers import Timers
from softswitch.sip.types import Destination, Flow
from softswitch.sip.ua import UserAgent
from softswitch.sip.uri import SipUri
from softswitch.store.errors import StoreError
from softswitch.store.store import Store
from softswitch.transport.addresses import source_address
from softswitch.transport.driver import Driver
from softswitch.transport.limits import Limits
from softswitch.transport.tls import client_context, own_certificate, server_context
from softswitch.transport.trace import Trace
from softswitch.transport.transports import Listener, ListenError, Transports

log = structlog.get_logger("app")

CLEAN, FAILED, MISCONFIGURED = 0, 1, 2


def run(path: Path) -> int:
    """Run the switch in the foreground; the exit code."""
    try:
        settings = load(path)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return MISCONFIGURED
    configure_logging(settings.log)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(path, settings))
    except (ListenError, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return CLEAN


async def _main(path: Path, settings: Settings) -> None:
    async with App(path, settings) as app:
        await app.serve()


class App:
    """Everything that runs in the switch's process, opened and closed in order."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._exit = AsyncExitStack()
        self._stop = asyncio.Event()
        self._rng = SystemRandom()

    async def __aenter__(self) -> App:
        try:
            await self._open()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    # -- building --------------------------------------------------------------------

    async def _open(self) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        settings.switch.data.mkdir(parents=True, exist_ok=True)
        self.store = await Store.open(
            settings.switch.data,
            _secret(settings.records.database),
            on_trouble=self._on_trouble,
        )
        self._exit.push_async_callback(self.store.close)
        for notice in self.store.opened.notices:
            log.info(notice)
        self.media = Media(media_settings(settings))
        await self.media.start()
        self._exit.push_async_callback(self.media.stop)

        self.ua = UserAgent(ua_settings(settings), self._rng, loop.time)
        self.registrar = Registrar(registrar_limits(settings))
        self.locations = Locations(self.registrar, self.store.registrations, loop.time)
        self.guard = Guard(
            guard_limits(settings),
            self.registrar.knows,
            [str(network) for network in settings.guard.trusted],
        )
        self.trace = Trace()
        await self._open_transports()
        self.tasks = await self._exit.enter_async_context(_Tasks())
        self._join()
        restored = self.locations.restore()
        if restored:
            log.info("registrations restored", bindings=restored)
        self._watch_expiry()

    async def _open_transports(self) -> None:
        settings = self._settings
        client_tls = client_context(settings.sip.tls.authorities, verify=settings.sip.tls.verify)
        self.driver = Driver(self.ua, self.guard.admit, self.trace)
        self.transports = Transports(
            self.driver, limits=stream_limits(settings), client_tls=client_tls
        )
        self.driver.wires = self.transports
        self.driver.on_failed = self._on_failed
        self._exit.callback(self.driver.close)
        self._exit.push_async_callback(self.transports.close)
        self.ua.output.on_first = self.driver.wake
        self.ua.advertise = self.transports.local
        self.ua.on_crash = self._on_crash
        tls = server_context(*self._certificate()) if _wants_tls(settings) else None
        self.listeners = await self.transports.listen(
            [Listener(*listen) for listen in settings.sip.listen], tls
        )

    def _certificate(self) -> tuple[Path, Path | None]:
        tls = self._settings.sip.tls
        if tls.certificate is not None:
            return tls.certificate, tls.key
        hosts = [listen.host for listen in self._settings.sip.listen]
        return own_certificate(
            self._settings.switch.data / "tls", [self._settings.switch.domain, *hosts]
        )

    def _join(self) -> None:
        settings, clock = self._settings, asyncio.get_running_loop().time
        self.board = Switchboard(
            self.ua, self.media, partial(media_address, settings), settings.switch.domain
        )
        self.switch = Switch(
            settings,
            self.board,
            self.store,
            self.locations,
            FEATURES,
            self.tasks.spawn,
        )
        self.trunks = Trunks(self.switch)
        challenger = Challenger(
            settings.switch.domain,
            self._is_ours,
            secrets.token_bytes(32),
            self._rng,
            lifetime=settings.sip.nonce_life,
        )
        self.gatekeeper = Gatekeeper(challenger, self.guard.failed, self.trunks.of)
        self.gatekeeper.apply(settings)
        reception = Reception(self.switch, self.gatekeeper)
        self.ua.on_invite = lambda session: reception.on_invite(session, clock())
        self.requests = Requests(self.ua)
        self.requests.serve("REGISTER", self._register)
        self.ua.on_request = self.requests.receive
        for service in FEATURES.services:
            self.tasks.spawn(service(self.switch))

    # -- running ---------------------------------------------------------------------

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT; a second one does not wait for calls to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        addresses = " ".join(str(Listen(*listener)) for listener in self.listeners)
        print(f"ready {addresses}", flush=True)
        await self._stop.wait()
        log.info("draining", calls=len(self.switch.calls))
        self._stop.clear()
        drain = loop.create_task(self.switch.drain(self._settings.switch.drain))
        again = loop.create_task(self._stop.wait())
        await asyncio.wait((drain, again), return_when=asyncio.FIRST_COMPLETED)
        again.cancel()
        if not drain.done():
            drain.cancel()
            await self.switch.drain(0)

    def _on_signal(self) -> None:
        self._stop.set()

    def _register(self, tx: Any, request: Request) -> None:
        register(
            self.ua,
            self.gatekeeper,
            self.locations,
            self._settings.limits.registrations,
            tx,
            request,
            asyncio.get_running_loop().time(),
        )

    def _watch_expiry(self) -> None:
        """Once a second is often enough for bindings that last a minute at least."""
        self.locations.expire()
        self._expiry = asyncio.get_running_loop().call_later(1.0, self._watch_expiry)

    def _is_ours(self, uri: SipUri) -> bool:
        """Whether a URI names this switch: its domain, or an address with port of its own."""
        if uri.host.lower() == self._settings.switch.domain.lower():
            return True
        host = uri.host.strip("[]")
        if host == self._settings.sip.external:
            return True
        ports = {listener.port for listener in self.listeners}
        hosts = {listener.host for listener in self.listeners}
        wild = bool(hosts & {"0.0.0.0", "::"})
        return uri.effective_port in ports and (wild or host in hosts)

    # -- what goes wrong -------------------------------------------------------------

    def _on_trouble(self, trouble: str | None) -> None:
        if trouble is None:
            log.info("the database follows again")
        else:
            log.error(trouble)

    def _on_failed(self, destination: Destination) -> None:
        """A connection is gone; bindings that lived by it may end (RFC 5626 §5.3)."""
        if isinstance(destination, Flow):
            self.locations.forget_flow(destination)

    def _on_crash(self, error: Exception, session: Session | None) -> None:
        call_id = session.call_id if session is not None else None
        log.error("call crashed", sip_call_id=call_id, exc_info=error)


class _Tasks:
    """A group for tasks that may start at any time and end on their own; owns them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> _Tasks:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task crashed", exc_info=error)


# -- from settings to what each part wants ----------------------------------------------


def media_settings(settings: Settings) -> MediaSettings:
    media = settings.media
    return MediaSettings(
        address=media.address,
        address6=media.address6,
        ports=(media.ports.low, media.ports.high),
        workers=media.workers,
        backend=media.backend.value,
        dscp=media.tos >> 2,
    )


def ua_settings(settings: Settings) -> UaSettings:
    sip = settings.sip
    return UaSettings(
        timers=Timers(sip.timers.t1, sip.timers.t2, sip.timers.t4),
        product=sip.product,
        session_expires=sip.session_expires or 0,
        min_se=sip.min_session_expires,
    )


def registrar_limits(settings: Settings) -> RegistrarLimits:
    sip = settings.sip
    return RegistrarLimits(sip.min_expires, sip.max_expires, sip.default_expires)


def guard_limits(settings: Settings) -> GuardLimits:
    guard = settings.guard
    return GuardLimits(
        slow_after=guard.slow_after,
        silence_after=guard.silence_after,
        silence=guard.silence,
        flood_rate=guard.flood_rate,
        flood_burst=guard.flood_burst,
    )


def stream_limits(settings: Settings) -> Limits:
    streams = settings.sip.streams
    return Limits(
        connections=streams.connections,
        unread=streams.unread_bytes,
        header=streams.header_bytes,
        body=streams.body_bytes,
        message_time=streams.message_time,
        handshake_time=streams.handshake_time,
        idle_time=streams.idle_time,
    )


def media_address(settings: Settings, destination: Destination) -> str:
    """The address in SDP for a peer: the configured one, or the one on the way to him."""
    host = destination.remote[0] if isinstance(destination, Flow) else destination.host
    media = settings.media
    bound = media.address6 if ":" in host else media.address
    if bound and bound not in ("0.0.0.0", "::"):
        return bound
    return source_address(host)


def _wants_tls(settings: Settings) -> bool:
    return any(listen.transport in ("tls", "wss") for listen in settings.sip.listen)


def _secret(value: Any) -> str | None:
    return None if value is None else value.get_secret_value()
