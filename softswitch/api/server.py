"""Serves the API in the switch's own loop, on a Unix socket and on TCP.

Signals stay the switch's.  Event streams are ended before the servers, which would otherwise
wait for them.
"""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from softswitch.api.events import Hub

GRACE: Final = 3  # seconds that a request in progress may take at shutdown
BACKLOG: Final = 128


class ListenError(Exception):
    """The API cannot listen there; the text is a sentence for the administrator."""


class _Quiet(uvicorn.Server):
    """Leaves SIGINT and SIGTERM to the switch, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ApiServer:
    """One application behind a Unix socket (mode 0600) and, if wanted, a TCP address."""

    def __init__(self, api: FastAPI, hubs: Sequence[Hub]) -> None:
        self._api, self._hubs = api, hubs
        self._running: list[tuple[_Quiet, asyncio.Task[None]]] = []
        self._path: Path | None = None

    async def listen_unix(self, path: Path) -> None:
        """Serve on a Unix socket that its owner alone may open.  Raises `ListenError`."""
        listener = unix_listener(path)
        self._path = path
        await self._serve(listener, None)

    async def listen_tcp(
        self, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        """Serve on TCP, with TLS if given; the address, with its port if that was 0."""
        listener = tcp_listener(host, port)
        bound: tuple[str, int] = listener.getsockname()[:2]
        await self._serve(listener, tls)
        return bound

    async def close(self) -> None:
        """End streams, finish requests, stop listening."""
        for hub in self._hubs:
            hub.close()
        for server, _ in self._running:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._running))
        self._running.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            self._api,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # else a header could claim to be of this machine
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            ssl_context_factory=None if tls is None else lambda *_: tls,
        )
        server = _Quiet(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="api")
        self._running.append((server, task))
        await server.listening.wait()


def tcp_listener(host: str, port: int) -> socket.socket:
    """A listening socket, IPv4 or IPv6 as the host is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(f"api.listen: {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def unix_listener(path: Path) -> socket.socket:
    """A listening socket at `path`, in place of one that nobody serves any more."""
    if path.is_socket() and not _answers(path):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        running = error.errno == errno.EADDRINUSE and path.is_socket()
        reason = "a switch is running there" if running else error.strerror
        raise ListenError(f"{path}: {reason or error}") from error
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
