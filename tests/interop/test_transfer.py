"""P9, P11: hold and attended transfer between two stacks; who is heard is told by tones."""

from pathlib import Path

import pytest

from tests.interop.phones import Baresip, Pjsua
from tests.interop.sound import is_silent, seconds_of_tone
from tests.interop.switch import Switch

pytestmark = pytest.mark.interop


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
