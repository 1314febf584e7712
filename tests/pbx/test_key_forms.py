"""Keys in mid-call reach the other party in the form that it takes."""

from __future__ import annotations

from softswitch.calls.digits import read_info
from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import Talk


def infos(talk: Talk) -> list[str | None]:
    """Keys that came to a phone by INFO."""
    return [read_info(request) for request in talk.requests if request.method == "INFO"]


def number_of(world: World, talk: Talk) -> int:
    leg = world.studio.leg_to(talk.media)
    assert leg is not None
    return leg


@in_world('[extensions.102]\ndtmf = "info"')
async def test_info_and_events_are_converted(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    mine, other = await talking(world, anna, boris)
    world.studio.press(number_of(world, mine), "7")  # as events, of which the engine tells
    await world.settle()
    assert infos(other) == ["7"]
    assert world.studio.legs[number_of(world, other)].pressed == ""

    other.press("5")  # by INFO
    await world.settle()
    assert world.studio.legs[number_of(world, mine)].pressed == "5"
    assert infos(mine) == []
    mine.hang_up()
    await world.settle()

    mine, other = await talking(world, anna, clara)
    world.studio.press(number_of(world, mine), "7")
    await world.settle()
    assert infos(other) == []
    assert world.studio.legs[number_of(world, other)].pressed == ""  # the engine passes them on
    mine.hang_up()
    await world.settle()
