"""A fault of ours costs the leg that brings it about, or a tick, before it costs the engine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from media import commands, events
from media.backends import Batch
from media.engine import Engine
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Instant, Seconds
from media.wire import Framer
from tests.media.test_engine_process import settings


class BrokenError(Exception):
    """What the tests let go wrong."""


@pytest.fixture
def switch() -> Iterator[tuple[socket.socket, Engine]]:
    ours, theirs = socket.socketpair()
    configure: MediaSettings = settings("epoll", pairs=4)
    with ours, theirs:
        engine = Engine(theirs, commands.Configure(configure, 0))
        for row in range(2):
            engine._core.handle(commands.Open(row + 1, row), 0.0)
            engine._core.handle(commands.Connect(row + 1, Stream(("127.0.0.1", 9))), 0.0)
        yield ours, engine
        engine.close()


def told(ours: socket.socket, engine: Engine) -> list[events.Event]:
    engine._tell()
    found: list[events.Event] = Framer().feed(ours.recv(1 << 16))
    return found


def test_a_packet_that_breaks_us_ends_its_leg_alone(
    switch: tuple[socket.socket, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, engine = switch
    handled: list[int] = []

    def turn(batch: Batch, now: Instant) -> None:
        if 0 in batch.sockets:
            raise BrokenError
        handled.extend(batch.sockets.tolist())

    monkeypatch.setattr(engine._core, "turn", turn)
    both = np.array([0, 2])
    engine._turn(Batch(both, np.arange(2), np.array([172, 172]), False), 1.0)
    closed = [event.leg for event in told(ours, engine) if isinstance(event, events.Closed)]
    assert (handled, closed) == ([2], [1])


def test_a_tick_may_fail_but_not_every_one(
    switch: tuple[socket.socket, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, engine = switch

    def tick(now: Instant, frames: int, late: Seconds) -> None:
        raise BrokenError

    monkeypatch.setattr(engine._core, "tick", tick)
    for _ in range(4):
        engine._tick(1.0, 1, 0.0)
    with pytest.raises(BrokenError):
        engine._tick(1.0, 1, 0.0)


def test_a_graph_that_cannot_be_compiled_ends_the_engine(
    switch: tuple[socket.socket, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, engine = switch

    def compile_(*, plan: bool) -> None:
        raise BrokenError

    monkeypatch.setattr(engine._core, "compile", compile_)
    none = np.zeros(0, np.int64)
    with pytest.raises(BrokenError):
        engine._turn(Batch(none, none, none, False), 1.0)
