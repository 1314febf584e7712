"""One engine process as the switch sees it: its socket, its free ports, its legs, its death.

Knows how to start, feed and restart an engine; nothing of what the commands mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from media import commands, events
from media.settings import MediaSettings
from media.types import Seconds
from media.wire import Framer, encode

_RESTART_PAUSE: Seconds = 0.2
_LONGEST_PAUSE: Seconds = 5.0
_PATIENCE: Seconds = 5.0
_HOME = Path(__file__).parent.parent


class EngineFailed(Exception):  # noqa: N818
    """The engine ended before it was ready; its own words are on standard error."""


class Worker(asyncio.Protocol):
    """Starts one engine and starts it again whenever it dies unasked."""

    def __init__(
        self, number: int, settings: MediaSettings, deliver: Callable[[events.Event], None]
    ) -> None:
        self.number, self.backend, self.generation = number, "", 0
        self.ports: tuple[int, ...] = ()
        self.free: deque[int] = deque()
        self.free6: deque[int] = deque()
        self.settings, self._deliver = settings, deliver
        self._rows: dict[int, int] = {}
        self._promised: dict[int, events.Event] = {}
        """What is told of each thing that lives here, should the engine die before its end."""
        self._count4 = 0
        self._waiting: list[commands.Command] = []
        self._scheduled = False
        self._stopping = False
        self._framer = Framer()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._ready: asyncio.Future[None] | None = None
        self._restart: asyncio.Task[None] | None = None

    @property
    def load(self) -> int:
        """Legs that live here."""
        return len(self._rows)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def answers(self) -> bool:
        """Whether an engine runs that what is posted reaches."""
        ready = self._ready is not None and self._ready.done()
        return ready and self._transport is not None

    async def start(self) -> None:
        """Start the process; returns when its ports are bound.  Raises EngineFailed."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _spawn(theirs)
        self._framer = Framer()
        self._ready = loop.create_future()
        transport, _ = await loop.create_connection(lambda: self, sock=ours)
        self._transport = transport
        transport.write(encode([commands.Configure(self.settings, self.number)]))
        await self._ready

    async def stop(self) -> None:
        """End the process by closing its socket, and wait for it."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._restart
        self._flush()
        if self._transport is not None:
            self._transport.close()
        await self._reap()

    def own(self, leg: int, row: int) -> None:
        """Remember that `leg` has `row` until its `Closed` comes."""
        self._rows[leg] = row

    def promise(self, thing: int, ending: events.Event) -> None:
        """Deliver `ending` if the engine dies before the player or recorder ends by itself,
        or soon where none runs now."""
        if self.answers:
            self._promised[thing] = ending
        else:
            asyncio.get_running_loop().call_soon(self._deliver, ending)

    def release(self, thing: int) -> None:
        """Nobody waits for the thing's end any more."""
        self._promised.pop(thing, None)

    def post(self, command: commands.Command) -> None:
        """Send a command with all others of this turn of the loop, in order."""
        self._waiting.append(command)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._waiting and self._transport is not None:
            self._transport.write(encode(self._waiting))
        self._waiting.clear()

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        for event in self._framer.feed(data):
            match event:
                case events.Ready():
                    self._become_ready(event)
                case events.Closed(leg):
                    self._free_ports(leg)
                case events.Played(thing) | events.Recorded(thing):
                    self.release(thing)
            self._deliver(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.free.clear()
        self.free6.clear()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(EngineFailed(f"media engine {self.number} did not start"))
            return
        if not self._stopping:
            self._die()

    def _become_ready(self, event: events.Ready) -> None:
        self.backend, self.ports = event.backend, event.ports + event.ports6
        self._count4 = len(event.ports)
        self.generation += 1
        self.free = deque(range(len(event.ports)))
        self.free6 = deque(range(len(event.ports), len(self.ports)))
        if self._ready is not None:
            self._ready.set_result(None)

    def _free_ports(self, leg: int) -> None:
        """The ports of a closed leg go to the end of the queue, so that they rest longest."""
        row = self._rows.pop(leg, None)
        if row is not None:
            (self.free if row < self._count4 else self.free6).append(row)

    def _die(self) -> None:
        """Tell everybody at once, then try to start again."""
        legs, self._rows = list(self._rows), {}
        promised, self._promised = list(self._promised.values()), {}
        self._waiting.clear()
        self._restart = asyncio.get_running_loop().create_task(self._start_again())
        self._deliver(events.EngineDied(self.number))
        for leg in legs:
            self._deliver(events.Closed(leg))
        for ending in promised:
            self._deliver(ending)

    async def _start_again(self) -> None:
        pause = _RESTART_PAUSE
        while True:
            await self._reap()
            try:
                await self.start()
                return
            except (EngineFailed, OSError):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _reap(self) -> None:
        """Wait for the process to be gone; one that will not go is killed."""
        process = self._process
        if process is None:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, process.wait, _PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            await loop.run_in_executor(None, process.wait)


def _spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(_HOME), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", "media.engine", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
    )
