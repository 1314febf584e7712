"""Feature codes that an extension dials for itself."""

from __future__ import annotations

import pytest

from softswitch.api.view import RefusedError
from softswitch.api.views.desk import Desk
from tests.pbx.world import World, in_world
from tests.support.phone import until


@in_world()
async def test_forwarding_on_and_off(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    boris.dial("*72103")
    await world.pass_time(4)
    assert world.told() == ["forward-on", "digits:103"]

    talk = anna.dial("102")
    await clara.rings(within=1)
    assert not boris.is_ringing
    talk.hang_up()
    boris.dial("*73")
    await world.pass_time(3)
    anna.dial("102")
    await boris.rings(within=1)


@in_world()
async def test_a_command_forwards_only_to_what_can_be_dialled(world: World) -> None:
    """A slip of the pen would send every call of an extension to nowhere."""
    desk = Desk(world.switch)
    for slip in ("1O2", "10 2", "", "101", "102\r\n"):
        with pytest.raises(RefusedError):
            desk.command_extension("101", "forward", slip)
    assert world.switch.wishes("101").always == ()

    desk.command_extension("101", "forward", "+74951234567")
    assert [str(to) for to in world.switch.wishes("101").always] == ["number:+74951234567"]


@in_world()
async def test_forwarding_asks_for_the_number_where_none_was_dialled(world: World) -> None:
    boris = await world.phone("102")
    talk = boris.dial("*72")
    await world.settle()
    assert world.hears(talk) == {"forward-enter-number"}
    talk.press("103#")
    await world.pass_time(4)
    assert world.told()[-1] == "digits:103"
    assert [str(target) for target in world.switch.wishes("102").always] == ["number:103"]


@in_world()
async def test_do_not_disturb(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    boris.dial("*78")
    await world.pass_time(2)
    talk = anna.dial("102")
    await until(lambda: talk.ended)
    assert talk.statuses[-1] == 486
    boris.dial("*79")
    await world.pass_time(2)
    assert world.told() == ["dnd-on", "dnd-off"]
    anna.dial("102")
    await boris.rings(within=1)


@in_world()
async def test_echo_until_hash(world: World) -> None:
    anna = await world.phone("101")
    talk = anna.dial("*43")
    await world.pass_time(1.5)
    assert world.hears(talk) == {"101"}
    talk.press("5#")
    await until(lambda: talk.ended)
    assert world.told() == ["echo-begin", "echo-end"]


@in_world('[switch]\ntimezone = "Europe/Moscow"\n')
async def test_the_time_is_told(world: World) -> None:
    anna = await world.phone("101")
    talk = anna.dial("*60")
    await until(lambda: talk.ended)
    kinds = [name.partition(":")[0] for name in world.told()]
    assert kinds == ["date-is", "day", "time-is", "time"]


@in_world()
async def test_the_last_caller_is_told_and_called_back(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    for caller in (clara, anna):
        talk = caller.dial("102")
        await boris.rings()
        talk.hang_up()
        await world.settle()

    mine = boris.dial("*69")
    await world.pass_time(1.5)
    assert world.told() == ["last-caller", "digits:101"]
    mine.press("1")
    (await anna.rings()).answer()
    await world.settle()
    assert world.hears(mine) == {"101"}


@in_world()
async def test_nobody_has_called_yet(world: World) -> None:
    boris = await world.phone("102")
    talk = boris.dial("*69")
    await until(lambda: talk.ended)
    assert world.told() == ["vm-unknown-caller"]


# -- pickup ------------------------------------------------------------------------------

GROUPS = """
[extensions.102]
pickup = ["room"]
[extensions.103]
pickup = ["room"]
[pickup.room]
members = ["104"]
"""


@in_world()
async def test_a_call_is_picked_up_by_number(world: World) -> None:
    """P12."""
    anna, boris, clara = await world.phones("101", "102", "103")
    talk = anna.dial("102")
    ringing = await boris.rings()

    mine = clara.dial("**102")
    await until(lambda: talk.answered and mine.answered)
    await world.settle()
    assert ringing.ended
    assert ringing.reasons == ('SIP;cause=200;text="Call completed elsewhere"',)
    assert (world.hears(talk), world.hears(mine)) == ({"103"}, {"101"})
    first, second = world.records()
    assert first["answered_by"] == "103"
    mine.hang_up()
    await until(lambda: talk.ended)
    assert second["dialled"] == "**102"


@pytest.mark.parametrize("member", ["103", "104"])
@in_world(GROUPS)
async def test_a_group_takes_what_has_rung_longest(world: World, member: str) -> None:
    """P13: also who is named by the group's own table."""
    anna, boris = await world.phones("101", "102")
    front = await world.phone("101")
    colleague = await world.phone(member)
    first = anna.dial("102")
    await boris.rings()
    second = front.dial("102")
    await boris.rings()

    mine = colleague.dial("*8")
    await until(lambda: mine.answered and first.answered)
    assert not second.answered
    again = colleague.dial("*8")
    await until(lambda: again.answered and second.answered)


@in_world(GROUPS)
async def test_a_stranger_to_the_group_picks_up_nothing(world: World) -> None:
    anna, boris = await world.phones("101", "102")
    anna.dial("102")
    ringing = await boris.rings()
    other = await world.phone("101")
    talk = other.dial("*8")
    await until(lambda: talk.ended)
    assert world.told() == ["pickup-none"]
    assert not ringing.ended


@in_world()
async def test_a_pickup_a_moment_after_the_answer_finds_nothing(world: World) -> None:
    anna, boris, clara = await world.phones("101", "102", "103")
    talk = anna.dial("102")
    ringing = await boris.rings()
    ringing.answer()
    late = clara.dial("**102")
    await until(lambda: late.ended)
    assert world.hears(talk) == {"102"}
