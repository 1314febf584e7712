"""What must be true before anything else: two phones register, call, and hear each other.

Phones of four stacks, none of them ours, on one switch; a tone sent at one end is found in what
the other one recorded.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.phones import Baresip, Linphone, Pjsua, PyVoip
from tests.interop.sound import seconds_of_tone, write_tone
from tests.interop.switch import DOMAIN, Switch, running

pytestmark = pytest.mark.interop


CLUMSY = """
[extensions.111]
password = "secret-111"
codecs = ["pcmu"]
"""
"""pyVoIP sends µ-law even where it has agreed to A-law."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """Each pair has extensions of its own, since phones take a while to leave."""
    folder = tmp_path_factory.mktemp("office") / "switch"
    with running(folder, CLUMSY, transports="udp tcp tls", extensions=10) as started:
        yield started


@pytest.mark.parametrize(
    ("caller", "called", "transport"), [("101", "102", "udp"), ("103", "104", "tcp")]
)
def test_two_phones_call_by_number_and_hear_each_other(
    office: Switch, tmp_path: Path, caller: str, called: str, transport: str
) -> None:
    with (
        Baresip(office.account(caller, transport), tmp_path / caller, tone=440) as here,
        Baresip(office.account(called, transport), tmp_path / called, tone=880) as there,
    ):
        here.registered()
        there.registered()
        here.dial(called)
        there.established()
        here.established()
        here.live(2.5)
        here.hangup()
        there.closed()

    assert seconds_of_tone(here.heard()[0], 880) >= 1
    assert seconds_of_tone(there.heard()[0], 440) >= 1


@pytest.mark.parametrize(
    ("caller", "called", "transport"), [("105", "106", "tcp"), ("107", "108", "tls")]
)
def test_phones_of_two_stacks_call_each_other(
    office: Switch, tmp_path: Path, caller: str, called: str, transport: str
) -> None:
    """PJSIP and baresip, both over streams: the switch must call by the connections it has."""
    with (
        Pjsua(office.account(caller, transport), tmp_path / caller, tone=550) as here,
        Baresip(office.account(called, transport), tmp_path / called, tone=880) as there,
    ):
        here.registered()
        there.registered()
        here.dial(called)
        here.established()
        there.established()
        there.live(3.5)
        here.hangup()
        there.closed()

    assert seconds_of_tone(there.heard()[0], 550) >= 1
    assert seconds_of_tone(here.heard()[0], 880) >= 1


def test_a_phone_on_ipv6_and_one_of_another_stack_on_ipv4(office: Switch, tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", 660, 20.0)
    with (
        Baresip(office.account("109", host="::1"), tmp_path / "109", tone=440) as there,
        Linphone(office.account("110"), tmp_path / "110", realm=DOMAIN) as here,
    ):
        there.registered()
        here.registered()
        here.dial("109")
        there.established()
        here.established()
        heard = here.record()
        here.play(tone)
        there.live(4.0)
        here.hangup()
        there.closed()

    assert seconds_of_tone(there.heard()[0], 660) >= 1
    assert seconds_of_tone(heard, 440) >= 1


def test_the_clumsy_phone_calls_and_is_called_all_the_same(office: Switch, tmp_path: Path) -> None:
    """pyVoIP: digest without qop and port, nothing but 401 before it, a new To tag in each ACK."""
    with (
        PyVoip(office.account("111"), tmp_path / "111", tone=660) as clumsy,
        Baresip(office.account("101"), tmp_path / "101", tone=880) as phone,
    ):
        clumsy.registered()
        phone.registered()
        heard = []
        for caller, called, number in ((clumsy, phone, "101"), (phone, clumsy, "111")):
            caller.dial(number)
            called.established()
            caller.established()
            phone.live(3.0)
            caller.hangup()
            phone.closed()
            heard.append(clumsy.heard())

    for recording in phone.heard():
        assert seconds_of_tone(recording, 660, purity=0.8) >= 1
    for recording in heard:
        assert seconds_of_tone(recording, 880, purity=0.8) >= 1


def test_the_command_line_sees_who_is_there(office: Switch, tmp_path: Path) -> None:
    with Baresip(office.account("101"), tmp_path / "101") as phone:
        phone.registered()

        answer = office.command("registrations")

    assert answer.returncode == 0, answer.stderr
    assert "101" in answer.stdout
