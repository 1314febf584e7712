"""A handset as a full extension that changes its base in mid-call (P20, P21, P22)."""

from __future__ import annotations

from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import until

BASE = "10.0.2.2"


@in_world()
async def test_a_handset_moves_by_invite(world: World) -> None:
    """P21: contact and media address change in one re-INVITE; sound goes on at once."""
    anna, handset = await world.phones("101", "102")
    talk, mine = await talking(world, anna, handset)
    world.move(handset, BASE)
    mine.move()
    await world.settle()
    assert (world.hears(talk), world.hears(mine)) == ({"102"}, {"101"})
    talk.hang_up()
    await until(lambda: mine.ended)


@in_world()
async def test_a_handset_moves_by_registering_elsewhere(world: World) -> None:
    """P21: what the switch has to say goes to the new base, whose sound is believed."""
    anna, handset = await world.phones("101", "102")
    talk, mine = await talking(world, anna, handset)
    leg = world.legs_of("102")[0]
    world.move(handset, BASE)
    assert await handset.register() == 200

    assert leg.session.dialog is not None
    assert leg.session.dialog.remote_target == f"sip:102@{BASE}:5060"
    assert len(world.events("roamed")) == 1
    talk.hang_up()
    await until(lambda: mine.ended)
    again = anna.dial("102")
    (await handset.rings()).answer()
    await until(lambda: again.answered)


@in_world()
async def test_a_second_phone_that_registers_takes_no_call_over(world: World) -> None:
    anna, desk = await world.phones("101", "102")
    talk, mine = await talking(world, anna, desk)
    await world.phone("102")
    await desk.register()
    await world.settle()
    assert not world.events("roamed")
    talk.hang_up()
    await until(lambda: mine.ended)


@in_world()
async def test_a_call_is_transferred_to_a_handset_wherever_it_is(world: World) -> None:
    """P22."""
    anna, boris, handset = await world.phones("101", "102", "103")
    talk, mine = await talking(world, anna, boris)
    world.move(handset, BASE)
    await handset.register()
    mine.refer("103")
    (await handset.rings()).answer()
    await until(lambda: mine.ended)
    assert world.hears(talk) == {"103"}
