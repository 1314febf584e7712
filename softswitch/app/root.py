"""Builds every part in order, joins them, serves, and takes them apart in reverse."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from config.addresses import Listen
from media import events
from media.client import Media
from softswitch.api.events import Hub
from softswitch.app.face import Face
from softswitch.app.garbage import collect_when_quiet
from softswitch.app.homer import Homer
from softswitch.app.keepalive import Keepalive
from softswitch.app.metrics import Meters
from softswitch.app.office import Office
from softswitch.app.pulse import Pulse
from softswitch.app.reload import Reload
from softswitch.app.settings import media_settings, revealed
from softswitch.app.signalling import Signalling
from softswitch.app.tasks import Tasks
from softswitch.app.tracing import Tracing
from softswitch.app.whole import Whole
from softswitch.entropy import ENTROPY
from softswitch.store.engine_log import EngineLog
from softswitch.store.store import Store
from softswitch.store.writer import Pace
from softswitch.transport.transports import ListenError

log = structlog.get_logger("app")

DAY = 86_400.0
QUEUES = "acd"
"""The folder of the queue engine's journal, within that of all data."""
FAREWELL = 1.0
"""Seconds that phones may take to confirm that the last calls are over."""


class App:
    """Everything that runs in the switch's process."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._exit = AsyncExitStack()
        self._stop = asyncio.Event()

    async def __aenter__(self) -> App:
        try:
            await self._open()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    # -- building ----------------------------------------------------------------------

    async def _open(self) -> None:
        """Answers go out last: nobody is heard before all that answers is there."""
        settings = self._settings
        self.store = await self._open_store()
        self.media = Media(media_settings(settings), self._on_media)
        self._exit.push_async_callback(self.media.stop)
        self.tasks = await self._exit.enter_async_context(Tasks())
        self.signalling = Signalling(settings, ENTROPY)
        self._exit.push_async_callback(self.signalling.close)
        queue_log = EngineLog(settings.switch.data / QUEUES)
        self.office = Office(
            settings, self.signalling, self.media, self.store, queue_log, self.tasks.spawn
        )
        self.switch = self.office.switch
        self._join_face()
        await self._start_media()
        restored = self.office.start()
        self._exit.push_async_callback(self.office.stop)
        if restored:
            log.info("registrations restored", bindings=restored)
        self.tasks.spawn(self._forget_calls())
        self.tasks.spawn(collect_when_quiet(self._count_calls, self._count_messages))
        keepalive = Keepalive(
            self.signalling.registrar,
            self.signalling.transports.send,
            lambda: self.switch.settings.sip.keepalive,
        )
        self.tasks.spawn(keepalive.run())
        await self._listen()
        self.office.resume()
        self.tasks.spawn(self.pulse.run())

    def _count_calls(self) -> int:
        return len(self.switch.calls)

    def _count_messages(self) -> int:
        return self.signalling.driver.counters.received

    async def _open_store(self) -> Store:
        settings = self._settings
        store = await Store.open(
            settings.switch.data,
            revealed(settings.records.database),
            on_trouble=self._on_trouble,
            pace=Pace(gather=settings.records.flush),
        )
        self._exit.push_async_callback(store.close)
        for notice in store.opened.notices:
            log.info(notice)
        return store

    async def _start_media(self) -> None:
        try:
            await self.media.start()
        except ExceptionGroup as group:  # each engine has said why; one sentence will do
            raise group.exceptions[0] from None
        _, pairs = self.media.usage
        if not pairs:
            low, high = self._settings.media.ports
            raise ListenError(f"media.ports: no port of {low}-{high} is free; choose others")

    def _join_face(self) -> None:
        switch, signalling = self.switch, self.signalling
        homer = Homer(signalling.trace)
        homer.apply(self._settings)
        self._exit.callback(homer.close)
        switch.on_settings.append(homer.apply)
        self.reload = Reload(self._path, lambda: switch.settings, switch.apply)
        tracing = Tracing(signalling.trace, Hub(keep=0), switch)
        self.pulse = Pulse(switch.alarms)
        meters = Meters(switch, signalling, self.media, homer, self.tasks, self.pulse)
        self.whole = Whole(switch, signalling, self.media, meters, tracing, self.reload)
        self.face = Face(switch, self.whole)
        self._exit.push_async_callback(self.face.close)

    async def _listen(self) -> None:
        await self.signalling.listen()
        outside = await self.face.listen(self._settings)
        inside = [str(Listen(*listener)) for listener in self.signalling.listeners]
        self.whole.listening = [*inside, *outside]

    # -- running -----------------------------------------------------------------------

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT; a second one does not wait for calls to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        print("ready", *self.whole.listening, flush=True)
        await self._stop.wait()
        self._stop.clear()
        self.switch.draining = True
        log.info("draining", calls=len(self.switch.calls))
        await self._drain()
        log.info("stopped")

    async def _drain(self) -> None:
        """Let calls end; those that do not, or do not in time, are ended with their records."""
        loop = asyncio.get_running_loop()
        drain = loop.create_task(self.switch.drain(self.switch.settings.switch.drain))
        again = loop.create_task(self._stop.wait())
        await asyncio.wait((drain, again), return_when=asyncio.FIRST_COMPLETED)
        again.cancel()
        if not drain.done():
            drain.cancel()
            await self.switch.drain(0)
            return
        await self.signalling.settled(FAREWELL)

    def _on_hangup(self) -> None:
        self.tasks.spawn(self.reload.on_signal())

    async def _forget_calls(self) -> None:
        """Once a day, records as old as the settings of that day allow."""
        while True:
            days = self.switch.settings.records.keep_days
            if days is not None:
                await self._forget_older(days)
            await asyncio.sleep(DAY)

    async def _forget_older(self, days: int) -> None:
        try:
            count = await self.store.forget_calls(time.time() - days * DAY)
        except SQLAlchemyError as error:  # locked or away: tomorrow is soon enough
            log.warning("old call records could not be deleted", reason=str(error))
        else:
            log.info("old call records deleted", calls=count)

    # -- what goes wrong ---------------------------------------------------------------

    def _on_trouble(self, trouble: str | None) -> None:
        if trouble is None:
            self.switch.alarms.clear("database")
        else:
            self.switch.alarms.raise_("database", trouble)

    def _on_media(self, event: events.Event) -> None:
        match event:
            case events.EngineDied(worker):
                sentence = f"media engine {worker} died; its calls are ended, it is started again"
                self.switch.alarms.raise_("media", sentence)
            case events.Ready():
                self.switch.alarms.clear("media")
            case _:
                pass
