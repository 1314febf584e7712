"""Agents by phone and by command: in and out, pauses, after-call work, outside numbers."""

from __future__ import annotations

import pytest

from softswitch.api import models
from softswitch.api.view import RefusedError
from softswitch.api.views.centre import Centre
from tests.pbx.test_queue import joined, queue, state
from tests.pbx.world import CITY, World, in_world
from tests.support.phone import until

DESKS = """
[agents.anna]
extension = "102"
[agents.boris]
code = "42"
pin = "4711"
[queues.sales]
number = "700"
agents = ["anna", "boris"]
wrap_up = 30
"""
OUTSIDE = f"""
[trunks.city]
server = "sip:{CITY}:5060"
[destinations]
mobile = ["89"]
[classes.agents]
dial = ["mobile"]
trunks = ["city"]
[agents.clara]
number = "89161234567"
class = "agents"
logged_in = true
[queues.sales]
number = "700"
agents = ["clara"]
"""


@in_world(DESKS)
async def test_an_agent_logs_in_and_out_at_his_own_desk(world: World) -> None:
    anna = await world.phone("102")
    anna.dial("*45")
    await world.settle()
    assert state(world, "anna") == "busy"  # until the call that logs in is over
    await world.pass_time(3)
    assert world.told() == ["agent-logged-in"] and state(world, "anna") == "idle"
    anna.dial("*45")
    await world.pass_time(3)
    assert world.told()[-1] == "agent-logged-out" and state(world, "anna") == "offline"


@in_world(DESKS)
async def test_a_hot_desk_asks_for_code_and_pin(world: World) -> None:
    caller, desk = await world.phones("101", "104")
    talk = desk.dial("*45")
    await world.settle()
    talk.press("41#")
    await world.pass_time(2)
    assert "agent-unknown" in world.told()
    await world.pass_time(1)
    talk.press("42#")
    await world.pass_time(1)
    talk.press("4711#")
    await until(lambda: talk.ended)
    assert world.centre.floor.agents["boris"].phone == "104"
    caller.dial("700")
    await desk.rings(within=1)


@in_world(DESKS)
async def test_who_sits_down_at_an_occupied_phone_takes_it(world: World) -> None:
    await world.phones("102", "104")
    view = Centre(world.switch)
    view.command_agent("boris", "login", models.AgentWishes(phone="102"))
    view.command_agent("anna", "login", models.AgentWishes())
    assert (state(world, "anna"), state(world, "boris")) == ("idle", "offline")


@in_world(queue())
async def test_a_pause_has_a_reason_and_is_effective_at_once(world: World) -> None:
    caller, anna, boris = await world.phones("101", "102", "103")
    talk = anna.dial("*46")
    await world.settle()
    assert world.centre.floor.agents["anna"].status == "paused"
    caller.dial("700")
    await boris.rings(within=1)
    talk.press("3#")
    await world.pass_time(3)
    assert world.centre.floor.agents["anna"].reason == "3"
    [agent] = [a for a in Centre(world.switch).agents() if a.name == "anna"]
    assert (agent.state, agent.reason) == ("paused", "3")


@in_world(queue())
async def test_after_call_work_is_ended_and_stretched_by_code(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    for code, after, then in (("*47", 4, "idle"), ("*491", 30, "wrap-up"), ("*47", 4, "idle")):
        if state(world, "anna") == "idle":
            talk = caller.dial("700")
            desk = (await anna.rings()).answer()
            await joined(world, talk, desk)
            talk.hang_up()
            await until(lambda: state(world, "anna") == "wrap-up")
        anna.dial(code)
        await world.pass_time(after)
        assert state(world, "anna") == then, code


@in_world(queue())
async def test_after_call_work_is_ended_and_stretched_by_command(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    view = Centre(world.switch)
    with pytest.raises(RefusedError, match="not in wrap-up"):
        view.command_agent("anna", "end-wrap-up", models.AgentWishes())
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    talk.hang_up()
    await world.settle()
    view.command_agent("anna", "wrap-up", models.AgentWishes(seconds=60))
    await world.pass_time(50)
    assert state(world, "anna") == "wrap-up"
    view.command_agent("anna", "end-wrap-up", models.AgentWishes())
    assert state(world, "anna") == "idle"


@in_world(queue())
async def test_three_missed_calls_pause_an_agent(world: World) -> None:
    """Complaint 30."""
    caller, anna, boris = await world.phones("101", "102", "103")
    boris.dial("*45")
    await world.pass_time(5)
    caller.dial("700")
    for _ in range(3):
        await anna.rings(within=90)
        await world.pass_time(21)
    assert state(world, "anna") == "paused"
    assert "missed calls" in world.centre.floor.agents["anna"].reason


@in_world(queue())
async def test_a_supervisor_frees_an_agent(world: World) -> None:
    """Complaint 35."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    Centre(world.switch).command_agent("anna", "free", models.AgentWishes())
    assert state(world, "anna") == "idle"


@in_world(OUTSIDE)
async def test_an_agent_outside_takes_a_call_by_a_key(world: World) -> None:
    """D23."""
    caller, mobile = await world.phone("101"), world.outside(CITY)
    talk = caller.dial("700")
    answered = (await mobile.rings()).answer()
    await world.settle()
    assert world.hears(answered) == {"agent-accept"} and world.hears(talk) == {"music"}
    answered.press("1")
    await until(lambda: world.hears(talk) == {CITY}, within=2)
    assert world.hears(answered) == {"101"}
    answered.hang_up()
    await until(lambda: talk.ended)


@in_world(OUTSIDE)
async def test_a_mobile_s_voicemail_is_no_agent(world: World) -> None:
    caller, mobile = await world.phone("101"), world.outside(CITY)
    talk = caller.dial("700")
    answered = (await mobile.rings()).answer()
    await until(lambda: answered.ended, within=25)
    assert world.hears(talk) == {"music"}
    assert world.events("offered")[0]["details"]["outcome"] == "no-answer"


@in_world(queue().replace('extension = "102"', 'extension = "102"\nrecord = true', 1))
async def test_all_queue_calls_of_an_agent_may_be_recorded(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    caller.dial("700")
    (await anna.rings()).answer()
    await until(lambda: world.studio.recorders, within=5)
    assert world.events("recording")[0]["details"]["why"] == "agent:anna"


@in_world(DESKS + '[menus.m]\nnumber = "500"\nprompt = "welcome"\nkeys = { 1 = "agent:boris" }\n')
async def test_a_target_reaches_an_agent_where_he_sits(world: World) -> None:
    caller, desk = await world.phones("101", "104")
    Centre(world.switch).command_agent("boris", "login", models.AgentWishes(phone="104"))
    talk = caller.dial("500")
    await world.settle()
    talk.press("1")
    (await desk.rings(within=5)).answer()
    await until(lambda: world.hears(talk) == {"104"}, within=1)
    assert state(world, "boris") == "busy"
