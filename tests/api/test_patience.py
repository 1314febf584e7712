"""A request that takes too long is answered all the same."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from softswitch.api.patience import Patience

pytestmark = pytest.mark.anyio


async def never(_: Scope, __: Receive, ___: Send) -> None:
    await asyncio.get_running_loop().create_future()


async def answer(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_what_does_not_answer_in_time_is_busy() -> None:
    transport = httpx.ASGITransport(Patience(never, 0.01))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        refused = await client.get("/v1/status")

    assert refused.status_code == 503
    assert refused.json() == {"detail": "no answer within 0.01 s; the switch is busy"}


async def test_streams_may_take_for_ever_and_the_rest_is_left_alone() -> None:
    transport = httpx.ASGITransport(Patience(answer, 0.01))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/v1/status")).status_code == 204

    stream = {"type": "http", "path": "/v1/events"}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Patience(never, 0.01)(stream, _nothing, _ignore)


async def _nothing() -> dict[str, object]:
    return {}


async def _ignore(_: object) -> None:
    """Nobody listens."""
