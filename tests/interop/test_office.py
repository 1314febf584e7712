"""Groups, pickup, parking, paging, doors, presence and messages with real phones."""

import asyncio
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.interop.phones import Baresip
from tests.interop.ports import free_ports
from tests.interop.sound import seconds_of_tone
from tests.interop.switch import DOMAIN, Switch, running
from tests.interop.wires import Wires
from tests.support.phone import Phone, until

pytestmark = pytest.mark.interop

RINGS = "answermode=manual;audio_codecs=PCMA"
GROUP = '[groups.office]\nnumber = "600"\nmembers = ["102", "103"]\n'


def test_p3_d6_all_ring_and_one_wins(tmp_path: Path) -> None:
    with (
        running(tmp_path / "switch", GROUP) as switch,
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as caller,
        Baresip(switch.account("102"), tmp_path / "102", options=RINGS) as loser,
        Baresip(switch.account("103"), tmp_path / "103", tone=880, options=RINGS) as winner,
    ):
        for phone in (caller, loser, winner):
            phone.registered()
        caller.dial("600")
        loser.wait_for("CALL_INCOMING")
        winner.wait_for("CALL_INCOMING")
        winner.accept()
        caller.established()
        loser.closed(timeout=1.0)
        caller.live(2.2)
        caller.hangup()
        winner.closed()

    assert seconds_of_tone(caller.heard()[0], 880) >= 1


def test_p12_a_ringing_call_is_taken_by_another(switch: Switch, tmp_path: Path) -> None:
    with (
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as caller,
        Baresip(switch.account("102"), tmp_path / "102", options=RINGS) as called,
        Baresip(switch.account("103"), tmp_path / "103", tone=880) as taker,
    ):
        for phone in (caller, called, taker):
            phone.registered()
        caller.dial("102")
        called.wait_for("CALL_INCOMING")
        taker.dial("**102")
        caller.established()
        called.closed()
        caller.live(2.2)
        caller.hangup()
        taker.closed()

    assert seconds_of_tone(caller.heard()[0], 880) >= 1
    assert seconds_of_tone(taker.heard()[0], 440) >= 1


def test_p17_a_parked_call_is_fetched_from_any_phone(switch: Switch, tmp_path: Path) -> None:
    with (
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as guest,
        Baresip(switch.account("102"), tmp_path / "102", tone=660) as clerk,
        Baresip(switch.account("103"), tmp_path / "103", tone=880) as fetcher,
    ):
        for phone in (guest, clerk, fetcher):
            phone.registered()
        guest.dial("102")
        clerk.established()
        clerk.live(0.3)
        clerk.transfer("*68")
        clerk.closed()
        fetcher.dial("71")
        fetcher.established()
        fetcher.live(2.2)
        guest.hangup()
        fetcher.closed()

    assert seconds_of_tone(guest.heard()[0], 880) >= 1
    assert seconds_of_tone(fetcher.heard()[0], 440) >= 1


def test_p15_p16_a_page_is_heard_on_phones_and_multicast_speakers(tmp_path: Path) -> None:
    port = free_ports()
    group = "239.255.77.7"
    page = f'[paging.hall]\nnumber = "650"\nmembers = ["102"]\nmulticast = ["{group}:{port}"]\n'
    with (
        running(tmp_path / "switch", page) as switch,
        speaker(group, port) as heard,
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as voice,
        Baresip(switch.account("102"), tmp_path / "102", tone=880) as phone,
    ):
        voice.registered()
        phone.registered()
        voice.dial("650")
        phone.established()
        phone.live(2.5)
        packet = heard.recv(2048)
        voice.hangup()
        phone.closed()

    assert packet[0] == 0x80 and packet[1] & 0x7F == 0  # RTP, PCMU
    assert seconds_of_tone(phone.heard()[0], 440) >= 1
    assert seconds_of_tone(voice.heard()[0], 880) == 0


def speaker(group: str, port: int) -> socket.socket:
    """A multicast speaker on the loopback."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(3.0)
    opened.bind((group, port))
    here = socket.inet_aton("127.0.0.1")
    membership = struct.pack("4s4s", socket.inet_aton(group), here)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return opened


def test_p18_p19_a_key_opens_the_door(tmp_path: Path) -> None:
    opened: list[str] = []

    class Lock(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    lock = HTTPServer(("127.0.0.1", 0), Lock)
    threading.Thread(target=lock.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{lock.server_port}/open"
    door = (
        f'[doors.front]\nextension = "104"\nto = "extension:102"\nunlock = {{ http = "{url}" }}\n'
    )
    with (
        running(tmp_path / "switch", door) as switch,
        Baresip(switch.account("104"), tmp_path / "104", tone=440) as outside,
        Baresip(switch.account("102"), tmp_path / "102", tone=880) as inside,
    ):
        outside.registered()
        inside.registered()
        outside.dial("1")
        inside.established()
        inside.press("9")
        inside.until(lambda: bool(opened), "an open door")
        inside.hangup()
        outside.closed()
        switch.wait_for_output('"result": "opened"')
    lock.shutdown()
    lock.server_close()

    assert opened == ["/open"]


def test_lamps_presence_and_messages(switch: Switch) -> None:
    """PJSIP's Python cannot watch anybody without a crash, so these phones are scripted."""
    asyncio.run(watch_and_write(switch))


async def watch_and_write(switch: Switch) -> None:
    wires, server = Wires(), ("127.0.0.1", switch.port)
    anna, boris = (
        Phone(wires, server, number, ("127.0.0.1", free_ports()), domain=DOMAIN)
        for number in ("101", "102")
    )
    await anna.register()
    lamp, view = await anna.watch("102"), await anna.watch("102", "presence")
    await until(lambda: lamp.notes and view.notes)
    assert "terminated" in lamp.last and "closed" in view.last
    assert (await anna.message("102", "for later")).status == 202
    await boris.register()
    await until(lambda: "open" in view.last)
    await until(lambda: boris.requests)
    talk = boris.dial("*43")
    await until(lambda: "confirmed" in lamp.last and "on-the-phone" in view.last)
    talk.hang_up()
    await until(lambda: "terminated" in lamp.last)
    assert (await anna.message("102", "at once")).status == 200
    assert [each.body for each in boris.requests if each.method == "MESSAGE"] == [
        b"for later",
        b"at once",
    ]
    wires.close()
