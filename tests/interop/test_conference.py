"""Conferences with real phones (P14): each hears all others by their tones, and not himself."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.phones import Baresip
from tests.interop.sound import share_of
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop

SETTINGS = """
[conferences.open]
number = "800"
tones = false
max_members = 3
[conferences.board]
number = "801"
pin = "4711"
moderators = ["103"]
wait_for_moderator = true
[conferences.taped]
number = "802"
record = true
tones = false
"""
TONES = {"101": 440, "102": 880, "103": 660, "104": 550}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running(tmp_path_factory.mktemp("rooms") / "switch", SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def phones(
    office: Switch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Baresip]]:
    with ExitStack() as stack:
        found = {
            number: stack.enter_context(
                Baresip(office.account(number), tmp_path_factory.mktemp(number), tone=tone)
            )
            for number, tone in TONES.items()
        }
        for phone in found.values():
            phone.registered()
        yield found


def heard(phone: Baresip) -> Path:
    """What it heard in its last call, once that is written."""
    path = phone.heard()[-1]
    phone.until(lambda: path.stat().st_size > 44, "a recording")
    time.sleep(0.2)
    return path


def test_p14_three_parties_hear_each_other_and_a_fourth_is_refused(
    phones: dict[str, Baresip],
) -> None:
    for number in ("101", "102", "103"):
        phones[number].dial("800")
        phones[number].established()
    phones["104"].dial("800")
    phones["104"].established()
    phones["104"].closed(8)
    phones["101"].live(2.0)
    for number in ("101", "102", "103"):
        phones[number].hangup()
        phones[number].closed()

    for number in ("101", "102", "103"):
        file = heard(phones[number])
        for other in ("101", "102", "103"):
            share = share_of(file, TONES[other])
            assert (share > 0.02) is (other != number), (number, other, share)


def test_a_pin_is_asked_and_members_wait_for_the_moderator(phones: dict[str, Baresip]) -> None:
    phones["101"].dial("801")
    phones["101"].established()
    phones["101"].live(0.5)
    phones["101"].press("4711#", pause=0.15)
    phones["101"].live(1.0)
    phones["103"].dial("801")
    phones["103"].established()
    phones["103"].live(3.0)
    phones["103"].press("7")  # sends the others away
    phones["101"].closed(8)
    phones["103"].press("#")
    phones["103"].closed(8)

    assert share_of(heard(phones["101"]), TONES["103"]) > 0.02
    assert share_of(heard(phones["103"]), TONES["101"]) > 0.02


def test_a_wrong_pin_lets_nobody_in(phones: dict[str, Baresip]) -> None:
    phones["102"].dial("801")
    phones["102"].established()
    for _ in range(3):
        phones["102"].live(0.6)
        phones["102"].press("99#", pause=0.15)
        phones["102"].live(1.6)
    phones["102"].closed(10)


def test_who_mutes_himself_is_not_heard_and_the_room_is_recorded(
    office: Switch, phones: dict[str, Baresip]
) -> None:
    """R2, R8: those who enter are told."""
    for number in ("101", "102"):
        phones[number].dial("802")
        phones[number].established()
    phones["102"].live(4.0)
    phones["101"].press("1")
    phones["101"].live(3.0)
    for number in ("101", "102"):
        phones[number].hangup()
        phones[number].closed()
    time.sleep(0.5)

    [file] = (office.folder / "data" / "recordings").rglob("conference-taped-*.wav")
    assert min(share_of(file, TONES["101"]), share_of(file, TONES["102"])) > 0.02
