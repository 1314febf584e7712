"""Who may ask: this machine's own programs, and whoever has the token."""

from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from softswitch.api.access import local
from softswitch.api.application import create_api
from tests.api.fake import FakeSwitch, views

pytestmark = pytest.mark.anyio
TOKEN = {"Authorization": "Bearer s3cret"}


async def ask(
    client: str, *, token: str | None = "s3cret", path: str = "/v1/status", **headers: str
) -> httpx.Response:
    transport = httpx.ASGITransport(create_api(views(FakeSwitch()), token), client=(client, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as session:
        return await session.get(path, headers=headers)


async def test_this_machine_needs_no_token() -> None:
    for client in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert (await ask(client)).status_code == 200


async def test_others_need_the_token() -> None:
    refused = await ask("192.0.2.1")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert (await ask("192.0.2.1", **TOKEN)).status_code == 200
    assert (await ask("192.0.2.1", Authorization="Bearer S3cret")).status_code == 401
    assert (await ask("192.0.2.1", Authorization="Basic s3cret")).status_code == 401


async def test_without_a_token_others_are_told_what_to_set() -> None:
    refused = await ask("192.0.2.1", token=None, **TOKEN)
    assert refused.status_code == 403
    assert "api.token" in refused.json()["detail"]


async def test_health_is_open_to_load_balancers() -> None:
    assert (await ask("192.0.2.1", path="/healthz")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
    ],
)
async def test_web_pages_and_proxies_are_not_this_machine(headers: dict[str, str]) -> None:
    assert (await ask("127.0.0.1", **headers)).status_code == 401
    assert (await ask("127.0.0.1", **headers, **TOKEN)).status_code == 200


async def test_a_page_of_our_own_may_ask() -> None:
    assert (await ask("127.0.0.1", Origin="http://127.0.0.1:8080")).status_code == 200


async def test_a_websocket_needs_the_token_too() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/v1/x", "headers": [], "client": ("192.0.2.1", 1)}
    await create_api(views(FakeSwitch()), "s3cret")(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("scope", "trusted"),
    [
        ({"server": ("/run/switch.sock", None), "client": None}, True),
        ({"server": ("127.0.0.1", 8080), "client": None}, False),
        ({"server": ("127.0.0.1", 8080), "client": ("no address", 0)}, False),
        ({"server": None, "client": None}, False),
    ],
)
def test_only_the_server_s_own_address_proves_a_unix_socket(
    scope: dict[str, Any], trusted: bool
) -> None:
    """A TCP peer that has gone by now has no address either."""
    assert local(scope, Headers({"host": "127.0.0.1"})) is trusted
