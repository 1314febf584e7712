"""Each path answers with its model, and tells commands to the switch."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from softswitch.api import models
from softswitch.api.application import create_api
from softswitch.store.errors import JournalFullError
from softswitch.store.store import Store
from tests.api.fake import FakeSwitch, views

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v1/status", {"domain": "x", "usage": {"calls": {"used": 1, "limit": 100}}}),
        ("/v1/settings?key=queues.sales", {"settings": {"queues.sales.strategy": "linear"}}),
        ("/v1/guard", {"source": "192.0.2.9", "state": "silenced"}),
        ("/v1/registrations", {"aor": "sip:101@x"}),
        ("/v1/registrations?aor=101", {"contact": "sip:101@h"}),
        ("/v1/calls", {"id": "c1", "state": "talking"}),
        ("/v1/queues", {"name": "sales", "waiting": 1, "service_level": None}),
        ("/v1/queues/sales", {"name": "sales"}),
        ("/v1/agents", {"name": "anna", "queues": ["sales"]}),
        ("/v1/explain/agent/anna", {"subject": "agent anna", "sentences": ["nobody is free"]}),
        ("/v1/conferences", {"name": "board"}),
        ("/v1/parked", {"slot": "71"}),
        ("/v1/modes", {"name": "day", "by_hand": False}),
        ("/v1/voicemail", {"box": "101", "new": 1}),
        ("/v1/voicemail/101", {"id": "m1", "box": "101"}),
    ],
)
async def test_state_is_shown(client: httpx.AsyncClient, path: str, part: dict[str, Any]) -> None:
    answer = (await client.get(path)).raise_for_status().json()
    first = answer[0] if isinstance(answer, list) else answer
    assert part.items() <= first.items()


@pytest.mark.parametrize(
    ("method", "path", "body", "done"),
    [
        ("DELETE", "/v1/calls/c1", None, ("hang up", "c1")),
        ("POST", "/v1/calls", {"from": "101", "to": "102"}, ("originate", "101", "102")),
        ("DELETE", "/v1/guard/2001:db8::1", None, ("lift", "2001:db8::1")),
        ("POST", "/v1/agents/anna/pause", {"reason": "lunch"}, ("anna", "pause", "lunch")),
        ("POST", "/v1/agents/anna/end-wrap-up", None, ("anna", "end-wrap-up", None)),
        ("PATCH", "/v1/waiting/c1", {"priority": 5}, ("waiting", "c1", 5)),
        ("POST", "/v1/conferences/board/a/mute", None, ("board", "a", "mute")),
        ("PUT", "/v1/modes", {"name": "night"}, ("mode", "night")),
        ("DELETE", "/v1/voicemail/messages/m1", None, ("delete", "m1")),
    ],
)
async def test_commands_reach_the_switch(
    client: httpx.AsyncClient,
    switch: FakeSwitch,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    done: tuple[object, ...],
) -> None:
    (await client.request(method, path, json=body)).raise_for_status()
    assert switch.done == [done]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("DELETE", "/v1/calls/c9", None, 404),
        ("POST", "/v1/calls", {"from": "101"}, 422),
        ("POST", "/v1/calls", {"from": "101", "to": "102", "via": "x"}, 422),
        ("POST", "/v1/agents/anna/dance", None, 422),
        ("POST", "/v1/reload", None, 409),
        ("GET", "/v1/records?limit=5000", None, 422),
        ("GET", "/v1/nothing", None, 404),
        ("POST", "/v1/calls", {"from": "1" * 100_000, "to": "2"}, 413),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    client: httpx.AsyncClient,
    switch: FakeSwitch,
    method: str,
    path: str,
    body: dict[str, str] | None,
    status: int,
) -> None:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.text
    assert switch.done == []


async def test_health_follows_the_switch(client: httpx.AsyncClient, switch: FakeSwitch) -> None:
    assert (await client.get("/healthz")).status_code == 200
    switch.state = models.Health(state="draining")
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"state": "draining"})


async def test_metrics_are_what_prometheus_reads(client: httpx.AsyncClient) -> None:
    page = (await client.get("/metrics")).raise_for_status().text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert samples["softswitch_calls",] == 2
    assert samples["softswitch_messages_total",] == 7
    assert samples["softswitch_ended_calls_total", "busy"] == 1
    assert samples["process_open_fds",] > 0


async def test_records_are_found_paged_and_exported(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    for number in range(3):
        record = store.records.begin(f"c{number}", caller="101", dialled=f"10{number}")
        record.leg("a", party="101")
        record.event("held", leg="a", music="default")
        record.end("normal")
    transport = httpx.ASGITransport(create_api(views(FakeSwitch(store))))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        page = (await client.get("/v1/records?number=101&limit=2")).raise_for_status().json()
        one = (await client.get("/v1/records/c1")).raise_for_status().json()
        table = (await client.get("/v1/records.csv?cause=normal")).raise_for_status()
        missing = await client.get("/v1/records/c9")
    await store.close()
    assert (page["total"], len(page["records"])) == (3, 2)
    assert (one["dialled"], one["legs"][0]["party"]) == ("101", "101")
    assert one["events"][0]["details"] == {"music": "default"}
    assert len(table.text.splitlines()) == 4
    assert table.headers["content-type"].startswith("text/csv")
    assert missing.json() == {"detail": "there is no record of call c9"}


async def test_a_database_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    async with store._engine.begin() as connection:
        await connection.execute(text("DROP TABLE calls"))
    transport = httpx.ASGITransport(create_api(views(FakeSwitch(store))))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/v1/records")
    await store.close()
    assert answer.status_code == 503
    assert "no such table" in answer.json()["detail"]


async def test_a_recording_is_served(
    client: httpx.AsyncClient, switch: FakeSwitch, tmp_path: Path
) -> None:
    switch.file = tmp_path / "m1.wav"
    switch.file.write_bytes(b"RIFF")
    assert (await client.get("/v1/voicemail/messages/m1/sound")).content == b"RIFF"


async def test_openapi_names_a_model_for_every_answer(client: httpx.AsyncClient) -> None:
    page = (await client.get("/openapi.json")).raise_for_status().json()
    described = page["components"]["schemas"]
    assert {"Status", "Call", "Queue", "Agent", "FullRecord", "Problem"} <= described.keys()
    assert described["Agent"]["properties"]["until"]["description"].startswith("When a timer")
    assert page["paths"]["/v1/calls"]["post"]["responses"]["201"]


async def test_what_a_full_disk_keeps_from_being_done_is_said(
    switch: FakeSwitch, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise JournalFullError("the journal cannot be written: No space left on device")

    monkeypatch.setattr(switch, "set_mode", full)
    answer = await client.put("/v1/modes", json={"name": "night"})

    assert answer.status_code == 503
    assert answer.json()["detail"].endswith("No space left on device")
