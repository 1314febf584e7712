"""Door phones: who rings, who may open, and that it is written down (P18, P19)."""

from __future__ import annotations

import asyncio

from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

DOOR = """
[extensions.104]
name = "Box at the door"
[groups.office]
members = ["101", "102"]
[doors.front]
extension = "104"
name = "Front door"
to = "group:office"
number = "690"
digit = "9"
"""
BY_KEYS = DOOR + 'unlock = { dtmf = "55#" }\n'
BY_INFO = DOOR + 'allowed = ["102"]\nunlock = { info = "open", content_type = "text/plain" }\n'


async def at_the_door(world: World) -> tuple[Talk, Talk]:
    """Somebody pressed the button, and 102 has answered."""
    anna, boris, door = await world.phones("101", "102", "104")
    outside = door.dial("button")
    inside = await boris.rings()
    assert inside.shown == "Front door <104>"
    assert anna.is_ringing
    inside.answer()
    await until(lambda: outside.answered)
    await world.settle()
    assert not anna.is_ringing
    return outside, inside


@in_world(BY_KEYS)
async def test_a_key_opens_the_door_and_is_logged(world: World) -> None:
    outside, inside = await at_the_door(world)
    outside.press("9")
    await world.settle()
    assert not world.events("door-opened")
    inside.press("9")
    await world.settle()
    leg = world.studio.leg_to(outside.media)
    assert leg is not None and world.studio.legs[leg].pressed == "955#"  # its own key, and ours
    [event] = world.events("door-opened")
    assert event["details"] == {"door": "front", "by": "102"}
    assert world.hears(inside) == {"104"}


@in_world(BY_INFO)
async def test_a_lock_opens_by_info_for_those_permitted(world: World) -> None:
    outside, inside = await at_the_door(world)
    inside.press("9")
    await world.settle()
    [info] = [request for request in outside.requests if request.method == "INFO"]
    assert (info.content_type, info.body) == ("text/plain", b"open")
    assert len(world.events("door-opened")) == 1


@in_world(BY_INFO)
async def test_who_may_not_open_is_refused_and_logged(world: World) -> None:
    anna, door = await world.phones("101", "104")
    door.answers = True
    talk = anna.dial("690")
    await until(lambda: talk.answered)
    await world.settle()
    assert world.hears(talk) == {"104"}
    talk.press("9")
    await world.settle()
    assert [event["details"]["by"] for event in world.events("door-refused")] == ["101"]
    assert not world.events("door-opened")


@in_world(DOOR + 'unlock = { http = "http://127.0.0.1:1/open" }\n')
async def test_a_lock_that_does_not_answer_is_logged(world: World) -> None:
    _, inside = await at_the_door(world)
    inside.press("9")
    for _ in range(200):  # real sockets need turns of the loop, not time
        await asyncio.sleep(0)
        if world.events("door-failed"):
            break
        await world.pass_time(0.01)
    assert len(world.events("door-failed")) == 1


@in_world(BY_KEYS)
async def test_nobody_inside_can_be_rung(world: World) -> None:
    door = await world.phone("104")
    talk = door.dial("button")
    await until(lambda: talk.ended)
    assert talk.statuses[-1] == 480
