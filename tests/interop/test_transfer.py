"""P9–P11, P22: hold, consultation and transfer with real phones; who is heard is told by tones."""

from pathlib import Path

import pytest

from tests.interop.phones import Baresip, Pjsua
from tests.interop.sound import is_silent, seconds_of_tone
from tests.interop.switch import Switch

pytestmark = pytest.mark.interop


def test_p11_a_blind_transfer_by_refer(switch: Switch, tmp_path: Path) -> None:
    """baresip transfers; PJSIP and another baresip then hear each other."""
    with (
        Pjsua(switch.account("101"), tmp_path / "101", tone=550) as guest,
        Baresip(switch.account("102"), tmp_path / "102", tone=440) as clerk,
        Baresip(switch.account("103"), tmp_path / "103", tone=880) as third,
    ):
        for phone in (guest, clerk, third):
            phone.registered()
        guest.dial("102")
        clerk.established()
        clerk.live(0.3)
        clerk.transfer("103")
        third.established()
        clerk.closed()
        third.live(2.5)
        guest.hangup()
        third.closed()

    assert seconds_of_tone(third.heard()[0], 550) >= 1


def test_p11_an_attended_transfer_by_refer_with_replaces(switch: Switch, tmp_path: Path) -> None:
    with (
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as guest,
        Pjsua(switch.account("102"), tmp_path / "102", tone=550) as clerk,
        Baresip(switch.account("103"), tmp_path / "103", tone=880) as third,
    ):
        for phone in (guest, clerk, third):
            phone.registered()
        guest.dial("102")
        guest.established()
        clerk.established()
        clerk.hold()
        guest.live(2.5)  # P9: music
        clerk.dial("103")
        third.established()
        clerk.established()
        clerk.join()
        clerk.wait_for("transferred", status=200)
        third.live(2.5)
        guest.hangup()
        third.closed()

    assert seconds_of_tone(third.heard()[0], 440) >= 1
    assert seconds_of_tone(guest.heard()[0], 880) >= 1
    assert not is_silent(guest.heard()[0])


def test_p10_p11_a_consultation_by_keys(switch: Switch, tmp_path: Path) -> None:
    """`*2`, a word with the third, back to the first, and hanging up joins the others."""
    with (
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as guest,
        Baresip(switch.account("102"), tmp_path / "102", tone=660) as clerk,
        Baresip(switch.account("103"), tmp_path / "103", tone=880) as third,
    ):
        for phone in (guest, clerk, third):
            phone.registered()
        guest.dial("102")
        clerk.established()
        clerk.press("*2103#")
        third.established()
        third.live(1.5)
        clerk.press("*2")
        guest.live(1.5)
        clerk.press("*2")
        clerk.live(0.3)
        clerk.hangup()
        third.live(3.2)
        guest.hangup()
        third.closed()

    assert seconds_of_tone(third.heard()[0], 660) >= 1
    assert seconds_of_tone(third.heard()[0], 440) >= 1
    assert seconds_of_tone(guest.heard()[0], 880) >= 1


def test_p11_a_transfer_to_a_busy_phone_gives_the_call_back(switch: Switch, tmp_path: Path) -> None:
    with (
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as guest,
        Pjsua(switch.account("102"), tmp_path / "102", tone=550) as clerk,
        Pjsua(switch.account("103"), tmp_path / "103", answer=486) as busy,
    ):
        for phone in (guest, clerk, busy):
            phone.registered()
        guest.dial("102")
        guest.established()
        clerk.established()
        clerk.transfer("103")
        clerk.wait_for("transferred", status=486)
        guest.live(2.2)
        guest.hangup()
        clerk.ended()

    assert seconds_of_tone(guest.heard()[0], 550) >= 1
