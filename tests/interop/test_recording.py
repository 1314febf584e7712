"""Recording with real phones: R2, R8; the two sides lie apart and are told by tones."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.interop.phones import Baresip
from tests.interop.sound import seconds_of_tone, share_of, write_tone
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop

SETTINGS = """
[recording]
notice = "notice.wav"
[extensions.110]
password = "secret-110"
record = "always"
"""
NOTICE = 700


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    folder = tmp_path_factory.mktemp("recorded") / "switch"
    folder.mkdir()
    write_tone(folder / "notice.wav", NOTICE, 1.5)
    with running(folder, SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def caller(office: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    with Baresip(office.account("101"), tmp_path_factory.mktemp("101"), tone=440) as phone:
        phone.registered()
        yield phone


@pytest.fixture(scope="module")
def called(office: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    with Baresip(office.account("110"), tmp_path_factory.mktemp("110"), tone=880) as phone:
        phone.registered()
        yield phone


def last_call(office: Switch) -> tuple[str, str | None, list[str]]:
    """Id, recording and kinds of events of the latest call."""
    time.sleep(0.6)
    with closing(sqlite3.connect(office.folder / "data" / "switch.db")) as database:
        [(call, recording)] = database.execute(
            "select id, recording from calls order by began_at desc limit 1"
        ).fetchall()
        kinds = database.execute(
            "select kind from call_events where call_id = ? order by number", (call,)
        ).fetchall()
    return call, recording, [kind for (kind,) in kinds]


def test_r2_an_extension_is_recorded_in_stereo_under_the_calls_id(
    office: Switch, caller: Baresip, called: Baresip
) -> None:
    """R8: both hear the notice before, and the record tells that they did."""
    caller.dial("110")
    caller.established()
    caller.live(4.5)
    caller.hangup()
    caller.closed()
    called.closed()

    call, recording, kinds = last_call(office)
    assert recording is not None
    assert Path(recording).name == f"{call}.wav"
    assert kinds.index("recording-notice") < kinds.index("recording")
    assert seconds_of_tone(Path(recording), 440, 0) >= 1
    assert seconds_of_tone(Path(recording), 880, 1) >= 1
    assert share_of(Path(recording), NOTICE) < 0.01
    for phone in (caller, called):
        assert share_of(phone.heard()[-1], NOTICE) > 0.02


def test_who_is_not_to_be_recorded_is_not(office: Switch, tmp_path: Path, caller: Baresip) -> None:
    with Baresip(office.account("102"), tmp_path / "102", tone=880) as other:
        other.registered()
        caller.dial("102")
        caller.established()
        caller.live(1.0)
        caller.hangup()
        other.closed()

    _, recording, kinds = last_call(office)
    assert recording is None
    assert "recording-notice" not in kinds
