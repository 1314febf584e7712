"""Figures of the past are those that were true then: rows tell what the engine said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from acd.actions import Action
from acd.events import Event
from acd.floor import Floor
from acd.metrics.definitions import AGENT, QUEUE, figures
from acd.metrics.logbook import Logbook
from acd.metrics.tallies import agent_tallies, queue_tally
from softswitch.pbx.queue import past
from tests.pbx.test_queue import joined, queue
from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world(queue('exit_keys = { 1 = "hangup:busy" }\n'))
async def test_a_day_of_rows_gives_the_figures_of_the_live_log(world: World) -> None:
    live = listen(world)
    caller, other, anna, boris = await world.phones("101", "104", "102", "103")
    talk = caller.dial("700")
    await world.pass_time(3)
    desk = await anna.rings()
    desk.reject()
    desk = await boris.rings(within=2)
    desk.answer()
    await joined(world, talk, desk)
    await world.pass_time(20)
    desk.hold()
    await world.pass_time(5)
    desk.resume()
    await world.pass_time(5)
    talk.hang_up()
    gone = other.dial("700")
    await world.pass_time(8)
    gone.hang_up()
    left = other.dial("700")
    await world.settle()
    left.press("1")
    await until(lambda: left.ended)
    anna.dial("*45")
    await world.pass_time(30)

    rows, now = world.store.memory, world.centre.keeper.clock()
    log = past.logbook(rows.table("visits"), rows.table("agent_intervals"), now)
    live.now = now
    assert figures(QUEUE, queue_tally(log, "sales")) == pytest.approx(
        figures(QUEUE, queue_tally(live, "sales")), abs=0.05, nan_ok=True
    )
    told, known = agent_tallies(log), agent_tallies(live)
    for name in ("anna", "boris"):
        assert figures(AGENT, told[name]) == pytest.approx(figures(AGENT, known[name]), abs=0.05)
    words = [line.split("|")[4] for line in past.queue_log(rows.table("visits"), [])]
    assert words == [
        "ENTERQUEUE", "RINGNOANSWER", "CONNECT", "COMPLETECALLER",
        "ENTERQUEUE", "RINGCANCELED", "ABANDON", "ENTERQUEUE", "RINGCANCELED", "EXITWITHKEY",
    ]  # fmt: skip


def listen(world: World) -> Logbook:
    """A logbook that is told everything from the beginning."""
    log, history = Logbook(), world.centre.keeper.history
    take = history.take
    begun = [(agent.name, agent.state) for agent in world.centre.floor.agents.values()]
    assert all(state == "unreachable" for _, state in begun)

    def listening(event: Event, actions: Iterable[Action], floor: Floor) -> None:
        actions = list(actions)
        take(event, actions, floor)
        log.take(actions, floor.now)

    history.take = listening  # type: ignore[method-assign]
    return log


def test_a_callback_that_begins_as_its_callers_visit_ends_is_another_visit() -> None:
    """One moment, one call, one queue: the first visit is over, only the promise waits."""
    first = row("first", 100.0, left_at=110.0, outcome="callback")
    promise = row("promise", 110.0, details={"callback": True})
    for visits in ([first, promise], [promise, first]):
        tally = queue_tally(past.logbook(visits, [], 120.0), "sales")
        assert (tally.offered, tally.callback, tally.waiting) == (1, 1, 0)
        assert (tally.callbacks, tally.waiting_now) == (1, 0)


def test_a_visit_that_begins_and_ends_at_once_is_over() -> None:
    visits = [row(name, 100.0, left_at=100.0, outcome="abandoned") for name in ("one", "two")]
    tally = queue_tally(past.logbook(visits, [], 120.0), "sales")
    assert (tally.offered, tally.abandoned, tally.waiting) == (2, 2, 0)


def row(name: str, entered_at: float, **facts: object) -> dict[str, object]:
    """A visit as the store has it."""
    empty = dict.fromkeys(("connected_at", "left_at", "outcome", "agent", "details"))
    known = {"id": name, "call_id": "c", "queue": "sales", "caller": "101"}
    return known | empty | {"entered_at": entered_at} | facts


@in_world(queue('exit_keys = { 1 = "queue:sales" }\n'))
async def test_who_leaves_a_queue_and_joins_it_again_at_once_has_made_two_visits(
    world: World,
) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    anna.busy = boris.busy = True
    talk = caller.dial("700")
    await world.pass_time(3)
    talk.press("1")
    await world.settle()
    first, second = world.store.memory.table("visits")
    assert (first["outcome"], second["outcome"]) == ("exit", None)
    assert first["left_at"] == pytest.approx(second["entered_at"], abs=0.01)
