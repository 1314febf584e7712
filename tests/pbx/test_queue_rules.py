"""What callers of a queue hear, where they go, and in what order they are served."""

from __future__ import annotations

from softswitch.api import models
from softswitch.api.views.centre import Centre
from tests.pbx.test_queue import joined, queue, state
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

NOBODY = queue().replace("logged_in = true", "logged_in = false")


def nobody(more: str) -> str:
    """Nobody is logged in."""
    return NOBODY + more


async def outcome(world: World, talk: Talk) -> str:
    await until(lambda: talk.ended, within=30)
    return str(world.store.memory.table("visits")[-1]["outcome"])


ANNOUNCE = """
greeting = "welcome"
announce = { first = 10, every = 30, wait = false }
periodic = [{ prompts = ["queue-thanks", "lunch"], first = 20, every = 30 }]
playlist = ["holiday"]
playlist_every = 45
"""


@in_world(nobody(ANNOUNCE))
async def test_greeting_position_periodic_messages_and_playlist(world: World) -> None:
    """Complaints 52 and 53: on an explicit schedule, over the music."""
    caller = await world.phone("101")
    talk = caller.dial("700")
    await world.settle()
    assert world.hears(talk) == {"welcome"}
    await world.pass_time(5)
    assert world.hears(talk) == {"music"}
    await world.pass_time(55)
    assert world.told() == [
        "welcome", "queue-next", "queue-thanks", "queue-next", "holiday", "lunch",
    ]  # fmt: skip
    assert world.hears(talk) == {"music"}


@in_world(queue(ANNOUNCE))
async def test_no_announcement_delays_a_match(world: World) -> None:
    """Complaint 51."""
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    assert world.hears(talk) == {"welcome"}
    desk.answer()
    await joined(world, talk, desk)


@in_world(nobody('exit_keys = { 1 = "extension:104" }\n'))
async def test_a_key_leads_out(world: World) -> None:
    caller, other = await world.phones("101", "104")
    talk = caller.dial("700")
    await world.settle()
    talk.press("1")
    (await other.rings(within=1)).answer()
    await world.settle()
    assert world.hears(talk) == {"104"}
    assert world.store.memory.table("visits")[0]["outcome"] == "exit"


@in_world(nobody('hold = false\noverflow = { to = "extension:104" }\n'))
async def test_a_queue_without_hold_sends_on_at_once(world: World) -> None:
    caller, other = await world.phones("101", "104")
    talk = caller.dial("700")
    await other.rings(within=1)
    assert not talk.answered


@in_world(queue("hold = false\n"))
async def test_a_queue_without_hold_rings_and_answers_with_the_agent(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    talk = caller.dial("700")
    desk = await anna.rings()
    assert 180 in talk.statuses and not talk.answered
    desk.answer()
    await until(lambda: talk.answered, within=1)
    await joined(world, talk, desk)


@in_world(
    nobody('max_wait = 30\noverflow = { to = ["queue:second", "hangup:busy"] }\n')
    + """
[queues.second]
number = "701"
agents = ["boris"]
max_wait = 20
overflow = { to = "extension:104" }
"""
)
async def test_a_chain_of_overflows_keeps_the_arrival(world: World) -> None:
    """Complaint 10."""
    caller, other = await world.phones("101", "104")
    caller.dial("700")
    await world.pass_time(31)
    [waiting] = Centre(world.switch).waiting()
    assert waiting.queue == "second"
    assert world.centre.floor.calls[waiting.call].arrived < waiting.entered_at - 29
    await other.rings(within=22)
    ended = [row["outcome"] for row in world.store.memory.table("visits")]
    assert ended == ["timed-out", "timed-out"]


@in_world(nobody("max_length = 1\n"))
async def test_a_full_queue_says_so(world: World) -> None:
    first, second = await world.phones("101", "104")
    first.dial("700")
    await world.settle()
    talk = second.dial("700")
    assert await outcome(world, talk) == "refused-full"
    assert "queue-full" in world.told() and talk.statuses[-1] == 486


@in_world(nobody('join = "logged-in"\nempty = "extension:104"\n'))
async def test_nobody_joins_a_queue_without_agents(world: World) -> None:
    caller, other = await world.phones("101", "104")
    caller.dial("700")
    await other.rings(within=1)
    assert world.store.memory.table("visits")[0]["outcome"] == "refused-no-agents"


@in_world(queue('stay = "ready"\nempty = "extension:104"\n'))
async def test_callers_leave_when_the_last_agent_does(world: World) -> None:
    caller, other, anna = await world.phones("101", "104", "102")
    anna.busy = True
    talk = caller.dial("700")
    await world.settle()
    assert world.hears(talk) == {"music"}
    anna.dial("*45")
    await other.rings(within=2)
    assert world.store.memory.table("visits")[0]["outcome"] == "no-agents"


@in_world(queue('open = ["day"]\nclosed = "extension:104"\n') + "[modes.day]\nhours = []\n")
async def test_a_closed_queue_sends_on(world: World) -> None:
    caller, other = await world.phones("101", "104")
    caller.dial("700")
    await other.rings(within=1)
    assert world.store.memory.table("visits")[0]["outcome"] == "refused-closed"


@in_world(queue("sticky = { wait = 30 }\n"))
async def test_a_caller_gets_the_agent_of_last_time(world: World) -> None:
    caller, other, anna, boris = await world.phones("101", "104", "102", "103")
    anna.dial("*46")  # paused: Boris gets the call
    await world.pass_time(8)
    talk = caller.dial("700")
    (await boris.rings()).answer()
    await world.settle()
    talk.hang_up()
    anna.dial("*46")
    await world.pass_time(15)
    caller.dial("700")
    await boris.rings(within=1)
    assert not anna.is_ringing
    other.dial("700")
    await anna.rings(within=1)


@in_world(nobody("keep_place = 60\n"))
async def test_the_place_of_one_who_drops_is_kept(world: World) -> None:
    first, second = await world.phones("101", "104")
    dropped = first.dial("700")
    await world.settle()
    second.dial("700")
    await world.settle()
    dropped.hang_up()
    await world.pass_time(10)
    first.dial("700")
    await world.settle()
    assert [w.caller for w in Centre(world.switch).waiting()] == ["101", "104"]


@in_world(nobody("") + '[queues.other]\nnumber = "701"\nagents = ["boris"]\n')
async def test_priority_and_queue_of_a_waiting_call_are_changed_at_once(world: World) -> None:
    """Complaint 7."""
    first, second = await world.phones("101", "104")
    first.dial("700")
    await world.settle()
    talk = second.dial("700")
    await world.settle()
    view = Centre(world.switch)
    view.change_waiting(view.waiting()[1].call[:6], models.WaitingWish(priority=5))
    assert [w.caller for w in view.waiting()] == ["104", "101"]
    view.change_waiting(view.waiting()[0].call, models.WaitingWish(queue="other"))
    assert [(w.caller, w.queue) for w in view.waiting()] == [("101", "sales"), ("104", "other")]
    assert world.hears(talk) == {"music"}
    view.change_waiting(view.waiting()[1].call, models.WaitingWish(leave="hangup:busy"))
    await until(lambda: talk.ended)


@in_world(queue("record = true\n") + '[switch]\ndata = "/nonexistent/softswitch"\n')
async def test_calls_of_a_queue_are_recorded(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    caller.dial("700")
    (await anna.rings()).answer()
    await until(lambda: world.studio.recorders, within=5)
    assert world.events("recording")[0]["details"]["why"] == "queue:sales"


@in_world(queue('[queues.other]\nnumber = "701"\nagents = ["anna"]\n'))
async def test_a_queue_and_an_agent_are_taken_out_while_both_are_in_use(world: World) -> None:
    caller, other, anna, boris = await world.phones("101", "104", "102", "103")
    boris.busy = True
    talk = caller.dial("700")
    desk = (await anna.rings()).answer()
    await joined(world, talk, desk)
    waits = other.dial("701")
    await world.settle()
    assert world.hears(waits) == {"music"}
    sales = world.settings.queues["sales"].model_copy(update={"agents": ("boris",)})
    world.switch.apply(
        world.settings.model_copy(
            update={
                "queues": {"sales": sales},
                "agents": {"boris": world.settings.agents["boris"]},
            }
        )
    )
    await until(lambda: waits.ended, within=10)
    await anna.register(0)
    talk.hang_up()
    await until(lambda: desk.ended)
    await world.settle()
    assert list(world.centre.floor.agents) == ["boris"]


@in_world(queue() + "[agents.anna2]\n")
async def test_new_settings_touch_nobody_who_waits(world: World) -> None:
    """Complaint 66: neither agents nor callers notice a reload but by its effect."""
    caller, anna = await world.phones("101", "102")
    anna.busy = True
    talk = caller.dial("700")
    await world.settle()
    queues = {
        name: table.model_copy(update={"wrap_up": 99.0})
        for name, table in world.settings.queues.items()
    }
    world.switch.apply(world.settings.model_copy(update={"queues": queues}))
    await world.settle()
    assert world.hears(talk) == {"music"}
    assert state(world, "anna") in ("idle", "resting")
    assert world.centre.floor.queues["sales"].settings.wrap_up == 99.0


@in_world(nobody("alarms = { longest_wait = 20, clear_after = 10 }\n"))
async def test_a_long_wait_raises_an_alarm(world: World) -> None:
    caller = await world.phone("101")
    talk = caller.dial("700")
    await world.pass_time(30)
    assert [alarm.name for alarm in world.switch.alarms] == ["queue:sales:longest-wait"]
    talk.hang_up()
    await world.pass_time(30)
    assert not list(world.switch.alarms)


@in_world(queue())
async def test_why_is_told(world: World) -> None:
    caller, anna = await world.phones("101", "102")
    anna.dial("*46")
    await world.pass_time(8)
    caller.dial("700")
    await world.settle()
    view = Centre(world.switch)
    why = await view.explain("agent", "anna")
    assert "No call is offered to anna: paused: no reason given." in why.sentences
    call = view.waiting()[0].call
    waits = await view.explain("waiting", call)
    assert any("anna: paused" in sentence for sentence in waits.sentences)
    queue_too = await view.explain("queue", "sales")
    assert queue_too.sentences[0] == "sales is open: 1 wait, 2 agents logged in, 0 ready."
    anna.dial("*46")
    await anna.rings(within=10)
    told = await view.explain("call", call)
    assert "anna" in told.sentences[0] and "sales" in told.sentences[0]
