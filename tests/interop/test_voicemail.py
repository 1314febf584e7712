"""Voicemail with real phones (P7, I8): what is said and what is heard is told by tones."""

import sqlite3
import time
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.interop.phones import Baresip, Sipp
from tests.interop.phones.steps import accept_bye, ack, credentials, invited, recv, scenario
from tests.interop.sound import seconds_of_tone, share_of, write_tone
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop

SETTINGS = """
[voicemail]
greeting = "short.wav"
max_length = 20.0
silence = 2.0
[boxes.102]
members = ["103"]
[boxes.103]
[groups.box]
number = "600"
members = ["104"]
overflow = "voicemail:102"
"""
"""Nobody is registered as 104, so 600 leads to 102's box at once."""
GREETING = 600

Row = tuple[str, float, str, str, float | None]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    folder = tmp_path_factory.mktemp("voicemail") / "switch"
    folder.mkdir()
    write_tone(folder / "short.wav", GREETING, 0.4)
    with running(folder, SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def caller(office: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    with Baresip(office.account("101"), tmp_path_factory.mktemp("101"), tone=440) as phone:
        phone.registered()
        yield phone


@pytest.fixture(scope="module")
def owner(office: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    with Baresip(office.account("102"), tmp_path_factory.mktemp("102"), tone=880) as phone:
        phone.registered()
        yield phone


def messages(office: Switch) -> list[Row]:
    """(box, seconds, caller, path, heard) of every message, oldest first."""
    time.sleep(0.4)
    with closing(sqlite3.connect(office.folder / "data" / "switch.db")) as database:
        return database.execute(
            "select box, seconds, caller, path, heard_at from voicemail order by left_at, box"
        ).fetchall()


def leave(phone: Baresip, length: float) -> None:
    """Call 102's box and talk for `length` seconds after the beep, then just hang up."""
    phone.dial("600")
    phone.established()
    phone.live(1.2 + length)
    phone.hangup()
    phone.closed()


def test_p7_a_message_is_left_heard_and_forwarded(
    office: Switch, caller: Baresip, owner: Baresip
) -> None:
    leave(caller, 2.5)
    [(box, seconds, who, path, heard)] = messages(office)
    assert (box, who, heard) == ("102", "101", None)
    assert 1.5 < seconds < 4.0
    assert seconds_of_tone(Path(path), 440) >= 1

    owner.dial("*97")
    owner.established()
    owner.live(0.4)
    owner.press("1", pause=0.6)  # cuts the counts short
    owner.press("1", pause=0.6)  # new messages
    owner.press("#", pause=2.2)  # cuts the envelope short: the message itself
    owner.press("5", pause=0.6)
    owner.press("103#", pause=0.2)
    owner.live(0.6)
    owner.hangup()
    owner.closed()

    own, copy = messages(office)
    assert own[0] == "102" and own[4] is not None
    assert copy[0] == "103" and copy[4] is None
    owner.until(lambda: owner.heard()[-1].stat().st_size > 44, "a recording")
    assert seconds_of_tone(owner.heard()[-1], 440) >= 1


def test_a_greeting_recorded_by_phone_greets_the_next_caller(
    office: Switch, caller: Baresip, owner: Baresip
) -> None:
    owner.dial("*96")
    owner.established()
    owner.live(0.4)
    owner.until(lambda: new_greeting(office).exists(), "a greeting being recorded", 12)
    owner.live(1.5)
    owner.press("#", pause=0.6)
    owner.press("1", pause=1.0)
    owner.hangup()
    owner.closed()
    leave(caller, 1.0)

    caller.until(lambda: caller.heard()[-1].stat().st_size > 44, "a recording")
    assert share_of(caller.heard()[-1], 880) > 0.1
    assert share_of(caller.heard()[-1], GREETING) < 0.01


def test_who_says_nothing_is_let_go_and_leaves_nothing(office: Switch, tmp_path: Path) -> None:
    before = len(messages(office))
    silence = tmp_path / "silence.alaw"
    silence.write_bytes(b"\xd5" * 8000 * 12)
    stream = f'<nop><action><exec rtp_stream="{silence},1,8"/></action></nop>'
    steps = [*invited(), recv(200), ack(), stream, *accept_bye()]
    with Sipp(
        tmp_path / "caller",
        scenario(*steps),
        f"127.0.0.1:{office.port}",
        service="600",
        fields=[credentials("104")],
        timeout=60,
    ) as phone:
        run = phone.wait()

    assert run.code == 0, run.errors
    assert len(messages(office)) == before


def new_greeting(office: Switch) -> Path:
    return office.folder / "data" / "voicemail" / "102" / "new-greeting.wav"


def test_what_was_said_before_a_kill_is_in_the_box_after_it(
    office: Switch, caller: Baresip
) -> None:
    """Up to the last second: the engine hands sound to the disk once a second."""
    before = len(messages(office))
    caller.dial("600")
    caller.established()
    caller.live(6.0)
    office.kill()
    office.start()
    office.ready()

    box, seconds, who, path, _ = messages(office)[-1]
    assert len(messages(office)) == before + 1
    assert (box, who) == ("102", "101")
    assert seconds >= 1.0
    with wave.open(path) as sound:
        assert abs(sound.getnframes() / 8000 - seconds) < 0.1
    assert seconds_of_tone(Path(path), 440) >= 1
