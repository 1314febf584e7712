"""Complaint 39: an agent leaves a caller on hold and forgets him."""

from __future__ import annotations

import pytest

from softswitch.api.views.centre import Centre
from tests.pbx.test_queue import joined, queue, state
from tests.pbx.world import World, in_world
from tests.support.phone import Phone, Talk, until

FORGOTTEN = "forgotten = {{ after = 60, grace = 10, then = {then} }}\n"


def rules(then: str = "recall", strategy: str = "linear") -> str:
    return queue(FORGOTTEN.format(then=f'"{then}"'), strategy)


async def forgotten(world: World) -> tuple[Talk, Talk, Phone]:
    """A caller of the queue is on hold at Anna's; both their calls, and Anna's phone."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    await world.pass_time(5)
    desk.hold()
    await world.settle()
    assert world.hears(talk) == {"music"}
    return talk, desk, anna


def alarms(world: World) -> list[str]:
    return [alarm.name for alarm in world.switch.alarms]


def figures(world: World) -> list[tuple[str, float, float]]:
    """(agent, talked, held) of every visit that is over."""
    rows = [row for row in world.store.memory.table("visits") if "talked" in row["details"]]
    return [(r["agent"], r["details"]["talked"], r["details"]["held"]) for r in rows]


@in_world(rules())
async def test_the_agent_gets_a_message_and_supervisors_an_alarm(world: World) -> None:
    talk, desk, anna = await forgotten(world)
    await world.pass_time(60)
    assert alarms(world) == ["queue:sales:hold:anna"]
    [note] = [r for r in anna.requests if r.method == "MESSAGE"]
    assert note.body.decode() == "On hold: Phone 101: on hold for 60 s"
    [event] = world.events("hold-reminded")
    assert event["details"]["agent"] == "anna"
    why = await Centre(world.switch).explain("agent", "anna")
    assert "A caller of sales has been on hold for 60 seconds." in why.sentences

    desk.resume()
    await joined(world, talk, desk)
    assert alarms(world) == []
    await world.pass_time(60)
    assert not anna.is_ringing and world.hears(talk) == {"102"}


@in_world(rules())
async def test_the_agent_is_rung_and_goes_on_with_the_caller(world: World) -> None:
    """One conversation, one after-call work, and the time on hold as it was."""
    talk, desk, anna = await forgotten(world)
    again = await anna.rings(within=80)
    assert again.shown == "On hold: Phone 101 <101>"
    assert world.hears(talk) == {"music"}
    await world.pass_time(3)
    again.answer()
    await joined(world, talk, again)
    await until(lambda: desk.ended, within=1)
    assert state(world, "anna") == "talking" and alarms(world) == []

    await world.pass_time(20)
    again.hold()
    await world.pass_time(5)
    again.resume()
    talk.hang_up()
    await until(lambda: again.ended, within=1)
    assert state(world, "anna") == "wrap-up"
    [(agent, talked, held)] = figures(world)
    assert agent == "anna" and 103 < talked < 106 and 78 < held < 80


@in_world(rules())
async def test_a_recall_in_vain_returns_the_caller_to_his_old_place(world: World) -> None:
    talk, desk, anna = await forgotten(world)
    later, boris = await world.phones("104", "103")
    boris.busy = True
    behind = later.dial("700")
    again = await anna.rings(within=80)
    await until(lambda: again.ended and desk.ended, within=25)
    await world.settle()
    [line] = [queue.line for queue in world.centre.floor.queues.values()]
    assert [row[3].call.customer for row in line] == ["101", "104"]
    assert world.hears(talk) == {"music"} and world.hears(behind) == {"music"}
    assert state(world, "anna") == "wrap-up"

    behind.hang_up()
    boris.busy = False
    desk = await boris.rings(within=30)
    assert not anna.is_ringing  # nobody is asked soon for whom he has forgotten
    desk.answer()
    await joined(world, talk, desk)
    [(_, talked, held)] = figures(world)
    assert 94 < talked < 97 and 89 < held < 91


@in_world(rules("return") + 'greeting = "welcome"\nsticky = { wait = 60 }\n')
async def test_the_caller_may_return_at_once(world: World) -> None:
    """Nobody waits for who has forgotten him, and he is not greeted again."""
    talk, desk, anna = await forgotten(world)
    boris = await world.phone("103")
    other = await boris.rings(within=75)
    assert desk.ended and not anna.is_ringing
    other.answer()
    await joined(world, talk, other)
    agents = [row["agent"] for row in world.store.memory.table("visits")]
    assert agents == ["anna", "boris"] and world.told().count("welcome") == 1
    assert [e["details"]["held"] for e in world.events("hold-returned")] == [
        pytest.approx(70, abs=0.5)
    ]


@pytest.mark.parametrize("who", ["caller", "agent", "taken back"])
@in_world(rules())
async def test_nobody_is_rung_for_one_who_is_on_hold_no_longer(world: World, who: str) -> None:
    talk, desk, anna = await forgotten(world)
    again = await anna.rings(within=80)
    if who == "taken back":
        desk.resume()
    else:
        (talk if who == "caller" else desk).hang_up()
    await until(lambda: again.ended, within=2)
    if who == "taken back":
        await joined(world, talk, desk)
    else:
        assert talk.ended and desk.ended and state(world, "anna") == "wrap-up"
    assert alarms(world) == []


@pytest.mark.parametrize("who", ["caller", "agent"])
@in_world(rules())
async def test_answer_to_the_recall_and_goodbye_cross(world: World, who: str) -> None:
    """In whatever order they come: nobody is left alone on a line."""
    talk, desk, anna = await forgotten(world)
    again = await anna.rings(within=80)
    again.answer()
    (talk if who == "caller" else desk).hang_up()
    await world.pass_time(2)
    assert again.ended == talk.ended
    if not talk.ended:
        await joined(world, talk, again)


@in_world(rules())
async def test_a_short_hold_is_nobodys_business(world: World) -> None:
    _, desk, _ = await forgotten(world)
    for _ in range(3):
        await world.pass_time(50)
        desk.resume()
        await world.settle()
        desk.hold()
    await world.pass_time(50)
    assert alarms(world) == [] and not world.events("hold-reminded")


@pytest.mark.parametrize("held", [30, 69.69])
@in_world(rules("return"))
async def test_a_hold_that_outlives_a_crash_is_no_longer_than_any_other(
    world: World, held: float
) -> None:
    """Though it be time while both phones are asked whether they are there."""
    talk, desk, _ = await forgotten(world)
    boris = await world.phone("103")
    await world.pass_time(held)
    await world.crash()
    other = await boris.rings(within=50)
    assert desk.ended
    other.answer()
    await joined(world, talk, other)
