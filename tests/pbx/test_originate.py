"""Calls that begin at the switch: a phone is rung, then connected (O8, P32)."""

from __future__ import annotations

from softswitch.calls.call import Call
from softswitch.calls.dial import ring
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.originate import originate
from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world()
async def test_who_answers_is_connected_with_whom_he_wanted(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    originate(world.switch, "101", "102")
    mine = (await anna.rings()).answer()
    assert mine.shown == "Phone 102 <102>"
    (await boris.rings()).answer()
    await world.settle()
    assert world.hears(mine) == {"102"}


@in_world()
async def test_an_answer_that_comes_before_anybody_listens_is_not_missed(world: World) -> None:
    """On a busy machine a phone may be quicker than the task that waits for it."""
    anna = await world.phone("101")
    anna.answers = True
    [place] = world.switch.phones("101", None, shown=Party("102"))
    won: list[Leg] = []

    async def late(call: Call) -> None:
        first, call.leg.on_end = call.leg, None
        await world.pass_time(1.0)
        call.remove(first)
        won.append(await ring(call, [lambda: first], ring_time=10))
        call.serve(won[0])

    world.switch.begin(place(), late, caller="101")
    await until(lambda: won, within=3)
