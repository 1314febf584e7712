"""A switch and clients of its API."""

from collections.abc import AsyncIterator

import httpx
import pytest

from softswitch.api.application import create_api
from tests.api.fake import FakeSwitch, views


@pytest.fixture
def switch() -> FakeSwitch:
    return FakeSwitch()


@pytest.fixture
async def client(switch: FakeSwitch) -> AsyncIterator[httpx.AsyncClient]:
    """A client on this machine."""
    transport = httpx.ASGITransport(create_api(views(switch)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client
