"""The messages of RFC 4475 and RFC 5118 over real sockets, answered as `expected.toml` has it.

Each meets a server of its own, since several share branch and Call-ID.  They lie beside
the project, not in it; where they are absent these tests say so and skip.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from softswitch.sip.message import Request, reply
from softswitch.sip.settings import UaSettings
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.ua import UserAgent
from softswitch.transport import Driver, Limits, Listener, Trace, Transports
from tests.sip.test_torture import MESSAGES, octets

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not MESSAGES, reason="the torture messages are absent: no ../shared/torture/expected.toml"
    ),
]
PROBE = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKprobe;rport\r\n"
    b"From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe\r\n"
    b"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@dataclass
class Server:
    """A user agent that knows nobody: 404 to all but OPTIONS."""

    ports: list[Listener] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    crashes: list[Exception] = field(default_factory=list)

    def answers(self) -> list[int]:
        """The final statuses sent so far, but for the probe's."""
        sent = [each for each in self.trace.recent() if not each.incoming]
        return finals(b"".join(each.data for each in sent if each.call_id != "probe"))


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    ua = UserAgent(UaSettings(), Random(1), asyncio.get_running_loop().time)

    def on_request(tx: ServerTransaction, request: Request) -> None:
        status = 200 if request.method == "OPTIONS" else 404
        ua.respond(tx, reply(request, status, to_tag="t", headers=[("Allow", "OPTIONS")]))

    ua.on_invite = lambda session: session.reject(404)
    ua.on_request = on_request
    ua.on_crash = lambda fault, session: server.crashes.append(fault)
    driver = Driver(ua, lambda source, now: 0.0, server.trace)
    ua.output.on_first = driver.wake
    driver.wires = wires = Transports(driver, limits=Limits(message_time=0.1))
    ua.advertise = wires.local
    listeners = [Listener(transport, "127.0.0.1", 0) for transport in ("udp", "tcp")]
    try:
        server.ports = await wires.listen(listeners)
        async with asyncio.timeout(60):
            yield server
        assert server.crashes == []
    finally:
        driver.close()
        await wires.close()


def finals(stream: bytes) -> list[int]:
    """Final statuses in what was sent."""
    found = re.findall(rb"^SIP/2\.0 (\d{3}) ", stream, re.MULTILINE)
    return [int(status) for status in found if not status.startswith(b"1")]


async def probe(server: Server, phone: socket.socket) -> None:
    """What came before has been seen to, and the server still serves."""
    phone.sendto(PROBE, ("127.0.0.1", server.ports[0].port))
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()
    loop.add_reader(phone.fileno(), answered.set)
    await answered.wait()
    loop.remove_reader(phone.fileno())
    while b"CSeq: 1 OPTIONS\r\n" not in (answer := phone.recv(65536)) or b"probe" not in answer:
        continue
    assert answer.startswith(b"SIP/2.0 200 ")


@pytest.mark.parametrize("name", MESSAGES)
async def test_over_udp(name: str) -> None:
    expected = MESSAGES[name]
    async with serving() as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.setblocking(False)
            phone.sendto(octets(name), ("127.0.0.1", server.ports[0].port))
            await probe(server, phone)

            answers = server.answers()
            if expected["outcome"] == "discard":
                assert answers == []
            elif not (expected.get("reply", {}).get("silence_ok") and not answers):
                (answer,) = answers
                assert answer in expected["codes"]


@pytest.mark.parametrize("size", [100_000, 1], ids=["whole", "octet by octet"])
@pytest.mark.parametrize("name", MESSAGES)
async def test_over_tcp(name: str, size: int) -> None:
    expected = MESSAGES[name]
    stream = expected.get("stream", {})
    data = octets(name)
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[1].port)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
        if not stream.get("close"):
            writer.write_eof()
        answers = finals(await reader.read())
        writer.close()
        await writer.wait_closed()

        codes = stream.get("codes", expected.get("codes", []))
        assert set(answers) <= set(codes)
        if not (expected["outcome"] == "discard" or is_silence_right(expected)):
            assert len(answers) == stream.get("answers", 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.setblocking(False)
            await probe(server, phone)


def is_silence_right(expected: dict[str, dict[str, bool]]) -> bool:
    return any(
        (
            expected.get("stream", {}).get("silence"),
            expected.get("reply", {}).get("silence_ok"),
        )
    )
