"""UDP over real loopback sockets: flows, address families, errors."""

from __future__ import annotations

import socket

import pytest

from softswitch.sip.types import Flow, Target
from softswitch.transport import Listener, ListenError
from tests.transport.wire import listening

pytestmark = pytest.mark.anyio


def phone(host: str = "127.0.0.1") -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.settimeout(20)
    return made


@pytest.mark.parametrize(
    ("bound", "host"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", "::1")],
)
async def test_an_answer_goes_back_along_the_flow(bound: str, host: str) -> None:
    async with listening(("udp", bound)) as (recorder, wires, [at]):
        with phone(host) as far:
            far.sendto(b"REGISTER", (host, at.port))
            data, flow = await recorder.messages.get()

            assert data == b"REGISTER"
            assert flow == Flow("udp", (host, at.port), far.getsockname()[:2])
            assert wires.send(b"200 OK", flow)
            assert far.recv(100) == b"200 OK"
            assert wires.local(flow) == (host, at.port)


async def test_ipv4_on_an_ipv6_socket_is_shown_as_ipv4() -> None:
    async with listening(("udp", "::")) as (recorder, wires, [at]):
        with phone() as far:
            far.sendto(b"REGISTER", ("127.0.0.1", at.port))
            _, flow = await recorder.messages.get()

            assert flow == Flow("udp", ("127.0.0.1", at.port), far.getsockname())
            assert wires.send(b"200 OK", flow)
            assert wires.send(b"OPTIONS", Target("udp", *far.getsockname()))
            assert [far.recv(100), far.recv(100)] == [b"200 OK", b"OPTIONS"]


async def test_a_target_is_reached_by_the_socket_of_its_family() -> None:
    async with listening(("udp", "127.0.0.1"), ("udp", "::1")) as (_, wires, [four, six]):
        with phone() as left, phone("::1") as right:
            assert wires.send(b"4", Target("udp", *left.getsockname()))
            assert wires.send(b"6", Target("udp", *right.getsockname()[:2]))
            assert left.recvfrom(9) == (b"4", ("127.0.0.1", four.port))
            assert right.recvfrom(9)[1][:2] == ("::1", six.port)
            assert wires.local(Target("udp", "::1", 5060)) == ("::1", six.port)


async def test_a_flow_outlives_a_restart() -> None:
    """Bindings are kept: the flow of yesterday leaves by today's socket of the same port."""
    async with listening(("udp", "0.0.0.0")) as (_, wires, [at]):
        with phone() as far:
            kept = Flow("udp", ("127.0.0.1", at.port), far.getsockname())
            assert wires.send(b"NOTIFY", kept)
            assert far.recv(100) == b"NOTIFY"


async def test_nobody_there_is_told_at_once() -> None:
    """RFC 3261 §18.4: an ICMP error is a transport failure, 32 s before timer B."""
    async with listening(("udp", "127.0.0.1")) as (recorder, wires, [at]):
        with phone() as gone:
            nobody = gone.getsockname()
        assert wires.send(b"INVITE", Target("udp", *nobody))

        assert await recorder.failures.get() == Flow("udp", ("127.0.0.1", at.port), nobody)


async def test_an_error_of_one_peer_does_not_lose_a_message_to_another() -> None:
    async with listening(("udp", "127.0.0.1")) as (recorder, wires, _):
        with phone() as gone:
            nobody = gone.getsockname()
        with phone() as far:
            for _ in range(3):
                wires.send(b"INVITE", Target("udp", *nobody))
                assert wires.send(b"OPTIONS", Target("udp", *far.getsockname()))
                assert far.recv(100) == b"OPTIONS"
        failure = await recorder.failures.get()
        assert isinstance(failure, Flow)
        assert failure.remote == nobody


async def test_what_cannot_be_sent_is_known() -> None:
    async with listening(("udp", "127.0.0.1")) as (_, wires, _):
        assert not wires.send(b"x", Target("udp", "::1", 5060))
        assert not wires.send(b"x" * 70_000, Target("udp", "127.0.0.1", 5060))
        assert not wires.send(b"x", Flow("ws", ("127.0.0.1", 80), ("127.0.0.1", 5060), 1))


async def test_many_datagrams_at_once() -> None:
    async with listening(("udp", "127.0.0.1")) as (recorder, _, [at]):
        with phone() as far:
            for number in range(500):
                far.sendto(b"%d" % number, ("127.0.0.1", at.port))
        came = [(await recorder.messages.get())[0] for _ in range(500)]

        assert came == [b"%d" % number for number in range(500)]


async def test_a_taken_port_is_named_in_a_sentence() -> None:
    async with listening(("udp", "127.0.0.1")) as (_, wires, [at]):
        with pytest.raises(ListenError, match=rf"cannot listen on udp:127.0.0.1:{at.port}: anot"):
            await wires.listen([Listener("udp", "127.0.0.1", at.port)])
        with pytest.raises(ListenError, match="no such address"):
            await wires.listen([Listener("tcp", "192.0.2.1", 0)])
