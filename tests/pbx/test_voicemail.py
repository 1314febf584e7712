"""Voicemail: messages are left (P7, I8) and their owners listen to them."""

from collections.abc import Iterator

from softswitch.store.voicemail import VoiceMessage
from tests.pbx.world import World, in_world
from tests.support.phone import Phone, Talk, until

BOXES = """
[switch]
data = "/nonexistent/softswitch"
[extensions.102]
voicemail = true
pin = "4711"
[extensions.103]
voicemail = true
[boxes.102]
members = ["104"]
operator = "104"
max_messages = 2
[voicemail]
max_length = 30.0
"""


async def leave(world: World, phone: Phone, box: str = "102") -> Talk:
    """Call and wait for the beep: nobody is registered as `box`, so its box answers."""
    talk = phone.dial(box)
    await until(lambda: world.studio.recorders or talk.ended)
    return talk


def put(world: World, number: int, *, box: str = "102", caller: str = "101") -> VoiceMessage:
    message = VoiceMessage(str(number), box, 1000.0 + number, 5.0, caller, None, f"/{number}.wav")
    world.switch.mailroom.index.put(message)
    return message


def left(world: World, box: str = "102") -> Iterator[tuple[str, bool]]:
    """(id, heard) of each message."""
    for message in world.switch.mailroom.index.box(box):
        yield message.id, message.heard_at is not None


@in_world(BOXES)
async def test_p7_a_message_is_kept_when_the_caller_just_hangs_up(world: World) -> None:
    anna = await world.phone("101")
    talk = await leave(world, anna)
    await world.pass_time(3.0)
    talk.hang_up()
    await world.settle()

    [message] = world.switch.mailroom.index.box("102")
    assert (message.caller, message.caller_name) == ("101", "Phone 101")
    assert world.told() == ["vm-leave-message", "tone:record-beep"]
    assert not world.store.state.space("voicemail-drafts")


@in_world(BOXES)
async def test_hash_ends_a_message_and_a_key_skips_the_greeting(world: World) -> None:
    anna = await world.phone("101")
    talk = anna.dial("102")
    await until(lambda: talk.answered)
    await world.settle()
    talk.press("#")
    await until(lambda: world.studio.recorders)
    talk.press("#")
    await until(lambda: talk.ended)

    assert world.told()[-2:] == ["vm-sent", "goodbye"]
    assert len(world.switch.mailroom.index.box("102")) == 1


@in_world(BOXES)
async def test_the_longest_message_ends_by_itself(world: World) -> None:
    anna = await world.phone("101")
    talk = await leave(world, anna)
    await world.pass_time(29.0)
    assert not talk.ended
    await world.pass_time(5.0)

    assert talk.ended


@in_world(BOXES)
async def test_zero_leads_to_the_operator(world: World) -> None:
    anna, operator = await world.phones("101", "104")
    talk = anna.dial("102")
    await until(lambda: talk.answered)
    await world.settle()
    talk.press("0")

    assert await operator.rings()
    assert not world.switch.mailroom.index.box("102")


@in_world(BOXES)
async def test_a_full_box_takes_no_more(world: World) -> None:
    put(world, 1)
    put(world, 2)
    anna = await world.phone("101")
    talk = anna.dial("102")
    await until(lambda: talk.ended)

    assert world.told() == ["vm-mailbox-full", "goodbye"]
    assert len(world.switch.mailroom.index.box("102")) == 2


@in_world(BOXES)
async def test_the_owner_listens_saves_and_deletes(world: World) -> None:
    put(world, 1)
    put(world, 2)
    owner = await world.phone("102")
    talk = owner.dial("*97")
    await until(lambda: talk.answered)
    await world.settle()
    assert world.hears(talk) == {"vm-you-have", "new-message:2"}
    for key, heard in (
        ("1", {"vm-main-menu"}),
        ("1", None),
        ("#", {"/1.wav"}),
        ("3", {"vm-deleted"}),
    ):
        talk.press(key)
        await world.settle()
        assert heard is None or world.hears(talk) == heard
    await until(lambda: world.hears(talk) >= {"vm-last"})
    talk.press("#")
    await world.pass_time(1.5)
    assert world.hears(talk) == {"vm-message-menu"}
    talk.press("4")
    await world.settle()

    assert list(left(world)) == [("2", True)]
    assert world.told()[-1] == "vm-saved"


@in_world(BOXES)
async def test_the_owner_calls_back(world: World) -> None:
    put(world, 1)
    anna, owner = await world.phones("101", "102")
    talk = owner.dial("*97")
    await until(lambda: talk.answered)
    for key in "11#6":
        await world.settle()
        talk.press(key)
    (await anna.rings()).answer()
    await world.settle()

    assert world.hears(talk) == {"101"}


@in_world(BOXES)
async def test_a_message_is_forwarded_to_a_colleague(world: World) -> None:
    put(world, 1)
    owner = await world.phone("102")
    talk = owner.dial("*97")
    await until(lambda: talk.answered)
    for keys in ("1", "1", "#", "5", "105#"):
        await world.settle()
        talk.press(keys)
    await world.pass_time(0.6)

    assert world.told()[-1] == "vm-mailbox-unknown"


@in_world(BOXES)
async def test_any_box_opens_by_its_pin_alone(world: World) -> None:
    put(world, 1)
    anna = await world.phone("101")
    talk = anna.dial("*98102")
    await until(lambda: talk.answered)
    await world.settle()
    talk.press("0000#")
    await until(lambda: "vm-wrong-password" in world.told())
    await world.pass_time(1.5)
    talk.press("4711#")
    await world.settle()

    assert world.hears(talk) == {"vm-you-have", "new-message:1"}


@in_world(BOXES)
async def test_wrong_pins_end_the_call(world: World) -> None:
    """A box that does not exist looks just the same."""
    anna = await world.phone("101")
    talk = anna.dial("*98999")
    await until(lambda: talk.answered)
    for _ in range(3):
        await world.settle()
        talk.press("1234#")
        await world.pass_time(1.5)
    await until(lambda: talk.ended)

    assert world.records()[0]["cause"] == "forbidden"


@in_world(BOXES)
async def test_p11_a_caller_is_transferred_to_a_box(world: World) -> None:
    anna, boris, carl = await world.phones("101", "104", "102")
    talk = anna.dial("104")
    mine = (await boris.rings()).answer()
    await world.settle()

    mine.refer("*99102")
    await until(lambda: world.studio.recorders)
    await world.pass_time(3.0)
    talk.hang_up()
    await world.settle()

    assert mine.ended and not carl.talks
    [message] = world.switch.mailroom.index.box("102")
    assert message.caller == "101"


@in_world(BOXES)
async def test_a_box_is_asked_for_where_only_the_code_was_dialled(world: World) -> None:
    anna = await world.phone("101")
    talk = anna.dial("*99")
    await world.settle()
    talk.press("102#")
    await until(lambda: world.studio.recorders)
    assert "vm-enter-mailbox" in world.told()
    nowhere = anna.dial("*99999")
    await until(lambda: nowhere.ended)
    assert nowhere.statuses[-1] == 404
