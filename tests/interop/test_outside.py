"""Phones outside as parts of the office, and odd trunks: TLS, IPv6, DNS, thieves.

Providers are SIPp, which sends sound back as it comes, and a baresip that registers nowhere:
a mobile phone, reached over UDP and over TLS.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
import trustme

from tests.interop.phones import Account, Baresip, Sipp
from tests.interop.phones.live import LivePhone, LivePhones, until
from tests.interop.phones.steps import accept_bye, answer, expect, pause, scenario, sdp
from tests.interop.ports import free_ports
from tests.interop.sound import seconds_of_tone
from tests.interop.switch import Switch, running, told

pytestmark = pytest.mark.interop

DESK, ANNA, BORIS, MOBILE = 440, 660, 880, 1500
ECHOES = [expect("INVITE"), answer(200, "OK", sdp(formats="0 8")), expect("ACK"), *accept_bye()]
NUMBER = "79161234567"
"""The mobile's, as its provider dials it."""
SETTINGS = """
[trunks.mobile]
server = "sip:127.0.0.1:{mobile}"
ping = 0
[trunks.safe]
server = "sip:127.0.0.1:{safe};transport=tls"
ping = 0
[trunks.six]
server = "sip:[::1]:{six}"
ping = 0
codecs = ["pcmu"]
[trunks.named]
server = "sip:provider.test;transport=udp"
ping = 0
[trunks.odd]
server = "sip:127.0.0.1:{odd}"
ping = 0
causes = {{ 480 = 486 }}
[destinations]
mobile = "7916"
safe = "7917"
abroad = "810"
named = "7918"
odd = "7919"
[classes.home]
dial = ["internal", "mobile", "safe", "abroad", "named", "odd"]
trunks = ["mobile", "safe"]
[extensions.101]
password = "secret-101"
class = "home"
[extensions.102]
password = "secret-102"
class = "home"
ring_time = 40
follow_me = {{ targets = ["number:{number}"], after = 0.5, ring_time = 40 }}
trunks = "safe"
[extensions.103]
password = "secret-103"
class = "boss"
[classes.boss]
dial = "anywhere"
trunks = "six"
expensive = "abroad"
expensive_calls = 1
expensive_daily = 2
[extensions.104]
password = "secret-104"
class = "home"
trunks = "named"
[extensions.105]
password = "secret-105"
class = "home"
trunks = "odd"
[groups.out]
number = "600"
members = ["102", "number:{number}"]
[conferences.board]
number = "800"
moderators = ["101"]
"""
PEOPLE = {"101": DESK, "102": ANNA, "103": BORIS, "104": 550, "105": 770}


class Office(NamedTuple):
    """The switch, its people, and what lies outside."""

    switch: Switch
    phones: LivePhones
    mobile: Baresip
    ports: dict[str, int]
    people: dict[str, LivePhone]


class Names:
    """A name server: provider.test is at two places, the first of which is dead."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self._ports = ports
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, asker = self._socket.recvfrom(4096)
            if not data:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), asker)

    def _answer(self, asked: dns.message.Message) -> dns.message.Message:
        told, [question] = dns.message.make_response(asked), asked.question
        told.flags |= dns.flags.AA | dns.flags.RA
        records: list[str] = []
        if question.rdtype == dns.rdatatype.SRV:
            places = zip((10, 20), self._ports, strict=True)
            records = [f"{rank} 1 {port} host{rank}.provider.test." for rank, port in places]
        elif question.rdtype == dns.rdatatype.A:
            records = ["127.0.0.1"]
        if records:
            kind = dns.rdatatype.to_text(question.rdtype)
            told.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        return told

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder, authority = tmp_path_factory.mktemp("outside"), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    proof = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    proof.write_to_path(folder / "mobile.pem")
    ports = {"six": free_ports(2, "::1"), "dead": free_ports(), "named": free_ports(2)}
    ports["odd"], names = free_ports(), Names((ports["dead"], ports["named"]))
    sip = f'dns = ["127.0.0.1:{names.port}"]\ntls = {{ authorities = "{folder}/ca.pem" }}'
    with Baresip(
        Account(NUMBER, "", "127.0.0.1", 9), folder / "mobile",
        tone=MOBILE, extra=f"sip_certificate {folder}/mobile.pem", registers=False,
    ) as mobile:  # fmt: skip
        ports |= {"mobile": mobile.port, "safe": mobile.port + 1}
        text = SETTINGS.format(**ports, number=NUMBER)
        with (
            running(
                folder / "switch", text, extensions=0, transports="udp tcp tls", sip=sip
            ) as switch,
            LivePhones() as phones,
        ):
            people = {
                number: phones.phone(switch.account(number), tone)
                for number, tone in PEOPLE.items()
            }
            yield Office(switch, phones, mobile, ports, people)
    names.close()


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    yield whole
    whole.phones.hang_up_all()


def provider(office: Office, folder: Path, port: int, *, address: str = "127.0.0.1") -> Sipp:
    """A SIPp that takes calls and lets everybody hear himself."""
    far = Sipp(
        folder / "far", scenario(*ECHOES), port=port, address=address, calls=100, timeout=120,
        options=("-rtp_echo",),
    )  # fmt: skip
    far.listening()
    return far


# -- phones outside ----------------------------------------------------------------------------


def test_p22_p38_a_mobile_joins_in_ringing_over_tls_and_takes_by_key(office: Office) -> None:
    """102's mobile answers, which is nothing yet; `1` makes it his call."""
    call = office.people["101"].dial("102")
    ringing = office.people["102"].rings()
    office.mobile.established()
    assert not call.is_up and not ringing.ended
    office.mobile.press("1")
    call.up().hears(MOBILE)
    ringing.over()
    office.mobile.live(2.2)
    call.hang_up()
    office.mobile.closed()
    assert seconds_of_tone(office.mobile.heard()[-1], DESK) >= 1
    [row] = told(office.switch, "records", "--number", "101", "--limit", "1")["records"]
    events = told(office.switch, "records", "--call", row["id"])["events"]
    [seized] = [each["details"]["trunk"] for each in events if each["kind"] == "seized"]
    assert seized == "safe"


def test_d6_a_mobile_is_a_member_of_a_group(office: Office) -> None:
    call = office.people["101"].dial("600")
    office.mobile.established()
    call.up().hears(MOBILE)
    assert not office.people["102"].is_rung
    call.hang_up()
    office.mobile.closed()


def test_p14_a_mobile_is_called_into_a_conference(office: Office) -> None:
    """It hears all who are inside, and they hear it."""
    anna = office.people["102"].calls("800")
    leader = office.people["101"].calls("800")
    leader.hears(ANNA).press(f"0{NUMBER}#")
    office.mobile.established()
    leader.hears(ANNA, MOBILE)
    anna.hears(DESK, MOBILE)
    office.mobile.live(1.2)
    leader.press("7")  # a moderator sends the last one away
    office.mobile.closed()
    leader.hears(ANNA)


# -- trunks ------------------------------------------------------------------------------------


def test_p38_a_trunk_over_ipv6_with_a_codec_of_its_own(office: Office, tmp_path: Path) -> None:
    """The phone speaks A-law, the trunk µ-law only; sound goes there and back."""
    with provider(office, tmp_path, office.ports["six"], address="::1") as far:
        call = office.people["103"].calls("84951112233").hears(BORIS)
        call.hang_up()
        until(lambda: "BYE sip:" in far.messages(), "the end of the call")
    offer = far.messages().partition("m=audio")[2].partition("a=sendrecv")[0]
    assert "IN IP6 ::1" in far.messages() and "PCMA" not in offer and "PCMU" in offer


def test_p38_a_provider_s_second_server_takes_what_the_first_does_not(
    office: Office, tmp_path: Path
) -> None:
    """Both found by SRV records (RFC 3263 §4.2); nobody listens at the first."""
    with provider(office, tmp_path, office.ports["named"]) as far:
        office.people["104"].calls("79181112233").hears(PEOPLE["104"]).hang_up()
        assert "INVITE sip:79181112233@provider.test" in far.messages()


def test_p33_a_cause_is_understood_as_the_administrator_says(
    office: Office, tmp_path: Path
) -> None:
    """This gateway says 480 where it means busy."""
    steps = [expect("INVITE"), answer(480, "Temporarily Unavailable"), expect("ACK"), pause(1)]
    with Sipp(tmp_path / "far", scenario(*steps), port=office.ports["odd"], timeout=90) as far:
        far.listening()
        office.people["105"].dial("79191112233").over("486")
        far.passes()


def test_a_stolen_account_makes_few_expensive_calls_and_an_alarm(
    office: Office, tmp_path: Path
) -> None:
    """One call at once, two a day; others are not barred by that."""
    boris = office.people["103"]

    def alarms() -> list[str]:
        return [alarm["name"] for alarm in told(office.switch, "status")["alarms"]]

    with provider(office, tmp_path, office.ports["six"], address="::1"):
        assert alarms() == []
        first = boris.calls("8101112233")
        boris.dial("8101112244").over("403")
        assert alarms() == ["expensive:103"]
        first.hang_up()
        boris.calls("8101112255").hang_up()
        boris.dial("8101112266").over("403")
        boris.calls("84951112233").hang_up()
