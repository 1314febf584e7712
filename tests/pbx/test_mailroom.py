"""What is said is in the box, whatever ends the recording; and letters about it."""

import asyncio
import wave
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.pbx.boxes import box_view, boxes_of
from softswitch.pbx.mail import LETTERS, Post, write
from softswitch.pbx.mailroom import DRAFTS, Mailroom
from softswitch.pbx.switch import Switch
from softswitch.store.state import State
from softswitch.store.voicemail import Voicemail, VoiceMessage
from softswitch.store.writer import Writer
from tests.pbx.world import Memory, World, in_world, settings_of
from tests.support.clock import Clock

PEOPLE = ("101", "102")
ANNA = Party("101", "Anna")
UNKNOWN = b"\xff\xff\xff\xff"
FORMAT = b"\x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0"
TORN = b"RIFF" + UNKNOWN + b"WAVEfmt " + FORMAT + b"data" + UNKNOWN


@pytest.fixture
def room() -> Mailroom:
    return mailroom()


def mailroom(memory: Memory | None = None, clock: Clock | None = None) -> Mailroom:
    writer = cast(Writer, memory or Memory())
    return Mailroom(Voicemail(writer), State(writer), clock or Clock(1_000_000.0))


def test_a_message_is_known_before_its_first_sample(room: Mailroom, tmp_path: Path) -> None:
    draft = room.begin("102", tmp_path, ANNA, "call-1")

    assert list(room._state.space(DRAFTS)) == [draft.id]
    assert not room.index.box("102")
    assert room.finish(draft, 3.0, 1.0)
    [kept] = room.index.box("102")
    assert (kept.seconds, kept.caller, kept.call_id) == (3.0, "101", "call-1")
    assert not room._state.space(DRAFTS)


def test_what_is_too_short_is_thrown_away(room: Mailroom, tmp_path: Path) -> None:
    draft = room.begin("102", tmp_path, ANONYMOUS, "call-1")
    Path(draft.path).touch()

    assert not room.finish(draft, 0.5, 1.0)
    assert not room.index.box("102")
    assert not Path(draft.path).exists()


def test_a_torn_recording_is_mended_and_put_into_its_box(room: Mailroom, tmp_path: Path) -> None:
    """As after a power cut: the engine left lengths of 0xFFFFFFFF."""
    draft = room.begin("102", tmp_path, ANNA, "call-1")
    Path(draft.path).write_bytes(TORN + bytes(32_000))
    lost = room.begin("102", tmp_path, ANNA, "call-2")

    assert room.recover(1.0) == 1
    [kept] = room.index.box("102")
    assert kept.seconds == 2.0
    with wave.open(kept.path) as sound:
        assert (sound.getnframes(), sound.getframerate()) == (16_000, 8000)
    assert lost.id not in room._state.space(DRAFTS)
    assert room.recover(1.0) == 0


def test_a_forwarded_message_is_a_copy_with_a_life_of_its_own(
    room: Mailroom, tmp_path: Path
) -> None:
    draft = room.begin("102", tmp_path / "102", ANNA, "call-1")
    (tmp_path / "102").mkdir()
    Path(draft.path).write_bytes(b"sound")
    room.finish(draft, 3.0, 1.0)
    [message] = room.index.box("102")
    room.heard(message)

    copy = room.forward(message, "103", tmp_path / "103")
    room.delete(message)

    assert room.index.counts("102") == (0, 0)
    assert room.index.counts("103") == (1, 0)
    assert Path(copy.path).read_bytes() == b"sound"


def test_old_messages_go_once_they_were_heard() -> None:
    clock = Clock(1_000_000.0)
    room = mailroom(clock=clock)
    for number in "123":
        room.index.put(VoiceMessage(number, "102", clock.now, 5.0, "101", None, f"/x{number}"))
    room.index.heard("1", clock.now)
    clock.advance(86_400 * 10)
    room.index.heard("2", clock.now)

    assert room.tidy(None) == 0
    assert room.tidy(9) == 2
    assert [message.id for message in room.index.box("102")] == ["3"]


@given(fates=st.lists(st.sampled_from(["finish", "crash", "short"]), max_size=8))
def test_every_message_is_either_in_the_box_or_was_too_short(fates: list[str]) -> None:
    room = mailroom()
    heard: list[str] = []
    room.on_message.append(lambda message: heard.append(message.id))
    for number, fate in enumerate(fates):
        draft = room.begin("102", Path("/nonexistent"), ANNA, f"call-{number}")
        if fate != "crash":
            room.finish(draft, 5.0 if fate == "finish" else 0.2, 1.0)
    room.recover(1.0)

    assert len(heard) == len(room.index.box("102")) == fates.count("finish")
    assert not room._state.space(DRAFTS)


BOXES = """
[extensions.102]
voicemail = true
email = "boris@office.test"
pin = "4711"
language = "ru"
[boxes.sales]
name = "Sales"
members = ["102", "103"]
email = ["sales@office.test"]
attach = false
[mail]
server = "127.0.0.1"
port = 2525
encryption = "none"
retry_every = 60
"""


def test_a_box_is_put_together_from_three_tables() -> None:
    settings = settings_of(BOXES, 4)
    own, shared = box_view(settings, "102"), box_view(settings, "sales")
    assert own is not None and shared is not None

    assert (own.pin, own.members, own.addresses) == ("4711", ("102",), ("boris@office.test",))
    assert (shared.pin, shared.members, shared.limit) == (None, ("102", "103"), 100)
    assert box_view(settings, "103") is None
    assert boxes_of(settings, "102") == ("102", "sales")
    assert boxes_of(settings, "103") == ("sales",)


def test_a_letter_is_in_the_language_of_the_box_and_carries_the_sound(tmp_path: Path) -> None:
    settings = settings_of(BOXES, 4)
    sound = tmp_path / "m.wav"
    sound.write_bytes(TORN)
    message = VoiceMessage("m", "102", 1_000_000.0, 65.0, "101", "Anna\r\nBcc: x", str(sound))
    box, server = box_view(settings, "102"), settings.mail
    assert box is not None and server is not None

    letter = write(settings, server, box, message)

    assert letter["Subject"] == "Голосовое сообщение от Anna Bcc: x 101"
    assert letter["Bcc"] is None
    [attached] = letter.iter_attachments()
    assert attached.get_content() == TORN


MESSAGE = VoiceMessage("m", "sales", 1_000_000.0, 65.0, "101", "Anna", "/m.wav")


class Server:
    """An SMTP server that refuses as often as it is told."""

    def __init__(self, refusals: int = 0) -> None:
        self.letters: list[Any] = []
        self.refusals = refusals
        self.taken = asyncio.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusals:
            self.refusals -= 1
            return "451 later"
        self.letters.append(envelope)
        self.taken.set()
        return "250 thanks"


class Office:
    """As much of a switch as the post needs."""

    def __init__(self, settings: Settings, room: Mailroom) -> None:
        self.settings, self.mailroom = settings, room
        self.store = self
        self.state = room._state


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_letter_waits_until_the_server_takes_it(room: Mailroom, refusals: int) -> None:
    handler = Server(refusals)
    room.index.put(MESSAGE)

    async def post() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = settings_of(BOXES.replace("2525", str(port)).replace("= 60", "= 0.2"), 4)
        box = Post(cast(Switch, Office(settings, room)))
        box.add(MESSAGE)
        assert list(room._state.space(LETTERS)) == ["m"]
        running = asyncio.create_task(box.run())
        async with asyncio.timeout(60):
            await handler.taken.wait()
            while room._state.space(LETTERS):  # noqa: ASYNC110 - the post tells nobody
                await asyncio.sleep(0)
        running.cancel()
        server.close()

    asyncio.run(post())

    [letter] = handler.letters
    assert letter.rcpt_tos == ["sales@office.test"]


def test_a_letter_that_nobody_takes_is_given_up_in_the_end(room: Mailroom) -> None:
    settings = settings_of(BOXES, 4)
    room.index.put(MESSAGE)
    post = Post(cast(Switch, Office(settings, room)))
    post.add(MESSAGE)
    assert settings.mail is not None

    post._put_off("m", {"since": 0.0, "next": 0.0}, settings.mail, "refused")

    assert not room._state.space(LETTERS)


SHARED = """
[agents.anna]
extension = "101"
[agents.boris]
extension = "102"
[queues.sales]
number = "700"
agents = ["anna", "boris"]
[boxes.sales]
members = ["101"]
distribute = "sales"
"""


@in_world(SHARED)
async def test_i8_messages_of_a_shared_box_are_given_out_in_equal_parts(world: World) -> None:
    def leave(caller: Party) -> None:
        draft = world.switch.mailroom.begin("sales", Path("nowhere"), caller, "call-1")
        world.switch.mailroom.finish(draft, 3.0, 1.0)

    for number in ("+74951234567", "+74951234568", "+74951234569"):
        leave(Party(number))
    leave(ANONYMOUS)

    given = {desk: [each.number for each in world.switch.errands.all(desk)] for desk in PEOPLE}
    assert given == {
        "101": ["+74951234567", "+74951234569"],
        "102": ["+74951234568", "*98sales"],
    }
