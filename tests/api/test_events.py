"""The hub: numbered, resumable, cheap, and rid of those who do not read."""

import time
from collections.abc import AsyncIterator

import pytest

from softswitch.api.events import Event, Hub, Listener
from softswitch.api.streams import lines

pytestmark = pytest.mark.anyio


async def heard(listener: Listener, count: int) -> list[tuple[int, str]]:
    events = [await listener.next() for _ in range(count)]
    return [(event.sequence, event.kind) for event in events if event is not None]


async def test_listeners_hear_in_order() -> None:
    hub = Hub(first=1)
    listener = hub.listen()
    hub.publish("call.began", {})
    hub.publish("call.ended", {})
    assert await heard(listener, 2) == [(1, "call.began"), (2, "call.ended")]
    assert hub.heard
    hub.leave(listener)
    assert not hub.heard


async def test_a_listener_resumes_where_it_was() -> None:
    hub = Hub(keep=5, first=1)
    for _ in range(4):
        hub.publish("call", {})
    assert await heard(hub.listen(after=2), 2) == [(3, "call"), (4, "call")]
    hub.publish("call", {})
    assert await heard(hub.listen(after=4), 1) == [(5, "call")]


@pytest.mark.parametrize("after", [3, 0, 99], ids=["too old", "before a restart", "never was"])
async def test_what_is_not_kept_is_said_to_be_lost(after: int) -> None:
    hub = Hub(keep=2, first=1)
    for _ in range(6):
        hub.publish("call", {})
    listener = hub.listen(after=after)
    lost = await listener.next()
    assert lost is not None
    assert (lost.sequence, lost.kind, lost.data) == (4, "lost", {"before": 5})
    assert await heard(listener, 2) == [(5, "call"), (6, "call")]


async def test_a_slow_listener_is_cut_and_told_by_the_end() -> None:
    hub = Hub(first=1)
    slow = hub.listen(backlog=3)
    for _ in range(10):
        hub.publish("call", {})
    assert len(await heard(slow, 4)) == 3
    assert slow.ended
    assert (hub.cut, hub.listeners) == (1, 0)


async def test_what_is_not_wanted_costs_a_listener_nothing() -> None:
    hub = Hub(first=1)
    listener = hub.listen(wanted=lambda event: event.kind == "queue", backlog=2)
    for _ in range(10):
        hub.publish("call", {})
    hub.publish("queue", {})
    assert await heard(listener, 1) == [(11, "queue")]


async def test_closing_ends_those_who_listen_and_those_who_come() -> None:
    hub = Hub()
    before = hub.listen()
    hub.close()
    assert await before.next() is None
    assert await hub.listen().next() is None


async def test_a_stream_is_server_sent_events_with_pings() -> None:
    """WHATWG HTML §9.2.6; a line break in the data stays inside its JSON."""
    hub = Hub(first=7)
    text: AsyncIterator[str] = lines(hub, None, lambda _: True, ping=0.01)
    assert await anext(text) == ": ready\n\n"
    assert await anext(text) == ": ping\n\n"
    hub.publish("note", {"text": "a\nb\u2028"})
    assert await anext(text) == 'id: 7\nevent: note\ndata: {"text": "a\\nb\\u2028"}\n\n'
    hub.close()
    assert [line async for line in text] == []
    assert hub.listeners == 0


def test_publishing_to_nobody_costs_a_microsecond() -> None:
    """Five-fold for a busy machine."""
    hub, data = Hub(), {"call": "c1"}
    best = min(publish_thousand(hub, data) for _ in range(20))
    assert best / 1000 < 5e-6


def publish_thousand(hub: Hub, data: dict[str, str]) -> float:
    began = time.process_time()
    for _ in range(1000):
        hub.publish("call", data)
    return time.process_time() - began


def test_an_event_writes_its_json_once() -> None:
    event = Event(1, "call", {"at": 1.5})
    assert event.text is event.text
