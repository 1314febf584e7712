"""What tests put in the place of the user agent: it writes down what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext

from softswitch.sip.types import Destination, Flow, ParseError
from softswitch.transport import Limits, Listener, Transports

OPTIONS = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1;rport\r\n"
    b"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>\r\n"
    b"Call-ID: one\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


class Recorder:
    """A receiver whose queues can be awaited."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, Flow]] = asyncio.Queue()
        self.failures: asyncio.Queue[Destination] = asyncio.Queue()
        self.faults: asyncio.Queue[ParseError] = asyncio.Queue()

    def receive(self, data: bytes, flow: Flow) -> None:
        self.messages.put_nowait((data, flow))

    def refuse(self, fault: ParseError, flow: Flow) -> None:
        self.faults.put_nowait(fault)

    def failed(self, destination: Destination) -> None:
        self.failures.put_nowait(destination)


@asynccontextmanager
async def listening(
    *where: tuple[str, str],
    limits: Limits = Limits(),  # noqa: B008 - immutable
    server_tls: SSLContext | None = None,
    client_tls: SSLContext | None = None,
) -> AsyncIterator[tuple[Recorder, Transports, list[Listener]]]:
    """Transports on free ports of these (transport, host) pairs."""
    recorder = Recorder()
    wires = Transports(recorder, limits=limits, client_tls=client_tls)
    try:
        listeners = [Listener(transport, host, 0) for transport, host in where]
        taken = await wires.listen(listeners, server_tls)
        async with asyncio.timeout(60):
            yield recorder, wires, taken
    finally:
        await wires.close()
