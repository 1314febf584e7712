"""Which address of ours a peer is told: RFC 3261 behind a router."""

from typing import cast

import pytest

from config.loader import read
from config.settings import Settings
from softswitch.app.outlook import Outlook
from softswitch.sip.types import Address, Destination, Flow, Target
from softswitch.transport.transports import Transports


class Wires:
    """Listens at 10.0.0.1:5060."""

    def local(self, destination: Destination) -> Address:
        return "10.0.0.1", 5060


def outlook(**media: str) -> Outlook:
    settings, problems = read(
        {
            "sip": {"external": "203.0.113.5", "local_networks": ["10.0.0.0/8"]},
            "media": {"address": "10.0.0.1", "external": "203.0.113.5", **media},
        }
    )
    assert settings is not None, problems
    return Outlook(settings, cast(Transports, Wires()))


def flow(host: str) -> Flow:
    return Flow("udp", ("10.0.0.1", 5060), (host, 5060))


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        (flow("198.51.100.7"), "203.0.113.5"),
        (Target("tcp", "198.51.100.7", 5060), "203.0.113.5"),
        (flow("10.3.4.5"), "10.0.0.1"),
        (flow("127.0.0.1"), "10.0.0.1"),
    ],
)
def test_the_world_sees_the_router_and_our_networks_see_us(peer: Destination, seen: str) -> None:
    told = outlook()

    assert told.signalling(peer) == (seen, 5060)
    assert told.sound(peer) == seen


def test_without_a_router_everybody_sees_what_is_bound() -> None:
    told = outlook()
    told.apply(Settings.model_validate({"media": {"address": "10.0.0.1"}}))

    assert told.signalling(flow("198.51.100.7")) == ("10.0.0.1", 5060)
    assert told.sound(flow("198.51.100.7")) == "10.0.0.1"


def test_sound_bound_everywhere_is_told_by_the_way_to_the_peer() -> None:
    assert outlook(address="0.0.0.0").sound(flow("127.0.0.1")) == "127.0.0.1"
    assert outlook(address6="2001:db8::1").sound(flow("2001:db8::9")) == "2001:db8::1"
