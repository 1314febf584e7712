"""Parking: a call waits in a slot for any phone (P17)."""

from __future__ import annotations

from tests.pbx.test_transfer import talking
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

PARK = "[park]\nrecall = 20\n"


@in_world(PARK)
async def test_a_call_is_parked_and_fetched_from_another_phone(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    talk, mine = await talking(world, anna, boris)
    mine.refer("*68")
    await until(lambda: mine.ended)
    assert world.told() == ["park-slot", "digits:71"]
    assert mine.sipfrags[-1] == "SIP/2.0 200 OK"
    assert world.hears(talk) == {"music"}
    assert [parked.slot for parked in world.switch.parking] == ["71"]

    fetched = clara.dial("71")
    await until(lambda: fetched.answered)
    await world.settle()
    assert (world.hears(talk), world.hears(fetched)) == ({"103"}, {"101"})
    assert "71" not in world.switch.parking
    fetched.hang_up()
    await until(lambda: talk.ended)


@in_world(PARK)
async def test_an_empty_slot_says_so(world: World) -> None:
    anna = await world.phone("101")
    talk = anna.dial("71")
    await until(lambda: talk.ended)
    assert world.told() == ["park-empty"]


@in_world(PARK + 'slots = "71-71"\n')
async def test_where_all_slots_are_taken_the_call_comes_back(world: World) -> None:
    anna, boris, clara, dora = await world.phones("101", "102", "103", "104")
    _, mine = await talking(world, anna, boris)
    mine.refer("*68")
    await until(lambda: mine.ended)
    other, second = await talking(world, clara, dora)
    second.refer("*68")
    await world.pass_time(3)
    assert second.sipfrags[-1].startswith("SIP/2.0 503")
    assert "park-full" in world.told()
    assert world.hears(other) == {"104"}


async def parked(world: World) -> tuple[Talk, Talk]:
    anna, boris = await world.phones("101", "102")
    talk, mine = await talking(world, anna, boris)
    mine.refer("*68")
    await until(lambda: mine.ended)
    return talk, mine


@in_world(PARK)
async def test_after_a_while_it_returns_to_who_parked_it(world: World) -> None:
    talk, mine = await parked(world)
    boris = mine.phone
    recalled = await boris.rings(within=21)
    assert recalled.shown == "71: Phone 101 <101>"
    assert world.hears(talk) == {"music"}
    recalled.answer()
    await world.settle()
    assert world.hears(talk) == {"102"}


@in_world(PARK)
async def test_while_it_rings_back_anybody_may_fetch_it(world: World) -> None:
    talk, mine = await parked(world)
    recalled = await mine.phone.rings(within=21)
    clara = await world.phone("103")
    fetched = clara.dial("71")
    await until(lambda: fetched.answered and recalled.ended)
    await world.settle()
    assert world.hears(talk) == {"103"}


@in_world(PARK + 'then = "extension:104"\n[extensions.102]\nring_time = 5\n')
async def test_where_he_does_not_answer_it_goes_where_the_settings_say(world: World) -> None:
    talk, _ = await parked(world)
    dora = await world.phone("104")
    (await dora.rings(within=30)).answer()
    await world.settle()
    assert world.hears(talk) == {"104"}


@in_world(PARK)
async def test_who_waits_may_hang_up(world: World) -> None:
    talk, _ = await parked(world)
    talk.hang_up()
    await world.settle()
    assert len(world.switch.parking) == 0


@in_world(PARK)
async def test_dialling_the_code_tells_the_slot_and_an_attended_transfer_uses_it(
    world: World,
) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    guest, mine = await talking(world, anna, boris)
    mine.hold()
    second = boris.dial("*68")
    await world.pass_time(3)
    assert world.told() == ["park-slot", "digits:71"]
    mine.refer("*68", replaces=second)
    await until(lambda: mine.ended)
    fetched = clara.dial("71")
    await world.settle()
    assert (world.hears(guest), world.hears(fetched)) == ({"103"}, {"101"})


@in_world(PARK + '[in_call]\npark = "*5"\n')
async def test_a_key_parks(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    guest, mine = await talking(world, anna, boris)
    mine.press("*5")
    await until(lambda: mine.ended)
    assert world.hears(guest) == {"music"}


PAGE = PARK + 'page = "floor"\n[paging.floor]\nmembers = ["103", "104"]\n'


@in_world(PAGE)
async def test_a_page_tells_everybody_that_a_call_waits(world: World) -> None:
    """P17: you are wanted on line 71."""
    clara, dora = await world.phones("103", "104")
    guest, _ = await parked(world)
    told = [await phone.rings(within=1) for phone in (clara, dora)]
    await world.settle()
    for talk in told:
        assert talk.shown == "floor <71>"
        assert world.hears(talk) == {"page-call-waiting", "digits:71"}
    await until(lambda: all(talk.ended for talk in told))
    fetched = clara.dial("71")
    await world.settle()
    assert world.hears(guest) == {"103"} and fetched.answered
