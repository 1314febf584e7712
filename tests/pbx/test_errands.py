"""Callbacks that people promise (D3)."""

from tests.pbx.world import World, in_world

RUSSIA = '[switch]\ncountry = "RU"\n'


@in_world(RUSSIA)
async def test_d3_only_an_answered_call_of_the_owner_closes_it(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    errands = world.switch.errands
    filed = errands.file("101", "102", note="asks for a price")

    clara.dial("102")
    (await boris.rings()).answer()  # somebody else's call
    await world.settle()
    assert errands.all("101") == [filed]
    unanswered = anna.dial("102")
    (await boris.rings()).reject()
    await world.settle()
    assert unanswered.ended and errands.all("101") == [filed]
    anna.dial("102")
    (await boris.rings()).answer()
    await world.settle()

    assert errands.all("101") == []
    [closed] = errands.all("101", closed=True)
    assert closed.call in {row["id"] for row in world.records()}
    assert world.events("errand")


@in_world(RUSSIA)
async def test_d3_those_due_first_come_first_and_are_closed_by_hand(world: World) -> None:
    errands = world.switch.errands
    late = errands.file("101", "+74951234567", due=2000.0)
    soon = errands.file("102", "102", due=1000.0)
    some_day = errands.file("101", "103")

    assert errands.all() == [soon, late, some_day]
    done = errands.close(soon.id)
    assert done is not None and done.closed_at is not None
    assert errands.all() == [late, some_day]
    assert errands.close("nosuch") is None


@in_world(RUSSIA)
async def test_d3_a_number_outside_is_the_same_however_it_is_written(world: World) -> None:
    same = world.switch.errands._same

    assert same("+74951234567", "84951234567")
    assert not same("+74951234567", "84951234568")
    assert same("101", "101") and not same("101", "102")
