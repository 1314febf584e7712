"""A peer that is gone must not make the switch deaf (ICMP port unreachable, under uvloop)."""

import asyncio
import socket

import pytest

from softswitch.sip.types import Flow
from softswitch.transport.udp import UdpEndpoint


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.mark.anyio
async def test_an_endpoint_hears_others_after_an_answer_found_nobody() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    gone: asyncio.Queue[Flow] = asyncio.Queue()
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.bind(("127.0.0.1", 0))
    endpoint = UdpEndpoint(bound, lambda data, _: heard.put_nowait(data), gone.put_nowait)
    try:
        for turn in range(3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
                dead.bind(("127.0.0.1", 0))
                address = dead.getsockname()
            endpoint.send(b"anybody there?", address)
            async with asyncio.timeout(20):
                assert (await gone.get()).remote == address
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alive:
                alive.sendto(b"%d" % turn, ("127.0.0.1", endpoint.port))
            async with asyncio.timeout(20):
                assert await heard.get() == b"%d" % turn
    finally:
        endpoint.close()
