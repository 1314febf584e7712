"""What must be true before anything else: two phones register, call, and hear each other."""

from pathlib import Path

import pytest

from tests.interop.phones import Baresip, Pjsua
from tests.interop.sound import seconds_of_tone
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    ("transport", "host"), [("udp", "127.0.0.1"), ("tcp", "127.0.0.1"), ("udp", "::1")]
)
def test_two_phones_call_by_number_and_hear_each_other(
    switch: Switch, tmp_path: Path, transport: str, host: str
) -> None:
    account = switch.account("101", transport, host)
    with (
        Baresip(account, tmp_path / "101", tone=440) as caller,
        Baresip(switch.account("102"), tmp_path / "102", tone=880) as called,
    ):
        caller.registered()
        called.registered()
        caller.dial("102")
        called.established()
        caller.established()
        caller.live(2.5)
        caller.hangup()
        called.closed()

    assert seconds_of_tone(caller.heard()[0], 880) >= 1
    assert seconds_of_tone(called.heard()[0], 440) >= 1


def test_phones_of_two_stacks_call_each_other_over_tls(tmp_path: Path) -> None:
    with (
        running(tmp_path / "switch", transports="udp tls") as switch,
        Pjsua(switch.account("101", "tls"), tmp_path / "101", tone=550) as caller,
        Baresip(switch.account("102"), tmp_path / "102", tone=880) as called,
    ):
        caller.registered()
        called.registered()
        caller.dial("102")
        caller.established()
        called.established()
        called.live(3.5)
        caller.hangup()
        called.closed()

    assert seconds_of_tone(called.heard()[0], 550) >= 1
    assert seconds_of_tone(caller.heard()[0], 880) >= 1


def test_the_command_line_sees_who_is_there(switch: Switch, tmp_path: Path) -> None:
    with Baresip(switch.account("101"), tmp_path / "101") as phone:
        phone.registered()

        answer = switch.command("registrations")

    assert answer.returncode == 0, answer.stderr
    assert "101" in answer.stdout
