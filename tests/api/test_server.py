"""The server on real sockets: a private Unix socket, TCP, streams, and an end without waiting."""

import asyncio
import json
import signal
import socket
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trustme

from softswitch.api.application import create_api
from softswitch.api.server import ApiServer, ListenError, tcp_listener, unix_listener
from tests.api.fake import FakeSwitch, views


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(switch: FakeSwitch) -> AsyncIterator[ApiServer]:
    server = ApiServer(create_api(views(switch), "s3cret"), (switch.events, switch.trace))
    yield server
    await server.close()


def unix_client(path: Path) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    return httpx.AsyncClient(transport=transport, base_url="http://switch")


async def test_the_unix_socket_serves_its_owner_without_token(
    server: ApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "switch.sock"
    await server.listen_unix(path)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    async with unix_client(path) as client:
        assert (await client.get("/v1/status")).json()["domain"] == "x"
    await server.close()
    assert not path.exists()


async def test_a_socket_left_by_a_killed_switch_is_replaced(
    server: ApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "switch.sock"
    unix_listener(path).close()
    assert path.exists()
    await server.listen_unix(path)
    with pytest.raises(ListenError, match="a switch is running there"):
        unix_listener(path)


async def test_tcp_and_unix_are_served_at_once(server: ApiServer, tmp_path: Path) -> None:
    await server.listen_unix(tmp_path / "switch.sock")
    host, port = await server.listen_tcp("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        assert (await client.get("/v1/calls")).json()[0]["id"] == "c1"
        assert (await client.get("/v1/calls", headers={"Host": "evil"})).status_code == 401
    async with unix_client(tmp_path / "switch.sock") as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_https_with_a_certificate(server: ApiServer) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    host, port = await server.listen_tcp("127.0.0.1", 0, context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with httpx.AsyncClient(verify=trusting) as client:
        assert (await client.get(f"https://{host}:{port}/healthz")).status_code == 200


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}.*in use"):
            tcp_listener("127.0.0.1", port)


async def test_an_event_stream_resumes_and_does_not_hold_up_the_end(
    server: ApiServer, switch: FakeSwitch, tmp_path: Path
) -> None:
    await server.listen_unix(tmp_path / "switch.sock")
    for kind in ("call.began", "queue.joined", "call.ended"):
        switch.events.publish(kind, {})
    resume = {"Last-Event-ID": "1"}
    async with (
        unix_client(tmp_path / "switch.sock") as client,
        client.stream("GET", "/v1/events?kind=call", headers=resume) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.aiter_lines()
        assert [await anext(text) for _ in range(4)] == [
            ": ready",
            "",
            "id: 3",
            "event: call.ended",
        ]
        async with asyncio.timeout(20):
            await server.close()
        assert [line async for line in text] == ["data: {}", ""]


async def test_a_trace_shows_one_call_or_extension(
    server: ApiServer, switch: FakeSwitch, tmp_path: Path
) -> None:
    await server.listen_unix(tmp_path / "switch.sock")
    async with (
        unix_client(tmp_path / "switch.sock") as client,
        client.stream("GET", "/v1/trace?call=x@y&extension=101") as answer,
    ):
        text = answer.aiter_lines()
        assert await anext(text) == ": ready"
        for call, extensions in (("z", ["101"]), ("x@y", ["102"]), ("x@y", ["101", "102"])):
            data = {"call": None, "sip_call_id": call, "extensions": extensions}
            switch.trace.publish("message", data)
        switch.trace.close()
        told = [json.loads(line[6:]) async for line in text if line.startswith("data: ")]
    past = {"call": "c1", "sip_call_id": "x@y", "extensions": ["101"]}
    live = {"call": None, "sip_call_id": "x@y", "extensions": ["101", "102"]}
    assert told == [past, live]


async def test_signals_stay_the_switch_s(server: ApiServer) -> None:
    before = signal.getsignal(signal.SIGTERM)
    await server.listen_tcp("127.0.0.1", 0)
    assert signal.getsignal(signal.SIGTERM) is before
