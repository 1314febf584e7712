"""The drivers themselves, against one another and SIPp: no switch of ours takes part."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.phones import Account, Baresip, Linphone, Pjsua, PyVoip, Sipp
from tests.interop.phones.scenarios import REGISTRAR
from tests.interop.process import Child
from tests.interop.sound import is_silent, seconds_of_tone, write_tone

pytestmark = pytest.mark.interop

ALONE = "answermode=auto;audio_codecs=PCMA;regint=0"
"""Options of a baresip that registers nowhere."""

Phone = Baresip | Linphone | Pjsua | PyVoip


def alone(user: str) -> Account:
    return Account(user, "secret", port=9)


def test_two_baresips_hear_each_other(tmp_path: Path) -> None:
    with (
        Baresip(alone("101"), tmp_path / "101", tone=440, options=ALONE) as caller,
        Baresip(alone("102"), tmp_path / "102", tone=880, options=ALONE) as called,
    ):
        caller.dial(f"sip:102@127.0.0.1:{called.port}")
        called.established()
        caller.established()
        caller.press("5")
        assert called.wait_for("CALL_DTMF_START")["param"] == "5"
        caller.live(2.5)
        caller.hangup()
        called.closed()

    assert seconds_of_tone(caller.heard()[0], 880) >= 1
    assert seconds_of_tone(called.heard()[0], 440) >= 1


def test_a_pjsua_and_a_baresip_hear_each_other(tmp_path: Path) -> None:
    with (
        Baresip(alone("101"), tmp_path / "101", tone=440, options=ALONE) as called,
        Pjsua(alone("102"), tmp_path / "102", tone=550) as caller,
    ):
        caller.dial(f"sip:101@127.0.0.1:{called.port}")
        caller.established()
        called.established()
        called.live(3.5)
        caller.hangup()
        called.closed()
        assert caller.ended() == 200

    assert seconds_of_tone(called.heard()[0], 550) >= 1
    assert seconds_of_tone(caller.heard()[0], 440) >= 1


def test_a_linphone_and_a_baresip_hear_each_other(tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", 660, 20.0)
    with (
        Baresip(alone("101"), tmp_path / "101", tone=440, options=ALONE) as called,
        Linphone(
            Account("102", "secret", port=called.port), tmp_path / "102", realm="office.test"
        ) as caller,
    ):
        caller.dial(f"sip:101@127.0.0.1:{called.port}")
        called.established()
        heard = caller.record()
        caller.play(tone)
        called.live(4.0)
        caller.hangup()
        called.closed()

    assert seconds_of_tone(called.heard()[0], 660) >= 1
    assert seconds_of_tone(heard, 440) >= 1


PHONES: list[Callable[[Account, Path], Phone]] = [
    Baresip,
    Pjsua,
    PyVoip,
    lambda account, folder: Linphone(account, folder, realm="office.test"),
]


@pytest.mark.parametrize("make", PHONES, ids=["baresip", "pjsua", "pyvoip", "linphone"])
def test_a_phone_registers_with_a_password(
    tmp_path: Path, make: Callable[[Account, Path], Phone]
) -> None:
    with Sipp(tmp_path / "registrar", REGISTRAR, options=("-aa",)) as registrar:
        registrar.listening()
        with make(Account("101", "secret", port=registrar.port), tmp_path / "phone") as phone:
            phone.registered()

            run = registrar.wait(10)

    assert run.passed == 1, run.errors
    assert 'username="101"' in registrar.messages()


def test_sipp_counts_what_passed_and_what_failed(tmp_path: Path) -> None:
    with Sipp(tmp_path / "uas", "uas", calls=3, options=("-rtp_echo",)) as answerer:
        answerer.listening()
        with Sipp(tmp_path / "uac", "uac", f"127.0.0.1:{answerer.port}", calls=3) as caller:
            assert caller.wait(20).passed == 3
        assert answerer.wait(20).code == 0


def test_a_child_that_hangs_is_ended_all_the_same(tmp_path: Path) -> None:
    child = Child(
        ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], tmp_path / "log"
    )
    child.patience = 0.3
    child.wait_for_output("up")

    assert child.stop() == -9


def test_a_tone_is_found_where_it_is_and_only_there(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", 440, 3.2)

    assert seconds_of_tone(path, 440) == 3
    assert seconds_of_tone(path, 460) == 0
    assert not is_silent(path)
