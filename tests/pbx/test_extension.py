"""A person's phones: forwards, several devices, a second call, follow-me (P22, P36)."""

from __future__ import annotations

import gc
import weakref
from typing import Any
from unittest import mock

from media.handles import MediaLeg
from softswitch.calls.leg import Leg
from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import until

FORWARDS = """
[extensions.102]
ring_time = 10
forward = { busy = "extension:103", no_answer = "extension:104", unregistered = "extension:101" }
"""


@in_world()
async def test_all_devices_ring_and_one_answers(world: World) -> None:
    """P36."""
    anna, desk = await world.phones("101", "102")
    handset = await world.phone("102")
    talk = anna.dial("102")
    first, second = await desk.rings(), await handset.rings()
    second.answer()
    await until(lambda: talk.answered)
    await world.settle()
    assert first.reasons == ('SIP;cause=200;text="Call completed elsewhere"',)


@in_world(extensions=2)
async def test_both_ends_of_a_call_are_in_one_media_engine(world: World) -> None:
    """Else each would need a link of two more pairs of ports to be heard by the other."""
    anna, boris = await world.phones("101", "102")
    opened: list[tuple[MediaLeg, MediaLeg | None]] = []
    plain = world.media.open

    def opening(*given: Any, beside: MediaLeg | None = None, **named: Any) -> MediaLeg:
        leg = plain(*given, beside=beside, **named)
        opened.append((leg, beside))
        return leg

    with mock.patch.object(world.media, "open", opening):
        talk = anna.dial("102")
        (await boris.rings()).answer()
        await until(lambda: talk.answered)
    (first, alone), (_, beside) = opened
    assert alone is None
    assert beside is first


@in_world(extensions=2)
async def test_calls_and_messages_follow_the_path_by_which_a_phone_registered(
    world: World,
) -> None:
    """RFC 3327 §5.2."""
    anna, boris = await world.phone("101"), world.bare_phone("102")
    host, port = boris.station.address
    edge = f"<sip:{host}:{port};lr>"
    assert await boris.register(headers=[("Supported", "path"), ("Path", edge)]) == 200
    anna.dial("102")
    ringing = await boris.rings()
    assert ringing.invite.headers.values("Route") == [edge]
    await anna.message("102", "Hello")
    assert boris.requests[-1].headers.values("Route") == [edge]


@in_world('[extensions.103]\nsecond_call = "busy"\n[extensions.104]\nmax_calls = 2\n')
async def test_a_second_call_by_the_extension_s_policy(world: World) -> None:
    """P36: ring, busy, or ring up to a number of calls."""
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    await talking(world, boris, clara)
    second = anna.dial("103")
    await until(lambda: second.ended)
    assert second.statuses[-1] == 486
    await talking(world, boris, dora)
    third = anna.dial("104")
    await until(lambda: third.statuses == [180])
    fourth = (await world.phone("101")).dial("104")
    await until(lambda: fourth.ended)
    assert fourth.statuses[-1] == 486


@in_world(FORWARDS)
async def test_forwards_by_condition(world: World) -> None:
    anna, clara, dora = await world.phones("101", "103", "104")
    talk = clara.dial("102")
    await anna.rings(within=1)
    talk.hang_up()
    boris = await world.phone("102")
    talk = anna.dial("102")
    await boris.rings()
    await dora.rings(within=11)
    talk.hang_up()
    await world.settle()
    boris.busy = True
    anna.dial("102")
    await clara.rings(within=1)


@in_world('[extensions.103]\nforward = { always = "number:104" }\n')
async def test_forwards_in_a_circle_end(world: World) -> None:
    anna, clara, dora = await world.phones("101", "103", "104")
    dora.dial("*72103")
    await world.pass_time(4)
    talk = anna.dial("103")
    await until(lambda: talk.ended)
    assert talk.statuses[-1] == 482
    assert not clara.talks


FOLLOW = """
[extensions.102]
ring_time = 12
follow_me = { targets = ["extension:103", "extension:104"], after = 5, ring_time = 15 }
"""


@in_world(FOLLOW)
async def test_other_phones_join_in_after_a_while(world: World) -> None:
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    talk = anna.dial("102")
    await boris.rings()
    await world.pass_time(4)
    assert not clara.is_ringing
    await world.pass_time(2)
    assert boris.is_ringing and clara.is_ringing and dora.is_ringing
    dora.talks[0].answer()
    await until(lambda: talk.answered)
    await world.settle()
    assert not boris.is_ringing and not clara.is_ringing
    assert world.hears(talk) == {"104"}


@in_world(FOLLOW)
async def test_where_the_extension_has_no_phone_the_others_ring_at_once(world: World) -> None:
    anna, clara = await world.phones("101", "103")
    anna.dial("102")
    await clara.rings(within=1)


@in_world()
async def test_a_call_that_is_over_leaves_nothing_to_the_collector(world: World) -> None:
    """It may stop everything else for as long as callers wait for ringing: see app/garbage."""
    anna, boris = await world.phones("101", "102")
    gc.collect()
    gc.disable()
    try:
        talk, _ = await talking(world, anna, boris)
        [call] = world.switch.calls.values()
        parts = [weakref.ref(part) for part in (call, *call.legs)]
        del call
        talk.hang_up()
        await world.settle()
        assert not world.switch.calls
        assert [part() for part in parts] == [None, None, None]
    finally:
        gc.enable()


@in_world()
async def test_phones_that_rang_in_vain_leave_nothing_to_the_collector(world: World) -> None:
    anna, desk = await world.phones("101", "102")
    handset = await world.phone("102")
    gc.collect()
    gc.disable()
    try:
        talk = anna.dial("102")
        ringing = await desk.rings()
        await handset.rings()
        legs = [weakref.ref(leg) for leg in world.legs_of("102")]
        ringing.answer()
        await until(lambda: talk.answered)
        await world.settle()
        assert [leg() is None for leg in legs].count(True) == 1  # the other one talks
        talk.hang_up()
        await world.settle()
        assert [leg() for leg in legs] == [None, None]
    finally:
        gc.enable()


@in_world()
async def test_a_refused_call_leaves_nothing_to_the_collector(world: World) -> None:
    """The failure that a script ends with knows all its frames, and they know the failure."""
    anna, boris = await world.phones("101", "102")
    boris.busy = True
    gc.collect()
    gc.disable()
    try:
        legs: list[weakref.ref[Leg]] = []
        world.switch.watchers.append(lambda leg: legs.append(weakref.ref(leg)))
        talk = anna.dial("102")
        await until(lambda: talk.ended)
        await world.settle()
        assert legs and not any(leg() for leg in legs)
    finally:
        gc.enable()


@in_world("[extensions.101]\ndevices = 2\n")
async def test_p36_one_device_too_many_takes_the_place_of_the_oldest(world: World) -> None:
    for _ in range(3):
        await world.phone("101")

    assert len(world.locations.of("101")) == 2
