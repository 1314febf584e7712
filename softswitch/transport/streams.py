"""All TCP, or all TLS, connections: accepting, connecting, counting, closing in time.

A flow's connection is used as long as it lives (RFC 5626): a phone can seldom be
called back.  One periodic look at the connections replaces a timer in each of them;
`sweep(now)` does it and needs no loop.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Protocol

from softswitch.sip.framing import FramingError
from softswitch.sip.types import Destination, Flow, Instant, Seconds, Target
from softswitch.transport.handshakes import Handshakes
from softswitch.transport.limits import Limits
from softswitch.transport.stream import StreamConnection

SWEEP: Seconds = 1.0
BACKLOG = 4096


class Receiver(Protocol):
    """Who takes what comes in (see `driver`)."""

    def receive(self, data: bytes, flow: Flow) -> None: ...
    def refuse(self, fault: FramingError, flow: Flow) -> None: ...
    def failed(self, destination: Destination) -> None: ...


class Streams:
    """The connections of one transport, `tcp` or `tls`.

    What comes in goes to `receiver`.
    """

    def __init__(
        self,
        transport: str,
        receiver: Receiver,
        *,
        limits: Limits,
        ids: count[int],
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.transport, self.receiver, self.limits = transport, receiver, limits
        self._client_tls = client_tls
        self._ids = ids
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], Instant] = self._loop.time
        self._connections: dict[int, StreamConnection] = {}
        self._by_remote: dict[Target, StreamConnection] = {}
        self._strangers: dict[int, StreamConnection] = {}  # in order of age
        self._strangers_from: Counter[str] = Counter()
        self._unfinished_from: Counter[str] = Counter()
        self._unfinished = 0
        self._waiting: dict[Target, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._doors: list[Handshakes] = []
        self.names: dict[Target, str] = {}
        """Whose certificate we expect at a target; absent: its address must be in it."""
        self.refused = 0
        """Connections closed because there were too many, or they took too long."""
        self._timer = self._loop.call_later(SWEEP, self._tick)

    def __len__(self) -> int:
        return len(self._connections)

    async def listen(self, bound: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Accept on a bound socket; `context` for TLS."""
        if context is not None:
            door = Handshakes(context, self._accepted, self.limits)
            door.listen(bound, BACKLOG)
            self._doors.append(door)
            return
        server = await self._loop.create_server(self._accepted, sock=bound, backlog=BACKLOG)
        self._servers.append(server)

    def send(self, data: bytes, destination: Destination) -> bool:
        """Send by the flow's connection, or to a target by one that is open or will be.

        False where that is known to be in vain; later failures are told to `failed`.
        """
        if isinstance(destination, Flow):
            connection = self._connections.get(destination.id)
        else:
            connection = self._by_remote.get(destination)
        if connection is not None:
            return connection.send(data)
        return isinstance(destination, Target) and self._connect(data, destination)

    async def close(self) -> None:
        """End all: listeners, connections, attempts."""
        self._timer.cancel()
        for server in self._servers:
            server.close()
        for door in self._doors:
            await door.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.abort()
        for server in self._servers:
            await server.wait_closed()

    # What connections report.

    def next_id(self) -> int:
        """A number that no connection had before."""
        return next(self._ids)

    def opened(self, connection: StreamConnection) -> None:
        """Enter a connection in the books; one too many pushes the oldest stranger out."""
        limits, source = self.limits, connection.source
        self._connections[connection.flow.id] = connection
        self._by_remote[Target(self.transport, *connection.flow.remote)] = connection
        if not connection.accepted:
            connection.known = True
            return
        self._strangers[connection.flow.id] = connection
        self._strangers_from[source] += 1
        if self._strangers_from[source] > limits.strangers_per_source:
            self._drop(next(c for c in self._strangers.values() if c.source == source))
        elif len(self._strangers) > limits.strangers or len(self._connections) > limits.connections:
            self._drop(next(iter(self._strangers.values())))

    def introduced(self, connection: StreamConnection) -> None:
        """The first whole message came: no stranger any more."""
        connection.known = True
        self._forget_stranger(connection)

    def unfinished(self, connection: StreamConnection, octets: int) -> None:
        """Keep account of octets that wait for the rest of their message."""
        source = connection.source
        self._unfinished_from[source] += octets - connection.unfinished
        self._unfinished += octets - connection.unfinished
        connection.unfinished = octets
        if self._unfinished_from[source] <= 0:
            del self._unfinished_from[source]
        elif octets and self._unfinished > self.limits.unfinished:
            self._drop_greediest()

    def closed(self, connection: StreamConnection) -> None:
        """Strike a connection off the books, and tell who counted on it."""
        target = Target(self.transport, *connection.flow.remote)
        if self._connections.pop(connection.flow.id, None) is None:
            return
        self._forget_stranger(connection)
        self.unfinished(connection, 0)
        if self._by_remote.get(target) is connection:
            del self._by_remote[target]
        if connection.known:
            self.receiver.failed(connection.flow)
            self.receiver.failed(target)

    def sweep(self, now: Instant) -> None:
        """Close what is overdue."""
        for connection in [c for c in self._connections.values() if c.overdue(now)]:
            self._drop(connection)
        for door in self._doors:
            door.sweep(now)

    # Our own side of it.

    def _accepted(self) -> StreamConnection:
        return StreamConnection(self, accepted=True)

    def _tick(self) -> None:
        self.sweep(self.now())
        self._timer = self._loop.call_later(SWEEP, self._tick)

    def _drop(self, connection: StreamConnection) -> None:
        """Cut off somebody who asks too much: out of the books now, closed in this turn."""
        self.refused += 1
        connection.abort()
        self.closed(connection)

    def _drop_greediest(self) -> None:
        ((greediest, _),) = self._unfinished_from.most_common(1)
        for connection in list(self._connections.values()):
            if connection.unfinished and connection.source == greediest:
                self._drop(connection)

    def _forget_stranger(self, connection: StreamConnection) -> None:
        if self._strangers.pop(connection.flow.id, None) is not None:
            self._strangers_from[connection.source] -= 1
            if not self._strangers_from[connection.source]:
                del self._strangers_from[connection.source]

    def _connect(self, data: bytes, target: Target) -> bool:
        """Queue behind an attempt, or begin one."""
        queue = self._waiting.get(target)
        if queue is None:
            self._waiting[target] = [data]
            task = self._loop.create_task(self._attempt(target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return True
        if len(queue) >= self.limits.queue:
            return False
        queue.append(data)
        return True

    async def _attempt(self, target: Target) -> None:
        """Connect, then send what waited; on failure tell who waits (RFC 3261 §18.1.1)."""
        connection: StreamConnection | None = None
        try:
            async with asyncio.timeout(self.limits.connect_time):
                _, connection = await self._loop.create_connection(
                    lambda: StreamConnection(self, accepted=False),
                    target.host,
                    target.port,
                    ssl=self._client_tls,
                    server_hostname=self._name(target) if self._client_tls else None,
                )
        except OSError:  # refused, unreachable, timed out, or no certificate to believe
            connection = None
        finally:
            waiting = self._waiting.pop(target)
        if connection is None or not all(map(connection.send, waiting)):
            self.receiver.failed(target)

    def _name(self, target: Target) -> str:
        return self.names.get(target, target.host)
