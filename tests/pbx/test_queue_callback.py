"""Callbacks: the caller hangs up, keeps the place, and is called in time, exactly once."""

from __future__ import annotations

from tests.pbx.test_queue import joined, queue, state
from tests.pbx.world import World, in_world
from tests.support.phone import Phone, Talk, until

CALLBACK = """
exit_keys = { 2 = "callback" }
[queues.sales.callback]
retry_every = 60
retries = 1
ring_time = 20
"""


def callback(mode: str, more: str = "") -> str:
    return queue(f'{CALLBACK}mode = "{mode}"\n{more}').replace('"anna", "boris"]', '"anna"]')


async def ask_for_callback(world: World, phone: Phone) -> Talk:
    """Wait in the queue, press the key, confirm the number, and hear that it is taken."""
    talk = phone.dial("700")
    await world.settle()
    talk.press("2")
    await world.pass_time(1)
    talk.press("1")
    await until(lambda: talk.ended)
    assert world.told()[-1] == "callback-accepted"
    return talk


async def busy_agent(world: World) -> tuple[Phone, Talk]:
    """Anna talks with a caller of the queue, so whoever comes now waits."""
    other, anna = await world.phones("104", "102")
    first = other.dial("700")
    desk = await anna.rings()
    desk.answer()
    await joined(world, first, desk)
    return anna, first


@in_world(callback("agent-first"))
async def test_the_agent_answers_and_the_customer_is_dialled(world: World) -> None:
    anna, first = await busy_agent(world)
    customer = await world.phone("101")
    await ask_for_callback(world, customer)
    assert list(world.centre.floor.promised) == ["101"]

    first.hang_up()
    await world.pass_time(10)  # the wrap-up
    desk = await anna.rings(within=1)
    assert desk.shown == "Sales: 101 <101>"
    desk.answer()
    back = await customer.rings(within=1)
    assert back.shown == "Sales <700>"
    assert world.hears(desk) == {"tone:ringback"}
    back.answer()
    await joined(world, back, desk)
    assert not world.centre.floor.promised

    back.hang_up()
    await until(lambda: desk.ended, within=1)
    assert state(world, "anna") == "wrap-up"
    outcomes = [row["outcome"] for row in world.store.memory.table("visits")]
    assert outcomes == ["answered", "callback", "answered"]


@in_world(callback("customer-first"))
async def test_the_customer_is_dialled_when_an_agent_is_free_and_waits_in_his_old_place(
    world: World,
) -> None:
    anna, first = await busy_agent(world)
    customer = await world.phone("101")
    await ask_for_callback(world, customer)
    await world.settle()
    assert not customer.is_ringing

    first.hang_up()
    back = await customer.rings(within=30)
    assert not anna.is_ringing
    back.answer()
    desk = await anna.rings(within=11)
    assert "callback-connecting" in world.told()
    desk.answer()
    await joined(world, back, desk)
    assert world.records()[-1]["direction"] == "outbound"


@in_world(callback("agent-first"))
async def test_a_customer_who_does_not_answer_is_tried_again_and_then_given_up(
    world: World,
) -> None:
    anna, first = await busy_agent(world)
    customer = await world.phone("101")
    await ask_for_callback(world, customer)
    first.hang_up()
    for attempt in (1, 2):
        desk = await anna.rings(within=80)
        desk.answer()
        back = await customer.rings(within=1)
        await world.pass_time(21)
        assert back.ended and desk.ended, attempt
        assert state(world, "anna") == "idle"
    await world.pass_time(120)
    assert not customer.is_ringing and not anna.is_ringing
    assert world.store.memory.table("visits")[-1]["outcome"] == "expired"
    assert not world.switch.store.state.space("callbacks")


@in_world(callback("agent-first"))
async def test_an_agent_who_hangs_up_while_the_customer_rings_leaves_the_promise_open(
    world: World,
) -> None:
    anna, first = await busy_agent(world)
    customer = await world.phone("101")
    await ask_for_callback(world, customer)
    first.hang_up()
    desk = await anna.rings(within=20)
    desk.answer()
    back = await customer.rings(within=1)
    desk.hang_up()
    await until(lambda: back.ended, within=1)
    assert list(world.centre.floor.promised) == ["101"]

    desk = await anna.rings(within=100)
    desk.answer()
    (await customer.rings(within=1)).answer()
    await until(lambda: world.hears(desk) == {"101"})


@in_world(callback("agent-first"))
async def test_nobody_is_promised_a_call_that_may_not_be_made(world: World) -> None:
    await busy_agent(world)
    talk = (await world.phone("101")).dial("700")
    await world.settle()
    talk.press("2")
    await world.pass_time(1)
    talk.press("2")
    await world.pass_time(1)
    talk.press("84951234567#")
    await world.pass_time(1)
    talk.press("1")
    await world.pass_time(3)
    assert "callback-refused" in world.told()
    assert world.hears(talk) == {"music"} and not world.centre.floor.promised
