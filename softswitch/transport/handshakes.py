"""The door of TLS: who has not spoken costs a socket, and handshakes are bounded.

A TLS connection costs us some 50 kB from its first moment if the loop accepts it; so we
accept ourselves, wait until the first octet of a handshake has come, and let only so
many handshakes run at once.  The oldest makes room: an honest one takes milliseconds.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from softswitch.sip.types import Instant, Seconds
from softswitch.transport.limits import Limits

BATCH = 64
REST: Seconds = 1.0
"""How long nothing is accepted when the process has no file descriptors left."""

HANDSHAKE = b"\x16"
"""The first octet of a ClientHello's record (RFC 8446 §5.1)."""

NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Handshakes:
    """Listeners for TLS; each connection whose handshake succeeds gets a `protocol()`."""

    def __init__(
        self, context: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol], limits: Limits
    ) -> None:
        self._context, self._protocol, self._limits = context, protocol, limits
        self._loop = asyncio.get_running_loop()
        self._listeners: list[socket.socket] = []
        self._silent: dict[socket.socket, Instant] = {}  # in order of age
        self._running: dict[asyncio.Task[None], None] = {}  # in order of age
        self._tasks: set[asyncio.Task[None]] = set()  # those too that were told to end
        self._rest: asyncio.TimerHandle | None = None
        self.dropped = 0
        """Connections closed before their handshake was over."""

    def listen(self, bound: socket.socket, backlog: int) -> None:
        """Accept on a bound socket."""
        bound.listen(backlog)
        self._listeners.append(bound)
        self._loop.add_reader(bound.fileno(), self._accept, bound)

    def sweep(self, now: Instant) -> None:
        """Close those who connected and never spoke."""
        patience = self._limits.handshake_time
        for silent, since in [*self._silent.items()]:
            if since + patience > now:
                return
            self._drop(silent)

    async def close(self) -> None:
        """Stop accepting, and end what has begun."""
        if self._rest is not None:
            self._rest.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener.fileno())
            listener.close()
        for silent in [*self._silent]:
            self._drop(silent)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(BATCH):
            try:
                made, _ = listener.accept()
            except OSError as error:
                if error.errno in NO_DESCRIPTORS:
                    self._loop.remove_reader(listener.fileno())
                    self._rest = self._loop.call_later(REST, self._resume, listener)
                return
            made.setblocking(False)
            self._silent[made] = self._loop.time()
            self._loop.add_reader(made.fileno(), self._first_octet, made)
            if len(self._silent) > self._limits.strangers:
                self._drop(next(iter(self._silent)))

    def _resume(self, listener: socket.socket) -> None:
        self._rest = None
        self._loop.add_reader(listener.fileno(), self._accept, listener)

    def _first_octet(self, made: socket.socket) -> None:
        """The peer speaks, or has gone: begin the handshake, or be done with it."""
        octet = b""
        with suppress(OSError):
            octet = made.recv(1, socket.MSG_PEEK)
        if octet != HANDSHAKE:
            self._drop(made)
            return
        del self._silent[made]
        self._loop.remove_reader(made.fileno())
        if len(self._running) >= self._limits.handshakes:
            oldest = next(iter(self._running))
            del self._running[oldest]
            oldest.cancel()
        task = self._loop.create_task(self._handshake(made))
        self._running[task] = None
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._running.pop(task, None)

    async def _handshake(self, made: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._protocol,
                made,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.handshake_time,
            )
        except OSError:  # no TLS 1.2, too slow, gone: the peer's affair
            self.dropped += 1

    def _drop(self, silent: socket.socket) -> None:
        self.dropped += 1
        del self._silent[silent]
        self._loop.remove_reader(silent.fileno())
        silent.close()
