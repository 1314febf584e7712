"""kill -9 while two talk: they go on talking."""

from __future__ import annotations

from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world()
async def test_two_who_talk_hear_each_other_again(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    desk = (await boris.rings()).answer()
    await world.pass_time(5)

    await world.crash()
    await until(lambda: world.hears(talk) == {"102"} and world.hears(desk) == {"101"})
    [call] = world.switch.calls.values()
    assert (call.leg.party.number, call.dialled) == ("101", "102")
    assert world.switch.busy("101") and world.switch.busy("102")

    await world.crash()  # and once more
    await until(lambda: world.hears(talk) == {"102"} and world.hears(desk) == {"101"})
    desk.hang_up()
    await until(lambda: talk.ended)
    assert not world.store.state.space("conversations")


@in_world()
async def test_who_was_on_hold_hears_music_again(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    desk = (await boris.rings()).answer()
    await world.pass_time(2)
    desk.hold()
    await world.pass_time(2)

    await world.crash()
    await until(lambda: world.hears(talk) == {"music"})
    desk.resume()
    await until(lambda: world.hears(talk) == {"102"})


@in_world()
async def test_where_one_is_gone_the_other_is_let_go(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    (await boris.rings()).answer()
    await world.pass_time(2)
    world.station.silence()
    talk.hang_up()  # nobody hears of it
    await world.pass_time(1)

    await world.crash()
    await until(lambda: boris.talks[0].ended)
    assert not world.store.state.space("conversations")


@in_world()
async def test_what_was_over_at_once_is_not_written_down(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    talk = anna.dial("102")
    (await boris.rings()).answer()
    await until(lambda: talk.answered)
    assert not world.store.state.space("conversations")
    talk.hang_up()
    await world.pass_time(2)
    assert not world.store.state.space("conversations")
