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
from tests.interop.sound import seconds_of_tone, write_tone
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


def messages(office: Switch) -> list[Row]:
    """(box, seconds, caller, path, heard) of every message, oldest first."""
    time.sleep(0.4)
    with closing(sqlite3.connect(office.folder / "data" / "switch.db")) as database:
        return database.execute(
            "select box, seconds, caller, path, heard_at from voicemail order by left_at, box"
        ).fetchall()


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
