"""kill -9: callers keep their places, promises are kept, agents are as they were (complaint 69)."""

from __future__ import annotations

import pytest

from softswitch.api.views.centre import Centre
from softswitch.store.errors import JournalFullError
from tests.pbx.test_queue import joined, queue, state
from tests.pbx.test_queue_callback import CALLBACK, ask_for_callback
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

ONE = queue().replace('"anna", "boris"]', '"anna"]')


@in_world(ONE)
async def test_callers_whose_phones_are_still_there_keep_their_places(world: World) -> None:
    first, second, anna = await world.phones("101", "103", "102")
    anna.busy = True
    one = first.dial("700")
    await world.settle()
    two = second.dial("700")
    await world.pass_time(30)

    await world.crash()
    await world.settle()
    assert world.hears(one) == {"music"} and world.hears(two) == {"music"}
    [line] = [queue.line for queue in world.centre.floor.queues.values()]
    assert [row[3].call.customer for row in line] == ["101", "103"]
    assert line[0][3].waited(world.centre.keeper.clock()) >= 30

    anna.busy = False
    desk = await anna.rings(within=60)
    desk.answer()
    await joined(world, one, desk)
    one.hang_up()
    await world.pass_time(11)
    again = await anna.rings(within=1)
    again.answer()
    await joined(world, two, again)
    visits = world.store.memory.table("visits")
    assert [(row["caller"], row["outcome"]) for row in visits] == [
        ("101", "answered"),
        ("103", "answered"),
    ]


@in_world(ONE)
async def test_a_caller_whose_phone_has_gone_is_called_back_in_his_place(world: World) -> None:
    first, second, anna = await world.phones("101", "103", "102")
    anna.busy = True
    one = first.dial("700")
    await world.settle()
    two = second.dial("700")
    await world.settle()
    one.session.hangup()  # nobody hears of it
    world.station.silence()
    await world.pass_time(1)

    await world.crash()
    await world.pass_time(7)
    anna.busy = False
    desk = await anna.rings(within=60)
    assert desk.shown == "Sales: 101 <101>"
    desk.answer()
    back = await first.rings(within=1)
    back.answer()
    await joined(world, back, desk)
    assert world.hears(two) == {"music"}


@in_world(queue("hold = false\n"))
async def test_a_caller_who_is_not_held_rings_on(world: World) -> None:
    """Nobody has answered him: his INVITE still waits for its answer, or may be cancelled."""
    first, second, anna, boris = await world.phones("101", "104", "102", "103")
    one, two = first.dial("700"), second.dial("700")
    await world.pass_time(3)
    assert anna.is_ringing and boris.is_ringing

    await world.crash()
    await world.settle()
    two.hang_up()
    await until(lambda: two.ended)
    assert len(world.centre.floor.calls) == 1
    anna.answers = boris.answers = True
    await until(lambda: one.answered, within=60)
    await until(lambda: world.hears(one) & {"102", "103"})
    assert one.statuses == [180, 180, 200]


@in_world(queue())
async def test_agents_pauses_and_wrap_up_return(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    boris.dial("*46")
    await world.pass_time(8)
    talk = caller.dial("700")
    desk = await anna.rings()
    desk.answer()
    await joined(world, talk, desk)
    talk.hang_up()
    await world.pass_time(3)
    assert (state(world, "anna"), state(world, "boris")) == ("wrap-up", "paused")

    await world.crash()
    assert (state(world, "anna"), state(world, "boris")) == ("wrap-up", "paused")
    await world.pass_time(7.5)
    assert state(world, "anna") == "idle"
    boris.dial("*46")
    await world.settle()
    assert state(world, "boris") == "busy"  # on the line with us
    await world.pass_time(5)
    assert state(world, "boris") == "idle"


async def talking(world: World) -> tuple[Talk, Talk]:
    """101 has called the queue, and talks with anna: their ends."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    return talk, desk


@in_world(queue())
async def test_a_conversation_goes_on(world: World) -> None:
    """The same visit, the same talk: it is as long as it was, restart included."""
    talk, desk = await talking(world)
    await world.pass_time(20)

    await world.crash()
    assert state(world, "anna") == "talking"
    await joined(world, talk, desk)
    await world.pass_time(30)
    talk.hang_up()
    await world.settle()
    assert desk.ended
    assert state(world, "anna") == "wrap-up"
    [visit] = world.store.memory.table("visits")
    assert visit["details"]["talked"] == pytest.approx(50, abs=2)
    assert visit["details"]["ended_by"] == "caller"
    assert not world.store.state.space("conversations")
    await world.pass_time(11)
    assert state(world, "anna") == "idle"


@in_world(queue())
async def test_an_agent_whose_caller_has_gone_meanwhile_is_let_go(world: World) -> None:
    talk, desk = await talking(world)
    await world.pass_time(2)
    world.station.silence()
    talk.hang_up()  # nobody hears of it
    await world.pass_time(1)

    await world.crash()
    await until(lambda: desk.ended)
    assert state(world, "anna") == "wrap-up"
    await world.pass_time(11)
    assert state(world, "anna") == "idle"


@in_world(queue())
async def test_an_agent_whose_phone_has_gone_meanwhile_is_not_stuck(world: World) -> None:
    talk, desk = await talking(world)
    await world.pass_time(2)
    world.station.silence()
    desk.hang_up()
    await world.pass_time(1)

    await world.crash()
    await until(lambda: talk.ended)
    assert state(world, "anna") == "wrap-up"


@in_world(ONE)
async def test_an_agent_whose_own_call_goes_on_is_busy(world: World) -> None:
    other, caller, anna = await world.phones("104", "101", "102")
    direct = other.dial("102")
    private = (await anna.rings()).answer()
    await world.pass_time(2)

    await world.crash()
    assert state(world, "anna") == "busy"
    await until(lambda: world.hears(direct) == {"102"} and world.hears(private) == {"104"})
    waiting = caller.dial("700")
    await world.pass_time(2)
    assert world.hears(waiting) == {"music"}
    assert state(world, "anna") == "busy"
    direct.hang_up()
    await until(lambda: private.ended)
    (await anna.rings()).answer()


@in_world(queue(f'{CALLBACK}mode = "agent-first"\n').replace('"anna", "boris"]', '"anna"]'))
async def test_promises_are_kept(world: World) -> None:
    customer, anna = await world.phones("101", "102")
    anna.busy = True
    await ask_for_callback(world, customer)

    await world.crash()
    assert list(world.centre.floor.promised) == ["101"]
    anna.busy = False
    desk = await anna.rings(within=60)
    desk.answer()
    (await customer.rings(within=1)).answer()
    await until(lambda: world.hears(desk) == {"101"}, within=1)
    assert not world.centre.floor.promised


@in_world(queue())
async def test_why_somebody_was_served_before_the_crash_is_still_known(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    boris.dial("*46")
    await world.pass_time(8)
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    [call] = world.centre.floor.talking
    view = Centre(world.switch)
    before = await view.explain("call", call)
    assert before.sentences[-1] == "  boris: paused."
    talk.hang_up()
    await world.settle()

    await world.crash()
    after = await Centre(world.switch).explain("call", call)
    assert after.sentences == before.sentences


@in_world(queue())
async def test_a_full_disk_stops_no_call_and_is_made_up_for(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    keep = world.queue_log.append

    def full(event: bytes) -> int:
        raise JournalFullError("no space")

    world.queue_log.append = full  # type: ignore[method-assign]
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    assert "queue-journal" in {alarm.name for alarm in world.switch.alarms}
    world.queue_log.append = keep  # type: ignore[method-assign]
    await world.pass_time(31)
    assert not list(world.switch.alarms)
    talk.hang_up()
    await world.settle()

    await world.crash()
    assert state(world, "anna") == "wrap-up"
