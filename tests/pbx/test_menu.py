"""Menus: P4, P5, P6, I1, I2, I7, and the edges of their trees."""

import pytest

from config.targets import HANGUPS
from media.items import Prompt
from softswitch.pbx.play import cause_named
from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

TREE = """
[menus.main]
number = "500"
prompt = "welcome"
keys = { 1 = "menu:sales", 2 = ["play:closed", "play:holiday"], 9 = "language:ru", 8 = "dial" }
timeout = 4.0
digit_time = 2.0
tries = 2
no_input = "extension:102"
invalid = "hangup:not-found"
[menus.sales]
prompt = "please-wait"
keys = { 1 = "menu:deep", "*" = "back", 7 = "repeat" }
[menus.deep]
prompt = "thank-you"
keys = { 1 = "extension:103" }
[menus.account]
number = "501"
prompt = "enter-number"
collect = { field = "account", least = 3, most = 6, then = "extension:103", confirm = true }
keys = { "*" = "hangup:normal" }
[menus.late]
number = "502"
prompt = "welcome"
answer_after = 5.0
"""


async def call(world: World, number: str = "500") -> Talk:
    [anna] = await world.phones("101")
    talk = anna.dial(number)
    await until(lambda: talk.answered)
    await world.settle()
    return talk


@in_world(TREE)
async def test_p4_an_extension_dialled_during_the_greeting_is_rung(world: World) -> None:
    boris = await world.phone("103")
    talk = await call(world)
    assert world.hears(talk) == {"welcome"}
    talk.press("103")
    (await boris.rings()).answer()
    await world.settle()

    assert world.hears(talk) == {"103"}


@in_world(TREE)
async def test_p5_who_presses_nothing_is_passed_to_the_operator(world: World) -> None:
    operator = await world.phone("102")
    talk = await call(world)
    (await operator.rings(within=30)).answer()
    await world.settle()

    assert world.told() == ["welcome", "welcome"]
    assert world.hears(talk) == {"102"}


@in_world(TREE)
async def test_p6_a_tree_is_walked_there_and_back(world: World) -> None:
    boris = await world.phone("103")
    talk = await call(world)
    for keys, prompt in (("1", "please-wait"), ("*", "welcome"), ("1", "please-wait")):
        talk.press(keys)
        await world.pass_time(2.5)
        assert world.told()[-1] == prompt
    talk.press("7")
    await world.settle()
    assert world.told()[-1] == "please-wait"
    talk.press("11")  # the second is typed ahead of the prompt
    (await boris.rings()).answer()

    assert "thank-you" not in world.told()


@in_world(TREE)
async def test_p6_what_means_nothing_takes_the_invalid_branch(world: World) -> None:
    talk = await call(world)
    for _ in range(2):
        talk.press("7")
        await world.pass_time(3.0)
    await until(lambda: talk.ended)

    assert world.told() == ["welcome", "invalid", "welcome", "invalid"]
    assert world.records()[0]["cause"] == "not-found"


@in_world(TREE)
async def test_i1_announcements_follow_each_other(world: World) -> None:
    talk = await call(world)
    talk.press("2")
    await until(lambda: talk.ended)

    assert world.told() == ["welcome", "closed", "holiday"]
    assert world.records()[0]["cause"] == "normal"


@in_world(TREE)
async def test_the_language_chosen_by_key_is_kept_with_the_call(world: World) -> None:
    talk = await call(world)
    talk.press("9")
    await world.settle()

    prompts = [item for items in world.studio.played for item in items]
    assert prompts == [Prompt("welcome", "en"), Prompt("welcome", "ru")]


@in_world(TREE)
async def test_dial_asks_for_an_extension(world: World) -> None:
    boris = await world.phone("103")
    talk = await call(world)
    talk.press("8")
    await world.settle()
    assert world.hears(talk) == {"dial-extension"}
    talk.press("103#")

    assert await boris.rings()


@in_world(TREE)
async def test_a_place_that_fails_brings_the_caller_back_to_the_menu(world: World) -> None:
    boris = await world.phone("103")
    boris.busy = True
    talk = await call(world)
    talk.press("103")
    await world.pass_time(1.5)

    assert world.told() == ["welcome", "busy", "welcome"]


@in_world(TREE)
async def test_i7_digits_are_read_back_and_kept_with_the_call(world: World) -> None:
    boris = await world.phone("103")
    talk = await call(world, "501")
    talk.press("12#")  # too few
    await world.pass_time(1.5)
    talk.press("1234#")
    await world.settle()
    assert world.hears(talk) == {"digits:1234", "callback-confirm"}
    talk.press("1")
    await boris.rings()

    [record] = world.records()
    assert record["details"]["fields"] == {"account": "1234"}


@in_world(TREE)
async def test_it_rings_for_a_while_before_it_answers(world: World) -> None:
    [anna] = await world.phones("101")
    talk = anna.dial("502")
    await world.pass_time(4.0)
    assert talk.statuses == [180]
    await world.pass_time(2.0)

    assert talk.answered


@pytest.mark.parametrize("cause", ["busy", "declined", "gone", "forbidden"])
def test_hangup_refuses_with_the_status_of_its_cause(cause: str) -> None:
    assert cause_named(cause).status == HANGUPS[cause]
    assert cause_named(cause).word == cause
