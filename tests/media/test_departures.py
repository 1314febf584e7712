"""Mixed packets leave in step with the clock, whatever it took to make them."""

from __future__ import annotations

import numpy as np
import pytest

from media.backends.sockets import Sockets
from media.departures import Departures
from media.types import TICK, Instant
from tests.media.virtual import PEER, ListBackend

ROWS = 600


@pytest.fixture
def backend() -> ListBackend:
    sockets = Sockets([(20000 + 2 * i, -1, -1) for i in range(ROWS)], ROWS)
    for row in range(ROWS):
        sockets.aim(2 * row, (PEER, 30000 + row))
    return ListBackend(sockets)


def make(departures: Departures, rows: int, tick: Instant, took: float) -> None:
    """A tick's packets, ready so long after it was due."""
    departures.begin()
    first = departures.reserve(rows)
    at = np.arange(first, first + rows)
    departures.send(2 * np.arange(rows), departures.pool.addresses(at), np.full(rows, 12))
    departures.schedule(tick, took)


def leave(departures: Departures, backend: ListBackend) -> list[Instant]:
    """Let all leave when it is due; when each row's packet left."""
    backend.sent.clear()
    while departures.due < np.inf:
        backend.now = departures.due
        departures.release(backend.now)
    assert [sent.socket for sent in backend.sent] == [2 * row for row in range(len(backend.sent))]
    return [sent.at for sent in backend.sent]


def test_a_tick_made_sooner_than_the_last_leaves_at_the_same_moment(backend: ListBackend) -> None:
    departures = Departures(backend)
    lefts = []
    for number, took in enumerate((0.004, 0.002, 0.003, 0.002)):
        make(departures, ROWS, number * TICK, took)
        lefts.append(np.array(leave(departures, backend)) - number * TICK)
    assert len(lefts[0]) == ROWS
    for left in lefts[1:]:
        assert np.abs(left - lefts[0]).max() < 0.0001


def test_all_leave_before_the_next_tick(backend: ListBackend) -> None:
    departures = Departures(backend)
    make(departures, ROWS, 0.0, 0.012)
    assert max(leave(departures, backend)) < TICK


def test_an_accident_does_not_hold_the_next_ticks_back(backend: ListBackend) -> None:
    departures = Departures(backend)
    make(departures, 10, 0.0, 0.002)
    make(departures, 10, TICK, 0.5)
    backend.now = TICK + 0.5
    departures.release(backend.now)
    make(departures, 10, 26 * TICK, 0.002)
    assert leave(departures, backend)[0] - 26 * TICK < 0.003


def test_what_is_late_leaves_with_all_that_is_due_by_then(backend: ListBackend) -> None:
    departures = Departures(backend)
    make(departures, ROWS, 0.0, 0.001)
    departures.release(TICK)
    assert len(backend.sent) == ROWS
    assert departures.due == np.inf


def test_what_a_listener_was_to_get_leaves_before_its_new_source(backend: ListBackend) -> None:
    departures = Departures(backend)
    make(departures, 10, 0.0, 0.001)
    departures.hasten(np.array([3, 7]))
    assert [sent.socket for sent in backend.sent] == [6, 14]
    departures.release(departures.due)
    assert len({sent.socket for sent in backend.sent}) == len(backend.sent) == 10


def test_more_than_there_is_room_for_leaves_at_once(backend: ListBackend) -> None:
    """Memory is used again only when what lay in it has left."""
    departures = Departures(backend)
    for _ in range(8):
        first = departures.reserve(ROWS)
        at = np.arange(first, first + ROWS)
        departures.send(2 * np.arange(ROWS), departures.pool.addresses(at), np.full(ROWS, 12))
    assert len(backend.sent) == 6 * ROWS
