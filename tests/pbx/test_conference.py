"""Conferences: P14, and what a moderator and the API may do."""

from tests.pbx.world import World, in_world
from tests.support.phone import Talk, until

ROOMS = """
[conferences.open]
number = "800"
max_members = 3
[conferences.board]
number = "801"
pin = "4711"
moderator_pin = "9999"
moderators = ["103"]
wait_for_moderator = true
end_with_moderator = true
[conferences.quiet]
number = "802"
muted = true
record = true
moderators = ["101"]
[conferences.named]
number = "803"
names = true
"""


async def answered(talk: Talk) -> None:
    await until(lambda: talk.answered)


async def join(world: World, number: str, *extensions: str) -> list[Talk]:
    """Each dials the room and is in it."""
    talks = []
    for phone in await world.phones(*extensions):
        talk = phone.dial(number)
        await answered(talk)
        await world.pass_time(2.5)
        talks.append(talk)
    return talks


@in_world(ROOMS)
async def test_p14_everybody_hears_all_others(world: World) -> None:
    anna, boris, clara = await join(world, "800", "101", "102", "103")
    assert world.hears(anna) == {"102", "103"}
    assert world.hears(clara) == {"101", "102"}
    clara.hang_up()
    await world.pass_time(1.0)
    assert world.hears(boris) == {"101"}
    boris.press("#")
    await until(lambda: boris.ended)
    await world.pass_time(1.0)

    assert world.hears(anna) == {"music"}


@in_world(ROOMS)
async def test_the_maximum_is_enforced_and_reported(world: World) -> None:
    told: list[str] = []
    world.switch.on_event = lambda kind, data: told.append(kind)
    await join(world, "800", "101", "102", "103")
    dave = (await world.phone("104")).dial("800")
    await until(lambda: dave.ended)

    assert "conf-full" in world.told()
    assert "conference.full" in told


@in_world(ROOMS)
async def test_a_pin_is_asked_of_all_but_moderators_and_they_are_waited_for(world: World) -> None:
    anna = (await world.phone("101")).dial("801")
    await until(lambda: anna.answered)
    await world.settle()
    anna.press("4711#")
    await world.pass_time(2.5)
    assert world.hears(anna) == {"music"}
    [clara] = await join(world, "801", "103")
    assert world.hears(anna) == {"103"}
    clara.hang_up()
    await until(lambda: anna.ended)

    assert "conf-ended" in world.told()


@in_world(ROOMS)
async def test_wrong_pins_let_nobody_in(world: World) -> None:
    anna = (await world.phone("101")).dial("801")
    await until(lambda: anna.answered)
    for _ in range(3):
        await world.settle()
        anna.press("1111#")
        await world.pass_time(1.5)
    await until(lambda: anna.ended)

    assert world.told().count("conf-wrong-pin") == 3
    assert world.records()[0]["cause"] == "forbidden"


@in_world(ROOMS)
async def test_a_moderator_locks_mutes_and_sends_away(world: World) -> None:
    (clara,) = await join(world, "801", "103")
    anna = (await world.phone("101")).dial("801")
    await until(lambda: anna.answered)
    await world.settle()
    anna.press("4711#")
    await world.pass_time(2.5)
    clara.press("5")
    await world.pass_time(1.5)
    assert world.hears(clara) == set()
    clara.press("5")
    await world.pass_time(1.5)
    assert world.hears(clara) == {"101"}
    clara.press("3")
    await world.pass_time(1.5)
    boris = (await world.phone("102")).dial("801")
    await until(lambda: boris.answered)
    await world.settle()
    boris.press("4711#")
    await until(lambda: boris.ended)
    assert "conf-is-locked" in world.told()
    clara.press("7")
    await until(lambda: anna.ended)

    assert "conf-kicked" in world.told()
    assert not clara.ended


@in_world(ROOMS)
async def test_a_moderator_calls_somebody_in(world: World) -> None:
    dave = await world.phone("104")
    [clara] = await join(world, "801", "103")
    clara.press("0")
    await world.settle()
    clara.press("104#")
    talk = (await dave.rings()).answer()
    await world.pass_time(1.0)
    assert world.hears(clara) == {"104"}
    assert world.hears(talk) == {"103"}

    assert [row["caller"] for row in world.records()] == ["103", "104"]


@in_world(ROOMS)
async def test_a_number_may_be_typed_ahead_of_every_prompt(world: World) -> None:
    dave = await world.phone("104")
    [clara] = await join(world, "801", "103")
    clara.press("330104#")
    (await dave.rings()).answer()
    await world.pass_time(1.0)

    assert world.hears(clara) == {"104"}
    assert "enter-number" not in world.told()


@in_world(ROOMS)
async def test_who_is_on_hold_is_not_heard(world: World) -> None:
    anna, boris = await join(world, "800", "101", "102")
    anna.hold()
    await world.settle()
    assert world.hears(boris) == set()
    anna.resume()
    await world.settle()

    assert world.hears(boris) == {"101"}


@in_world(ROOMS)
async def test_a_member_is_muted_and_sent_away_from_outside(world: World) -> None:
    anna, boris = await join(world, "800", "101", "102")
    room = world.switch.rooms.get("open")
    assert room is not None
    [first, _] = room.members
    room.mute(first, True)
    assert world.hears(boris) == set()
    room.mute(first, False)
    assert world.hears(boris) == {"101"}
    room.kick(first)
    await until(lambda: anna.ended)


@in_world(ROOMS)
async def test_all_but_moderators_enter_muted_and_are_told_of_the_recording(world: World) -> None:
    """R8."""
    anna, boris = await join(world, "802", "101", "102")

    assert world.hears(anna) == set()
    assert world.hears(boris) == {"101"}
    assert world.told().count("conf-recorded") == 2
    assert len(world.studio.recorders) == 1


@in_world(ROOMS)
async def test_names_are_said_when_members_come(world: World) -> None:
    phones = await world.phones("101", "102")
    for phone in phones:
        talk = phone.dial("803")
        await answered(talk)
        await until(lambda: world.studio.recorders)
        talk.press("#")
        await world.pass_time(3.0)

    assert "conf-joined" in world.told()


@in_world(ROOMS + "max_members = 2\n")
async def test_p14_two_who_say_their_names_do_not_get_the_same_seat(world: World) -> None:
    talks = [phone.dial("803") for phone in await world.phones("101", "102", "103")]
    for talk in talks:
        await answered(talk)
    await until(lambda: len(world.studio.recorders) == 3)
    for talk in talks:
        talk.press("#")
    await world.pass_time(3.0)

    [room] = world.switch.rooms
    assert len(room.members) == 2 and "conf-full" in world.told()
