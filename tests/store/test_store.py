"""What is kept comes back: registrations, records, messages, voicemail, state."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from softswitch.store.database import connect
from softswitch.store.errors import JournalFullError, StoreError
from softswitch.store.records import Records
from softswitch.store.search import Query
from softswitch.store.statistics import Interval, Visit
from softswitch.store.store import Store
from softswitch.store.voicemail import Counts, VoiceMessage
from tests.pbx.test_lookups import asking

pytestmark = pytest.mark.anyio
NOW = 1_700_000_000.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    store.records.clock = lambda: NOW
    yield store
    await store.close()


async def reopened(store: Store, directory: Path) -> Store:
    await store.close()
    return await Store.open(directory)


async def test_ten_thousand_bindings_return_within_two_seconds(tmp_path: Path) -> None:
    first = await Store.open(tmp_path)
    binding = {"contact": "sip:101@192.0.2.1:5060;ob", "expires_at": NOW + 60, "q": 0.5}
    for number in range(10_000):
        first.registrations.save(f"sip:{number}@office.example", [binding])
    first.registrations.save("sip:7@office.example", [])
    first.registrations.save("sip:8@office.example", [{**binding, "expires_at": NOW - 1}])

    began = time.process_time()
    second = await reopened(first, tmp_path)
    restored = second.registrations.restore(NOW)
    assert time.process_time() - began < 2
    await second.close()

    assert len(restored) == 9_998
    assert restored["sip:1@office.example"] == [binding]


async def test_a_whole_call_is_found_with_its_legs_and_events(store: Store) -> None:
    record = store.records.begin("c1", caller="101", dialled="102", direction="internal")
    record.leg("a", party="101", role="caller")
    record.leg("b", party="102", sip_call_id="x@y", ringing_at=NOW + 1)
    record.leg("b", answered_at=NOW + 2.00049, codec="PCMA")
    record.leg("a", answered_at=NOW + 2.1)
    record.event("held", leg="b", music="default")
    record.leg("b", quality={"lost": 3}, ended_at=NOW + 9, colour="blue")
    record.end("normal", by="a", status=200)
    record.end("failed")

    found = await (await store.search()).call("c1")

    assert found is not None
    assert (found["answered_at"], found["answered_by"]) == (NOW + 2.1, "102")
    assert (found["cause"], found["ended_by"], found["status"]) == ("normal", "caller", 200)
    caller, callee = found["legs"]
    assert caller["role"] == "caller"
    assert (callee["ringing_at"], callee["answered_at"]) == (NOW + 1, NOW + 2.0)
    assert (callee["quality"], callee["details"]) == ({"lost": 3}, {"colour": "blue"})
    (held,) = found["events"]
    assert (held["kind"], held["leg"], held["details"]) == ("held", 1, {"music": "default"})


async def test_filters_find_extension_number_date_duration_and_cause(store: Store) -> None:
    """P26: filter by extension, number, dates, duration."""
    for at, (caller, dialled, cause) in enumerate(
        [("101", "102", "normal"), ("101", "84951234567", "busy"), ("103", "700", "normal")]
    ):
        store.records.clock = lambda at=at: NOW + 100 * at  # type: ignore[misc]
        record = store.records.begin(f"c{at}", caller=caller, dialled=dialled, queue="sales")
        record.leg("a", party=caller)
        record.leg("b", party="104" if at == 2 else dialled)
        record.learn(**({"chain": "c2"} if at == 1 else {}))
        store.records.clock = lambda at=at: NOW + 100 * at + at  # type: ignore[misc]
        record.end(cause)

    search = await store.search()

    async def ids(query: Query) -> list[str]:
        found = await search.page(query)
        assert await search.count(query) == len(found)
        return [call["id"] for call in found]

    assert await ids(Query()) == ["c2", "c1", "c0"]
    assert await ids(Query(number="101")) == ["c1", "c0"]
    assert await ids(Query(number="104")) == ["c2"]
    assert await ids(Query(cause="busy")) == ["c1"]
    assert await ids(Query(longer=1, shorter=1)) == ["c1"]
    assert await ids(Query(since=NOW + 100, until=NOW + 200)) == ["c1"]
    assert await ids(Query(queue="sales", cause="none")) == []
    assert await ids(Query(chain="c2")) == ["c2", "c1"]
    assert [c["id"] for c in await search.page(Query(), limit=1, offset=1)] == ["c1"]


async def test_export_is_csv_in_local_time_and_harmless(store: Store) -> None:
    record = store.records.begin("c1", caller="+74951234567", caller_name='=cmd|"x"')
    record.end("normal")
    search = await store.search()
    lines = [part async for part in search.export(Query(), ZoneInfo("Europe/Moscow"))]
    head, row = "".join(lines).splitlines()
    assert head.startswith("id,began_at,")
    assert row.startswith("c1,2023-11-15T01:13:20.000+03:00,,2023-11-15T01:13:20.000+03:00,,")
    assert ',+74951234567,"\'=cmd|""x""",' in row


async def test_what_peers_send_never_stops_the_database(store: Store) -> None:
    """Lone surrogates and NUL are no text for a database; a wrong type costs its own row only."""
    store.records.begin("bad", caller_name="caf\udce9\0").end("normal")
    store.records.begin("huge", status=2**80)
    store.records.begin("good").end("normal")
    found = await (await store.search()).page(Query())
    assert {call["id"]: call["caller_name"] for call in found} == {"bad": "caf?�", "good": None}
    assert store.writer.refused == 1


async def test_a_call_that_cannot_be_kept_does_not_begin(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once begun a record never raises: what a full disk refuses waits for the next write."""
    record = store.records.begin("c1")
    with monkeypatch.context() as patch:
        patch.setattr(store.writer._journal, "append", full)
        with pytest.raises(JournalFullError):
            store.records.begin("c2")
        record.event("held")
        record.end("normal")
        store.records.begin("112", urgent=True)
    assert store.records.unsaved == 3
    store.records.begin("c3").event("held")
    assert store.records.unsaved == 0
    found = await (await store.search()).call("c1")
    assert found is not None
    assert (found["cause"], len(found["events"])) == ("normal", 1)
    assert await (await store.search()).call("112") is not None


def full(*_: object) -> int:
    raise JournalFullError("no space")


def test_one_call_costs_at_most_sixty_microseconds(tmp_path: Path) -> None:
    """All a two-leg call writes, journal included; five-fold for a busy machine."""
    from softswitch.store.journal import Journal

    class Kept:
        journal = Journal(tmp_path)

        def put(self, *rows: object) -> None:
            self.journal.append("put", rows)

    records = Records(Kept())  # type: ignore[arg-type]
    best = min(one_call(records, n) for n in range(300))
    Kept.journal.close()
    assert best < 5 * 60e-6


def one_call(records: Records, number: int) -> float:
    began = time.process_time()
    record = records.begin(f"call-{number}", caller="101", dialled="102", direction="internal")
    record.leg("a", party="101", role="caller", sip_call_id="abc@host", address="192.0.2.1:5060")
    record.leg("b", party="102", role="callee", sip_call_id="def@host", address="192.0.2.2:5060")
    record.leg("b", ringing_at=NOW)
    record.leg("b", answered_at=NOW, codec="PCMA")
    record.leg("a", answered_at=NOW, codec="PCMA")
    record.leg("a", ended_at=NOW, cause="normal", quality={"lost": 0, "jitter": 0.5})
    record.leg("b", ended_at=NOW, cause="normal", quality={"lost": 0, "jitter": 0.5})
    record.end("normal", by="a", status=200)
    return time.process_time() - began


async def test_old_calls_are_forgotten_whole_and_open_ones_never(store: Store) -> None:
    for number in range(3):
        store.records.clock = lambda number=number: NOW + number  # type: ignore[misc]
        record = store.records.begin(f"c{number}")
        record.leg("a", party="101")
        record.event("held")
        if number:
            record.end("normal")
    search = await store.search()
    assert await store.forget_calls(NOW + 2) == 1
    assert [call["id"] for call in await search.page(Query())] == ["c2", "c0"]
    assert await search.page(Query(number="101", until=NOW + 1.5)) == await search.page(
        Query(until=NOW + 0.5)
    )


async def test_statistics_answer_for_any_past_interval(store: Store) -> None:
    visit = Visit("v1", "c1", "sales", "101", NOW)
    store.statistics.visit(visit)
    store.statistics.visit(replace(visit, left_at=NOW + 5, outcome="answered", details={"n": 1}))
    store.statistics.visit(replace(visit, id="v2", entered_at=NOW + 60))
    store.statistics.interval(Interval("anna", NOW, "paused", NOW + 9, "lunch"))
    search = await store.search()
    (found,) = await search.visits(NOW, NOW + 60, "sales")
    assert (found["outcome"], found["details"]) == ("answered", {"n": 1})
    (interval,) = await search.intervals(NOW, NOW + 60, "anna")
    assert (interval["state"], interval["reason"]) == ("paused", "lunch")
    assert await search.visits(NOW, NOW + 99, "support") == []


async def test_messages_wait_for_their_recipient(store: Store, tmp_path: Path) -> None:
    leave = store.messages.leave
    leave("sip:101@x", "sip:102@x", "text/plain", b"\xff\0hi", now=NOW, expires_at=NOW + 60)
    leave("sip:101@x", "sip:102@x", "text/plain", b"late", now=NOW, expires_at=NOW + 1)
    second = await reopened(store, tmp_path)
    (waiting,) = second.messages.waiting("sip:101@x", NOW + 1)
    assert waiting.body == b"\xff\0hi"
    second.messages.delivered(waiting)
    second.messages.delivered(waiting)
    third = await reopened(second, tmp_path)
    assert third.messages.waiting("sip:101@x", NOW) == []
    await third.close()


async def test_voicemail_counts_and_moves(store: Store, tmp_path: Path) -> None:
    for name in ("m1", "m2", "m3"):
        store.voicemail.put(VoiceMessage(name, "101", NOW, 5.5, "102", "Анна", f"{name}.wav"))
    store.voicemail.heard("m1", NOW + 9)
    store.voicemail.move("m2", "103")
    assert store.voicemail.delete("m3") is not None
    second = await reopened(store, tmp_path)
    assert second.voicemail.boxes() == {"101": Counts(0, 1), "103": Counts(1, 0)}
    heard = second.voicemail.get("m1")
    assert heard is not None
    assert (heard.heard_at, heard.caller_name) == (NOW + 9, "Анна")
    await second.close()


async def test_state_returns_and_is_forgotten(store: Store, tmp_path: Path) -> None:
    store.state.set("forward", "101", {"busy": "102"})
    store.state.set("dnd", "101", True)
    before = store.writer.backlog
    store.state.set("dnd", "101", True)
    assert store.writer.backlog <= before
    store.state.remove("dnd", "101")
    second = await reopened(store, tmp_path)
    assert second.state.space("forward") == {"101": {"busy": "102"}}
    assert second.state.get("dnd", "101", False) is False
    await second.close()


async def test_postgresql_keeps_the_same(tmp_path: Path, postgres_url: URL) -> None:
    url = postgres_url.render_as_string(hide_password=False)
    first = await Store.open(tmp_path, url)
    first.state.set("dnd", "101", True)
    first.voicemail.put(VoiceMessage("m1", "101", NOW, 5, "102", None, "m1.wav"))
    first.records.begin("c1", caller="101", caller_name="a\0b", status=200)
    first.records.begin("huge", status=2**80)
    await first.close()
    second = await Store.open(tmp_path, url)
    assert second.state.get("dnd", "101") is True
    assert second.voicemail.counts("101") == Counts(1, 0)
    (call,) = await (await second.search()).page(Query())
    assert (call["caller"], call["cause"]) == ("101", "interrupted")
    assert "1 calls were interrupted" in second.opened.notices[-1]
    await second.close()


async def test_a13_a_look_up_asks_postgresql(postgres_url: URL) -> None:
    """As an administrator writes it: no driver in the URL, numbers of every type."""
    engine = connect(postgres_url)
    async with engine.begin() as connection:
        for statement in (
            "create table customers (phone text, priority numeric, debt money, since date)",
            "insert into customers values ('+79161112233', 5, 3.5, '2026-03-04')",
        ):
            await connection.execute(text(statement))
    await engine.dispose()
    url = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    query = "select *, 'extension:101' as route from customers where phone = :caller_e164"
    async with asking(f'database = "{url}"\nquery = "{query}"\ntimeout = 30') as ask:
        found = await ask()
        assert (list(map(str, found.route)), found.priority) == (["extension:101"], 5)
        assert found.fields == {"phone": "+79161112233", "debt": "$3.50", "since": "2026-03-04"}
        assert (await ask(caller_e164="+7900")).outcome == "missing"
    wrong = "select 1 from customers where since = :caller"
    async with asking(f'database = "{url}"\nquery = "{wrong}"\ntimeout = 30') as ask:
        assert (await ask()).outcome == "failed"


async def test_a_data_folder_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(StoreError, match=r"nothing can be kept in .*data: it is no folder"):
        await Store.open(tmp_path / "data")


async def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"postgresql.*cannot be opened") as refused:
        await Store.open(tmp_path, f"postgresql://switch:secret@/x?host={tmp_path}")
    assert "secret" not in str(refused.value)
