"""One engine process: `python -m media.engine DESCRIPTOR`, with the socket to the switch.

A single thread and a single loop: wait for packets or a command, at most until the next
tick; handle the batch; tick.  The end of the socket is the end of the process.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections import deque

import structlog

from media import commands, events
from media.backends import Backend, Batch
from media.backends.choice import choose
from media.backends.sockets import Sockets
from media.core import Core
from media.types import TICK, Instant, Seconds
from media.wire import Framer, encode

_MOST = 1 << 20
_MOST_WORK: Seconds = 0.002
"""Of carrying out commands at a time, so that a thousand of them hold nobody up."""
_NICE = -10
_MOST_FAULTS = 5
"""Ticks in a row that may fail."""

log = structlog.get_logger("media")


class Engine:
    """Joins a core to its backend, to the clock and to the switch."""

    def __init__(self, control: socket.socket, configure: commands.Configure) -> None:
        control.setblocking(False)
        self._control, self._framer = control, Framer()
        self._unsent = bytearray()
        self._faults = 0
        self._events: list[events.Event] = []
        self._commands: deque[commands.Command] = deque()
        settings = configure.settings
        self._sockets = Sockets.bind(settings)
        self._backend: Backend
        self._backend, note = choose(settings, self._sockets, control.fileno())
        wall = time.time() - time.monotonic()
        self._core = Core(settings, self._sockets, self._backend, self._events.append, wall)
        ports, first6 = self._sockets.ports, self._sockets.count4
        self._events.append(
            events.Ready(
                configure.worker,
                self._backend.name,
                tuple(ports[:first6]),
                tuple(ports[first6:]),
                note,
            )
        )

    def run(self) -> None:
        """Until the switch closes the socket."""
        next_tick = time.monotonic() + TICK
        departures = self._core.departures
        while True:
            self._tell()
            due = 0.0 if self._commands else min(next_tick, departures.due)
            batch = self._backend.wait(due - time.monotonic())
            now = time.monotonic()
            departures.release(now)
            if batch.control and not self._hear():
                return
            self._obey(now, min(next_tick, departures.due))
            self._turn(batch, now)
            if now >= next_tick:
                late = now - next_tick
                frames = 1 + int(late / TICK)
                departures.begin()
                begun = time.monotonic()
                self._tick(now, frames, late)
                next_tick += frames * TICK
                departures.schedule(next_tick - TICK, (time.monotonic() - begun) / frames)

    def _turn(self, batch: Batch, now: Instant) -> None:
        """Handle a batch; a fault of ours in it ends the legs whose packets bring it about.

        What part of the batch was handled before the fault is handled twice: those packets
        count as repeated.
        """
        self._core.compile(plan=not self._commands)  # a fault here concerns all legs: it is the end
        try:
            self._core.turn(batch, now)
        except Exception:
            log.exception("media packets failed")
            for i in range(len(batch.sockets)):
                part = slice(i, i + 1)
                packet = Batch(batch.sockets[part], batch.rows[part], batch.lengths[part], False)
                self._turn_alone(packet, now)

    def _turn_alone(self, packet: Batch, now: Instant) -> None:
        self._core.compile()
        try:
            self._core.turn(packet, now)
        except Exception:
            leg = int(self._core.legs.leg[packet.sockets[0] >> 1])
            log.exception("media leg ended by a fault", leg=leg)
            self._core.handle(commands.Close(leg), now)

    def _tick(self, now: Instant, frames: int, late: Seconds) -> None:
        """Tick; a fault costs this tick, and one that stays ends the process."""
        try:
            self._core.tick(now, frames, late)
            self._faults = 0
        except Exception:
            self._faults += 1
            if self._faults == _MOST_FAULTS:
                raise
            log.exception("media tick failed")

    def _hear(self) -> bool:
        """Read what the switch wrote; False when it is gone."""
        while True:
            try:
                data = self._control.recv(_MOST)
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
            if not data:
                return False
            self._commands.extend(self._framer.feed(data))

    def _obey(self, now: Instant, due: Instant) -> None:
        """Carry out commands for a while: what is `due` is not held up by those that are left."""
        until = min(now + _MOST_WORK, due)
        while self._commands:
            self._carry_out(self._commands.popleft(), now)
            if time.monotonic() >= until:
                return

    def _carry_out(self, command: commands.Command, now: Instant) -> None:
        """One command; a fault of ours in it ends that leg or thing, and no other."""
        try:
            self._core.handle(command, now)
        except Exception:
            log.exception("media command failed", command=repr(command))
            thing = getattr(command, "leg", None) or getattr(command, "thing", None)
            if thing is not None and not isinstance(command, commands.Close):
                self._core.handle(commands.Close(thing), now)

    def _tell(self) -> None:
        """Write what happened; what the switch does not take yet waits for the next turn."""
        if self._events:
            self._unsent += encode(self._events)
            self._events.clear()
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                del self._unsent[: self._control.send(self._unsent)]

    def close(self) -> None:
        self._core.close()
        self._backend.close()
        self._sockets.close()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the switch ends us when it has drained
        signal.signal(number, signal.SIG_IGN)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with socket.socket(fileno=int(sys.argv[1])) as control:
        framer = Framer()
        first: list[commands.Configure] = []
        while not first:
            data = control.recv(_MOST)
            if not data:
                return
            first = framer.feed(data)
        try:
            engine = Engine(control, first[0])
        except OSError as error:
            log.error("media engine cannot start", reason=error.strerror or str(error))
            sys.exit(1)
        gc.freeze()
        gc.set_threshold(50_000)  # a turn makes many short-lived views and no cycles
        with contextlib.suppress(PermissionError):  # sound goes before what can wait
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        sys.setswitchinterval(0.0005)  # threads that read files must not hold up a tick
        try:
            engine.run()
        except BrokenPipeError:
            pass  # the switch went away between two turns
        finally:
            engine.close()


if __name__ == "__main__":
    main()
