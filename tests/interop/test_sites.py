"""Two switches of ours, joined by a trunk, with baresip phones at each (N1, N2, N6), and a phone
in a cottage, behind a router (P37)."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.phones import Baresip
from tests.interop.ports import free_ports
from tests.interop.sound import seconds_of_tone
from tests.interop.switch import DOMAIN, Switch, running, told
from tests.interop.wires import Handset, Wires
from tests.support.phone import Phone, until

pytestmark = pytest.mark.interop

ASKED = "answermode=manual;audio_codecs=PCMA"
HILL = """
[trunks.coast]
server = "sip:127.0.0.1:{coast}"
ping = 1
[sites.coast]
prefix = "3"
digits = 4
trunk = "coast"
strip = true
fallback = "extension:102"
"""
COAST = """
[trunks.hill]
server = "sip:127.0.0.1:{hill}"
ping = 1
[sites.hill]
prefix = "10"
digits = 3
trunk = "hill"
[extensions.201]
name = "Harbour"
password = "secret-201"
"""


class Sites(NamedTuple):
    """The hill has extensions 101 and 102; the coast 201, which the hill dials as 3201."""

    hill: Switch
    coast: Switch


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    folder = tmp_path_factory.mktemp("sites")
    ports = {"hill": free_ports(2), "coast": free_ports(2)}
    with (
        running(folder / "hill", HILL.format(**ports), extensions=2, port=ports["hill"]) as hill,
        running(
            folder / "coast", COAST.format(**ports), extensions=0, port=ports["coast"]
        ) as coast,
    ):
        yield Sites(hill, coast)


def link_is(switch: Switch, state: str) -> bool:
    [trunk] = told(switch, "status")["trunks"]
    return bool((trunk["state"] == "up") == (state == "up"))


def test_n1_n2_colleagues_call_each_other_by_short_numbers(sites: Sites, tmp_path: Path) -> None:
    """Both ways, names shown, sound both ways, and one id through both records."""
    with (
        Baresip(sites.hill.account("101"), tmp_path / "101", tone=440) as anna,
        Baresip(sites.coast.account("201"), tmp_path / "201", tone=880, options=ASKED) as olga,
    ):
        anna.registered()
        olga.registered()
        sites.hill.until(lambda: link_is(sites.hill, "up"), "a link", 30)
        anna.dial("3201")
        ringing = olga.wait_for("CALL_INCOMING")
        assert ringing["peerdisplayname"] == "Phone 101"
        olga.accept()
        anna.established()
        olga.live(2.2)
        anna.hangup()
        olga.closed()
        olga.dial("101")
        back = anna.wait_for("CALL_ESTABLISHED", direction="incoming")
        assert "sip:3201@" in back["peeruri"] and back["peerdisplayname"] == "Harbour"
        olga.hangup()
        anna.closed()

    assert seconds_of_tone(anna.heard()[0], 880) >= 1
    assert seconds_of_tone(olga.heard()[0], 440) >= 1
    [here] = told(sites.hill, "records", "--number", "3201")["records"][-1:]
    [there] = told(sites.coast, "records", "--chain", here["id"])["records"]
    assert there["caller_name"] == "Phone 101" and there["answered_by"] == "201"


def test_n6_without_the_link_local_calls_go_on_and_the_coast_falls_back(
    sites: Sites, tmp_path: Path
) -> None:
    with (
        Baresip(sites.hill.account("101"), tmp_path / "101") as anna,
        Baresip(sites.hill.account("102"), tmp_path / "102") as boris,
    ):
        anna.registered()
        boris.registered()
        sites.coast.stop()
        sites.hill.until(lambda: link_is(sites.hill, "down"), "a broken link", 60)
        for number in ("3201", "102"):  # the fallback is 102 as well
            anna.dial(number)
            boris.established()
            anna.established()
            anna.hangup()
            boris.closed()
        sites.coast.start()
        sites.coast.ready()
        sites.hill.until(lambda: link_is(sites.hill, "up"), "a link again", 60)
    events = told(sites.hill, "records", "--number", "3201")["records"]
    assert events[0]["answered_by"] == "102"


class Router(Wires):
    """What is sent from a private address leaves by a port of the router's."""

    def bind(self, opened: socket.socket, source: tuple[str, int]) -> None:
        opened.bind(("127.0.0.1", 0))


def test_p37_a_phone_behind_a_router_is_a_normal_extension(sites: Sites, tmp_path: Path) -> None:
    """It believes to be at 192.168.7.7: calls, hang-ups and sound reach it all the same."""
    with Baresip(sites.hill.account("101"), tmp_path / "101", tone=440) as anna:
        anna.registered()
        asyncio.run(cottage(sites.hill, anna))


async def cottage(switch: Switch, anna: Baresip) -> None:
    wires, handset = Router(), Handset(7)
    server, home = ("127.0.0.1", switch.port), ("192.168.7.7", 5060)
    remote = Phone(wires, server, "102", home, domain=DOMAIN)
    assert await remote.register() == 200
    anna.dial("102")
    for ends in ("here", "there"):
        talk = await remote.rings() if ends == "here" else remote.dial("101", port=handset.port)
        if ends == "here":
            talk.port = handset.port
            talk.answer()
        await until(lambda: talk.answered and talk.session.remote_sdp, within=30)  # noqa: B023
        sound = re.search(r"m=audio (\d+)", (talk.session.remote_sdp or b"").decode())
        assert sound is not None
        known = len(handset.arrivals)
        handset.send_to(("127.0.0.1", int(sound[1])))
        await until(lambda: len(handset.arrivals) > known + 50, within=30)  # noqa: B023
        if ends == "here":
            anna.hangup()
        else:
            talk.hang_up()
        await until(lambda: talk.ended, within=30)  # noqa: B023
        anna.closed()
    handset.close()
    wires.close()
