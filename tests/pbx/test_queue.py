"""A caller waits, an agent answers, they talk, the agent wraps up; and all that may go wrong."""

from __future__ import annotations

import pytest

from acd.actions import Offer
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

QUEUE = """
[agents.anna]
extension = "102"
logged_in = true
[agents.boris]
extension = "103"
logged_in = true
[queues.sales]
number = "700"
name = "Sales"
agents = ["anna", "boris"]
strategy = "linear"
ring_time = 20
wrap_up = 10
"""


def queue(more: str = "", strategy: str = "linear") -> str:
    return QUEUE.replace('"linear"', f'"{strategy}"') + more


def state(world: World, agent: str) -> str:
    return world.centre.floor.agents[agent].state.value


async def joined(world: World, caller: Talk, agent: Talk) -> None:
    """Both hear each other."""
    await until(lambda: world.hears(caller) == {agent.phone.number}, within=1)
    assert world.hears(agent) == {caller.phone.number}


@in_world(queue())
async def test_a_caller_waits_is_joined_with_an_agent_who_wraps_up_afterwards(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = caller.dial("700")
    desk = await anna.rings(within=1)
    assert world.hears(talk) == {"music"} and not boris.is_ringing
    assert desk.shown == "Sales: Phone 101 <101>"
    assert state(world, "anna") == "ringing"

    desk.answer()
    await joined(world, talk, desk)
    assert state(world, "anna") == "talking"
    await world.pass_time(30)
    talk.hang_up()
    await until(lambda: desk.ended, within=1)
    assert state(world, "anna") == "wrap-up"
    await world.pass_time(10)
    assert state(world, "anna") == "idle"

    record = world.records()[0]
    assert (record["queue"], record["agent"]) == ("sales", "anna")
    [visit] = world.store.memory.table("visits")
    assert (visit["outcome"], visit["agent"], visit["queue"]) == ("answered", "anna", "sales")


@in_world(queue())
async def test_sound_flows_both_ways_at_once_after_the_answer(world: World) -> None:
    """Complaint 54: it was made ready while the phone rang; a tenth of a second is allowed."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    desk.answer()
    await until(lambda: world.hears(talk) == {"102"} and world.hears(desk) == {"101"}, within=0.1)


@in_world(queue())
async def test_a_fault_in_one_call_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaint 64: what the engine decides is carried out for all others."""
    caller, other, anna, boris = await world.phones("101", "104", "102", "103")
    carry_out = world.centre.offering.offer

    def fail_for_anna(offer: Offer) -> None:
        if offer.agent == "anna":
            raise RuntimeError("a fault of ours")
        carry_out(offer)

    monkeypatch.setattr(world.centre.offering, "offer", fail_for_anna)
    first = caller.dial("700")
    await world.settle()
    second = other.dial("700")
    desk = (await boris.rings()).answer()
    await joined(world, second, desk)
    monkeypatch.undo()
    second.hang_up()
    desk = await boris.rings(within=40)
    assert not anna.is_ringing
    desk.answer()
    await joined(world, first, desk)
