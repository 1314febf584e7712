"""TCP and TLS over real loopback sockets: reuse, framing, and those who ask too much."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from softswitch.sip.types import Flow, Target
from softswitch.transport import Limits, tls
from tests.transport.wire import OPTIONS, listening

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def phone(
    port: int, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to us."""
    name = "127.0.0.1" if context is not None else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tls.own_certificate(tmp_path_factory.mktemp("data"), ["127.0.0.1", "pbx.example"])


async def test_answers_use_the_connection_of_the_request() -> None:
    async with listening(("tcp", "127.0.0.1")) as (recorder, wires, [at]):
        async with phone(at.port) as (reader, writer):
            writer.write(OPTIONS)
            data, flow = await recorder.messages.get()
            assert data == OPTIONS
            assert flow.remote == writer.get_extra_info("sockname")

            assert wires.send(b"one", flow)
            assert wires.send(b"two", Target("tcp", *flow.remote))
            assert await reader.readexactly(6) == b"onetwo"
        assert await recorder.failures.get() == flow
        assert not wires.send(b"three", flow)


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_messages_survive_any_split(size: int) -> None:
    stream = OPTIONS + b"\r\n\r\n" + OPTIONS * 2
    async with (
        listening(("tcp", "127.0.0.1")) as (recorder, _, [at]),
        phone(at.port) as (
            reader,
            writer,
        ),
    ):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(stream), size):
            writer.write(stream[start : start + size])
            await writer.drain()
        assert [(await recorder.messages.get())[0] for _ in range(3)] == [OPTIONS] * 3
        assert await reader.readexactly(2) == b"\r\n"


async def test_a_ping_is_answered_by_a_pong() -> None:
    """RFC 5626 §3.5.1."""
    async with listening(("tcp", "127.0.0.1")) as (_, _, [at]), phone(at.port) as (reader, writer):
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"


async def test_what_cannot_be_followed_is_refused_and_closed() -> None:
    """The announced length is enough: nobody waits for the body."""
    huge = OPTIONS.replace(b"Content-Length: 0", b"Content-Length: 9999999")
    async with (
        listening(("tcp", "127.0.0.1")) as (recorder, _, [at]),
        phone(at.port) as (
            reader,
            writer,
        ),
    ):
        writer.write(huge)
        fault = await recorder.faults.get()
        assert (fault.status, fault.request is not None) == (413, True)
        assert await reader.read() == b""


async def test_a_refusal_can_be_read_by_who_goes_on_sending() -> None:
    """A reset in the middle of the body would take the answer from the peer's hands."""
    huge = OPTIONS.replace(b"Content-Length: 0", b"Content-Length: 9999999")
    async with listening(("tcp", "127.0.0.1")) as (recorder, wires, [at]):
        recorder.refuse = lambda fault, flow: wires.send(b"413", flow)  # type: ignore[method-assign,assignment]
        async with phone(at.port) as (reader, writer):
            writer.write(huge)
            for _ in range(100):
                writer.write(b"x" * 10_000)
                await writer.drain()
            assert await reader.read() == b"413"
            wires.streams["tcp"].sweep(wires.streams["tcp"].now() + 3)
            assert len(wires.streams["tcp"]) == 0


async def test_a_connection_of_ours_is_made_once_and_used_again() -> None:
    async with (
        listening(("tcp", "127.0.0.1")) as (far, _, [at]),
        listening() as (_, wires, _),
    ):
        target = Target("tcp", "127.0.0.1", at.port)
        for _ in range(3):
            assert wires.send(OPTIONS, target)
        flows = [(await far.messages.get())[1] for _ in range(3)]
        assert wires.send(OPTIONS, target)
        flows.append((await far.messages.get())[1])

        assert len(set(flows)) == 1


async def test_nobody_listens_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = Target("tcp", *taken.getsockname())
        async with listening() as (recorder, wires, _):
            assert wires.send(OPTIONS, target)
            assert await recorder.failures.get() == target
            assert wires.send(OPTIONS, target), "a later attempt is a new one"


async def test_a_connection_that_does_not_come_about_is_given_up() -> None:
    """A full backlog answers no SYN: the same as a host that is not there."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        target = Target("tcp", *deaf.getsockname())
        async with listening(limits=Limits(connect_time=0.05, queue=2)) as (recorder, wires, _):
            assert [wires.send(OPTIONS, target) for _ in range(3)] == [True, True, False]
            assert await recorder.failures.get() == target


async def test_a_reader_who_does_not_read_is_cut_off() -> None:
    limits = Limits(unread=100_000)
    async with listening(("tcp", "127.0.0.1"), limits=limits) as (recorder, wires, [at]):
        with socket.create_connection(("127.0.0.1", at.port)) as deaf:
            deaf.sendall(OPTIONS)
            _, flow = await recorder.messages.get()
            while wires.send(b"x" * 50_000, flow):
                pass
            assert await recorder.failures.get() == flow


async def test_time_limits() -> None:
    """An unfinished message, a stranger without a word, silence: each has its time."""
    limits = Limits(message_time=10, idle_time=3600)
    async with listening(("tcp", "127.0.0.1"), limits=limits) as (recorder, wires, [at]):
        streams = wires.streams["tcp"]
        async with (
            phone(at.port) as (known, speaker),
            phone(at.port) as (slow, dripping),
            phone(at.port) as (silent, _),
        ):
            speaker.write(OPTIONS)
            await recorder.messages.get()
            dripping.write(OPTIONS + OPTIONS[:-1])
            await recorder.messages.get()
            now = streams.now()
            assert len(streams) == 3

            streams.sweep(now + 9)
            assert len(streams) == 3
            streams.sweep(now + 11)
            assert [await slow.read(), await silent.read()] == [b"", b""]
            assert len(streams) == 1
            streams.sweep(now + 3602)
            assert await known.read() == b""


async def test_strangers_make_room_for_strangers() -> None:
    limits = Limits(strangers_per_source=2)
    async with (
        listening(("tcp", "127.0.0.1"), limits=limits) as (recorder, _, [at]),
        phone(at.port) as (known, speaker),
    ):
        speaker.write(OPTIONS)
        await recorder.messages.get()
        async with phone(at.port) as (oldest, _), phone(at.port), phone(at.port):
            assert await oldest.read() == b""
        speaker.write(OPTIONS)
        await recorder.messages.get()
        assert not known.at_eof()


async def test_the_greediest_loses_what_it_did_not_finish() -> None:
    limits = Limits(unfinished=1000)
    part = OPTIONS.replace(b"Content-Length: 0", b"Content-Length: 5000") + b"x" * 700
    async with (
        listening(("tcp", "127.0.0.1"), limits=limits) as (recorder, wires, [at]),
        phone(at.port) as (first, one),
        phone(at.port) as (second, two),
    ):
        one.write(part)
        two.write(part)
        assert [await first.read(), await second.read()] == [b"", b""]
        async with phone(at.port) as (_, honest):
            honest.write(OPTIONS)
            await recorder.messages.get()
            assert len(wires.streams["tcp"]) == 1


async def test_five_thousand_half_open_connections_cost_little() -> None:
    """At most 50 MB, and nobody else anything."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 10_500:
        pytest.skip("too few file descriptors allowed: ulimit -n 10500")
    async with listening(("tcp", "127.0.0.1")) as (recorder, _, [at]):
        process, loop = psutil.Process(), asyncio.get_running_loop()
        before = process.memory_info().rss
        crowd: list[socket.socket] = []
        try:
            for _ in range(5000):
                made = socket.create_connection(("127.0.0.1", at.port))
                crowd.append(made)
                made.setblocking(False)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                made.send(b"\r\n\r\n" + OPTIONS[:40])
                assert await loop.sock_recv(made, 2) == b"\r\n", "it is there, and served"
            grown = process.memory_info().rss - before
            assert grown < 50 * 1024 * 1024
            async with phone(at.port) as (_, writer):
                writer.write(OPTIONS)
                await recorder.messages.get()
        finally:
            for made in crowd:
                made.close()


async def test_tls(certificate: tuple[Path, Path]) -> None:
    server, client = tls.server_context(*certificate), tls.client_context(certificate[0])
    async with (
        listening(("tls", "127.0.0.1"), server_tls=server) as (far, back, [at]),
        listening(client_tls=client) as (near, wires, _),
    ):
        target = Target("tls", "127.0.0.1", at.port)
        assert wires.send(OPTIONS, target)
        data, flow = await far.messages.get()
        assert (data, flow.transport) == (OPTIONS, "tls")
        assert back.send(OPTIONS, flow)
        assert (await near.messages.get())[1].remote == ("127.0.0.1", at.port)


async def test_a_server_must_prove_the_name_that_we_call(certificate: tuple[Path, Path]) -> None:
    server, client = tls.server_context(*certificate), tls.client_context(certificate[0])
    async with (
        listening(("tls", "127.0.0.1"), server_tls=server) as (far, _, [at]),
        listening(client_tls=client) as (near, wires, _),
    ):
        target = Target("tls", "127.0.0.1", at.port)
        wires.expect(target, "other.example")
        assert wires.send(OPTIONS, target)
        assert await near.failures.get() == target
        wires.expect(target, "pbx.example")
        assert wires.send(OPTIONS, target)
        assert (await far.messages.get())[0] == OPTIONS


async def test_a_stranger_to_our_authorities_is_not_believed(
    certificate: tuple[Path, Path],
) -> None:
    server = tls.server_context(*certificate)
    async with (
        listening(("tls", "127.0.0.1"), server_tls=server) as (_, _, [at]),
        listening(client_tls=tls.client_context()) as (near, wires, _),
    ):
        target = Target("tls", "127.0.0.1", at.port)
        assert wires.send(OPTIONS, target)
        assert await near.failures.get() == target


async def test_a_handshake_has_its_time(certificate: tuple[Path, Path]) -> None:
    limits = Limits(handshake_time=0.05)
    server = tls.server_context(*certificate)
    async with (
        listening(("tls", "127.0.0.1"), limits=limits, server_tls=server) as (_, _, [at]),
        phone(at.port) as (reader, writer),
    ):
        writer.write(b"\x16\x03\x01")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_who_does_not_begin_a_handshake(certificate: tuple[Path, Path]) -> None:
    """Silence has its time; what is no TLS is closed at once."""
    server = tls.server_context(*certificate)
    async with (
        listening(("tls", "127.0.0.1"), server_tls=server) as (_, wires, [at]),
        phone(at.port) as (lost, writer),
        phone(at.port) as (silent, _),
    ):
        writer.write(OPTIONS)
        with suppress(ConnectionResetError):
            assert await lost.read() == b""
        wires.streams["tls"].sweep(wires.streams["tls"].now() + 6)
        assert await silent.read() == b""


async def test_the_oldest_handshake_makes_room(certificate: tuple[Path, Path]) -> None:
    server, client = tls.server_context(*certificate), tls.client_context(certificate[0])
    limits = Limits(handshakes=1)
    async with (
        listening(("tls", "127.0.0.1"), server_tls=server, limits=limits) as (recorder, _, [at]),
        phone(at.port) as (slow, writer),
    ):
        writer.write(b"\x16\x03\x01")
        await writer.drain()
        async with phone(at.port, client) as (_, quick):
            quick.write(OPTIONS)
            await recorder.messages.get()
        with suppress(ConnectionResetError):
            assert await slow.read() == b""


def test_our_own_certificate_is_made_once(tmp_path: Path) -> None:
    first = tls.own_certificate(tmp_path / "var", ["pbx.example", "::1"])
    octets = [path.read_bytes() for path in first]

    assert tls.own_certificate(tmp_path / "var", ["other.example"]) == first
    assert [path.read_bytes() for path in first] == octets
    assert first[1].stat().st_mode & 0o077 == 0


async def test_a_flow_of_a_connection_that_never_was() -> None:
    async with listening() as (_, wires, _):
        assert not wires.send(b"x", Flow("tcp", ("127.0.0.1", 1), ("127.0.0.1", 2), 7))
