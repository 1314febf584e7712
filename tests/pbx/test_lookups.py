"""Look-ups at a real database and a real web server: found, missing, wrong, slow (A13)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.settings import Settings
from softswitch.pbx.alarms import Alarms
from softswitch.pbx.answers import Answer
from softswitch.pbx.lookups import Lookups
from softswitch.pbx.switch import Switch
from tests.pbx.world import settings_of

pytestmark = pytest.mark.anyio
CALLER = {"caller": "89161112233", "called": "1", "caller_e164": "+79161112233"}


class Asking:
    """Look-ups of these settings, and the alarms that they raise."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.alarms = settings, Alarms(lambda *_: None)
        loop = asyncio.get_running_loop()
        parts: dict[str, Any] = {"settings": settings, "alarms": self.alarms, "on_settings": []}
        switch = SimpleNamespace(**parts, spawn=loop.create_task)
        self.lookups = Lookups(cast(Switch, switch))

    async def __call__(self, **more: str) -> Answer:
        return await self.lookups.ask("crm", {**CALLER, **more})


@asynccontextmanager
async def asking(table: str, more: str = "") -> AsyncIterator[Asking]:
    head = '[lines."1"]\nany = "extension:101"\n'
    one = Asking(settings_of(f"{head}{more}[lookups.crm]\n{table}\n", 1))
    yield one
    await one.lookups.close()


async def test_a_row_of_a_database_sets_route_and_priority(tmp_path: Path) -> None:
    file = tmp_path / "crm.db"
    with sqlite3.connect(file) as database:
        database.execute("create table customers (phone, route, priority, name, debt)")
        row = ("+79161112233", "extension:101, hangup:busy", 5, "Olga", 3)
        database.execute("insert into customers values (?, ?, ?, ?, ?)", row)
    database.close()
    query = "select route, priority, name, debt from customers where phone = :caller_e164"
    async with asking(f'database = "sqlite:///{file}"\nquery = "{query}"\ntimeout = 20') as ask:
        answer = await ask()
        assert [str(each) for each in answer.route] == ["extension:101", "hangup:busy"]
        assert (answer.priority, answer.name, answer.fields) == (5, "Olga", {"debt": "3"})
        assert await ask(caller_e164="+7900") == Answer("missing")


async def test_a_broken_database_is_a_failure_and_an_alarm(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    async with asking(f'database = "sqlite:///{file}"\nquery = "select 1 from customers"') as ask:
        answer = await ask()
        assert answer.outcome == "failed" and "no such table" in answer.why
        assert [alarm.name for alarm in ask.alarms] == ["lookup:crm"]


@asynccontextmanager
async def web(answer: bytes | None) -> AsyncIterator[tuple[int, list[str]]]:
    """A web server that always says the same; None: it never answers."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode())
        if answer is None:
            await reader.read()  # until the other side gives up
        else:
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], asked
    server.close()


def http(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


@pytest.mark.parametrize(
    ("said", "outcome", "why"),
    [
        (http("200 OK", '{"route": ["extension:101"], "skills": {}}'), "found", ""),
        (http("200 OK", ""), "missing", ""),
        (http("404 Not Found", "who?"), "missing", ""),
        (http("500 Oh", ""), "failed", "it answers 500"),
        (http("200 OK", "<html>"), "failed", "its answer is no JSON"),
        (http("200 OK", '"x"'), "failed", "its answer is no JSON object"),
        (http("200 OK", '{"priority": "high"}'), "failed", "invalid literal"),
        (http("200 OK", '{"route": "extension:999"}'), "failed", 'there is no extension "999"'),
        (http("200 OK", '{"a": "' + "x" * 70_000 + '"}'), "failed", "longer than 65536 bytes"),
    ],
)
async def test_what_a_web_service_says(said: bytes, outcome: str, why: str) -> None:
    async with web(said) as (port, asked):
        url = f"http://127.0.0.1:{port}/who?n={{caller_e164}}&c={{customer}}"
        async with asking(f'url = "{url}"\ntoken = "t0ken"\ntimeout = 10') as ask:
            answer = await ask(customer="a b")
            assert answer.outcome == outcome and why in answer.why
            again = await ask(customer="a b")
    assert again == answer and len(asked) == (2 if outcome == "failed" else 1)  # cached
    assert asked[0].startswith("GET /who?n=%2B79161112233&c=a%20b HTTP")
    assert "authorization: bearer t0ken" in asked[0].lower()


async def test_a_web_service_that_never_answers_is_given_up_in_time() -> None:
    async with (
        web(None) as (port, _),
        asking(f'url = "http://127.0.0.1:{port}/"\ntimeout = 0.1') as ask,
    ):
        answer = await ask()
    assert answer == Answer("failed", "no answer within 0.1 s")


async def test_nobody_there_is_a_failure_until_it_answers() -> None:
    async with web(http("200 OK", "{}")) as (port, _):
        pass
    async with asking(f'url = "http://127.0.0.1:{port}/"\ntimeout = 10') as ask:
        assert (await ask()).outcome == "failed" and list(ask.alarms)
        async with web(http("200 OK", "{}")) as (other, _):
            [source] = ask.lookups._sources.values()
            source._url = f"http://127.0.0.1:{other}/"  # type: ignore[attr-defined]
            assert (await ask()).outcome == "missing" and not list(ask.alarms)


async def test_what_a_driver_raises_ends_no_call() -> None:
    class Driver:
        async def ask(self, values: object) -> dict[str, Any] | None:
            raise ZeroDivisionError("inside the driver")

        async def close(self) -> None:
            """Nothing is open."""

    async with asking('url = "http://127.0.0.1:9/"') as ask:
        [lookup] = ask.settings.lookups.values()
        ask.lookups._sources[lookup] = Driver()
        assert await ask() == Answer("failed", "inside the driver")
