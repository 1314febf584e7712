"""Phones outside as members, followers and third parties (P10, P11, P22, D6)."""

from __future__ import annotations

from tests.pbx.test_transfer import talking
from tests.pbx.world import CITY, MOBILES, World, in_world
from tests.support.phone import Phone, until

OFFICE = (
    MOBILES
    + """
[extensions.101]
class = "staff"
[extensions.102]
class = "staff"
ring_time = 10
follow_me = { targets = ["number:+79161234567"], after = 3, ring_time = 20 }
[groups.office]
number = "600"
members = ["103", "number:+79161234567"]
ring = "all"
"""
)


LINE = '[lines."74951234567"]\nany = "extension:104"\n'


async def office(world: World) -> tuple[Phone, Phone, Phone]:
    anna, boris = await world.phones("101", "102")
    return anna, boris, world.outside(CITY)


@in_world(OFFICE)
async def test_an_answer_outside_counts_when_a_key_is_pressed(world: World) -> None:
    """P22: the extension rings on meanwhile."""
    anna, boris, mobile = await office(world)
    talk = anna.dial("102")
    await boris.rings()
    answered = (await mobile.rings(within=4)).answer()
    await world.settle()
    assert world.hears(answered) == {"agent-accept"}
    assert boris.is_ringing and not talk.answered
    answered.press("1")
    await until(lambda: talk.answered)
    await world.settle()
    assert not boris.is_ringing
    assert world.hears(talk) == {CITY} and world.hears(answered) == {"101"}


@in_world(OFFICE)
async def test_a_mobile_s_voicemail_takes_no_call(world: World) -> None:
    anna, boris, mobile = await office(world)
    talk = anna.dial("102")
    await boris.rings()
    answered = (await mobile.rings(within=4)).answer()
    await world.pass_time(16)
    assert answered.ended and not talk.answered


@in_world(OFFICE)
async def test_a_group_rings_a_member_outside(world: World) -> None:
    anna, _, mobile = await office(world)
    clara = await world.phone("103")
    talk = anna.dial("600")
    ringing = await clara.rings()
    (await mobile.rings()).answer()
    await until(lambda: talk.answered)
    await world.settle()
    assert ringing.ended and world.hears(talk) == {CITY}


@in_world(OFFICE.replace('"number:+79161234567"]', '"number:84951234567"]') + LINE)
async def test_our_own_line_that_leads_to_an_extension_is_rung_inside(world: World) -> None:
    """As a member of a group, and as a third party by keys; no trunk is seized."""
    anna, boris, mobile = await office(world)
    clara, dora = await world.phones("103", "104")
    anna.dial("600")
    await clara.rings()
    (await dora.rings()).answer()
    await world.settle()
    _, mine = await talking(world, boris, clara)
    mine.press("*284951234567#")
    await dora.rings()
    assert not mobile.talks


@in_world(OFFICE)
async def test_who_may_not_dial_outside_does_not_reach_the_member_there(world: World) -> None:
    _, _, mobile = await office(world)
    clara = await world.phone("103")
    dora = await world.phone("104")
    dora.dial("600")
    await clara.rings()
    await world.settle()
    assert not mobile.talks and len(world.events("not-dialled")) == 1


@in_world(OFFICE)
async def test_a_third_party_outside_is_consulted_and_given_the_call(world: World) -> None:
    anna, boris, mobile = await office(world)
    guest, mine = await talking(world, boris, anna)
    mine.press("*2+79161234567#".replace("+7", "8"))
    third = (await mobile.rings()).answer()
    await world.settle()
    assert world.hears(mine) == {CITY} and world.hears(guest) == {"music"}
    mine.hang_up()
    await world.settle()
    assert world.hears(guest) == {CITY}
    third.hang_up()
    await until(lambda: guest.ended)


@in_world(OFFICE + "[transfer]\noutside = false\n")
async def test_transfers_outside_may_be_forbidden(world: World) -> None:
    anna, boris, mobile = await office(world)
    mine, _ = await talking(world, anna, boris)
    mine.refer("89161234567")
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 403 Forbidden"
    assert not mobile.talks


@in_world(OFFICE)
async def test_two_outside_parties_are_not_left_alone(world: World) -> None:
    """`[transfer] outside_to_outside`: a thief would transfer himself around the world."""
    anna, _, mobile = await office(world)
    mine = anna.dial("89161234567")
    (await mobile.rings()).answer()
    await until(lambda: mine.answered)
    mine.refer("89169999999")
    await world.settle()
    assert mine.sipfrags[-1] == "SIP/2.0 403 Forbidden"
    assert world.hears(mine) == {CITY}
