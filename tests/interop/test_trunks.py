"""The outside with SIPp as providers and gateways: out, in, refused, full, balanced, failed over.

One switch serves all these tests; each has trunks of its own to itself.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.phones import Baresip, Sipp
from tests.interop.phones.registering import register
from tests.interop.phones.scenarios import REGISTRAR
from tests.interop.phones.steps import (
    accept_bye,
    ack,
    ack_refusal,
    answer,
    credentials,
    expect,
    hang_up,
    invited,
    pause,
    recv,
    request,
    scenario,
    sdp,
    send,
)
from tests.interop.ports import free_ports
from tests.interop.switch import Switch, running

pytestmark = pytest.mark.interop

ANSWERS = [
    expect("INVITE"),
    answer(180, "Ringing"),
    answer(200, "OK", sdp()),
    expect("ACK"),
    *accept_bye(),
]
TALKS = [recv(180, optional=True), recv(183, optional=True), recv(200), ack(), pause(200)]
TRUNKS = ("city", "coast", "advert", "isdn", "account", "known", "inlet", "hot", "cold")
SETTINGS = """
[trunks.city]
server = "sip:127.0.0.1:{city}"
ping = 0
format = "e164"
codecs = ["pcmu"]
caller_id = "74951234567"
force_caller_id = true
channels = 1
[trunks.coast]
server = "sip:127.0.0.1:{coast}"
ping = 0
priority = 1
[trunks.advert]
server = "sip:127.0.0.1:{advert}"
ping = 0
direction = "in"
[trunks.isdn]
server = "sip:127.0.0.1:{isdn}"
ping = 0
[trunks.account]
server = "sip:127.0.0.1:{account}"
ping = 0
username = "box7"
password = "x7"
register = true
expires = 60
[trunks.known]
server = "sip:127.0.0.1:{known}"
ping = 0
inbound_username = "carrier"
inbound_password = "secret-carrier"
[trunks.inlet]
server = "sip:127.0.0.1:{inlet}"
ping = 0
[trunks.hot]
server = "sip:127.0.0.1:{hot}"
ping = 0
weight = 2
[trunks.cold]
server = "sip:127.0.0.1:{cold}"
ping = 0
"""
OFFICE = """
[destinations]
local = ["495", "8495", "+7495"]
mobile = ["89", "+79"]
[classes.out]
dial = ["internal", "local"]
trunks = ["city", "coast", "advert"]
[classes.isdn]
dial = "local"
trunks = "isdn"
[classes.even]
dial = "local"
trunks = ["hot", "cold"]
balance = "even"
[classes.one]
dial = "local"
trunks = "city"
override = "mobile"
[classes.none]
dial = []
[emergency]
trunks = "city"
[modes]
day = "Mon-Sun 00:00-24:00"
night = { code = "*92", expires = 1 }
[lines."74951234567"]
day = "extension:102"
night = "hangup:declined"
[lines."74957654321"]
any = "extension:103"
channels = 2
[lines."74955555555"]
any = "hangup:gone"
[lookups.crm]
database = "sqlite:///{database}"
query = "select route from customers where phone = :caller_e164"
timeout = 20
[lookups.slow]
url = "http://127.0.0.1:{silent}/?{caller}"
timeout = 0.3
fallback = "hangup:busy"
[[rules]]
name = "customers"
called = "74955555555"
caller = "+7916"
lookup = "crm"
[[rules]]
name = "slow"
called = "74955555555"
caller = "+7903"
lookup = "slow"
"""
PEOPLE = {"105": "out", "106": "isdn", "107": "even", "108": "none", "109": "one"}


class Office:
    """The switch, the ports of its trunks, and phones 102 and 103 that answer every call."""

    def __init__(
        self, switch: Switch, ports: dict[str, int], folder: Path, registrar: Sipp
    ) -> None:
        self.switch, self.ports, self.folder = switch, ports, folder
        self.registrar = registrar
        self._number = 0

    def new(self, name: str) -> Path:
        self._number += 1
        return self.folder / f"{self._number}-{name}"

    @contextmanager
    def trunk(self, name: str, *steps: str, calls: int = 1) -> Iterator[Sipp]:
        """The far side of a trunk, waiting for calls."""
        port, folder = self.ports[name], self.new(name)
        with Sipp(folder, scenario(*steps), calls=calls, port=port, timeout=90) as far:
            far.listening()
            yield far

    def dial(self, user: str, to: str, *steps: str) -> str:
        """An extension calls; all it sent and received."""
        remote, rows = f"127.0.0.1:{self.switch.port}", [credentials(user)]
        folder = self.new(user)
        with Sipp(folder, scenario(*steps), remote, service=to, fields=rows, timeout=90) as phone:
            return phone.passes()

    def calls_in(
        self, trunk: str, to: str, *steps: str, caller: str = "79161112233", login: str = ""
    ) -> str:
        """Somebody calls through a trunk; all that its far side sent and received."""
        with self.incoming(trunk, to, *steps, caller=caller, login=login) as far:
            return far.passes()

    def incoming(
        self,
        trunk: str,
        to: str,
        *steps: str,
        caller: str = "79161112233",
        login: str = "",
        calls: int = 1,
    ) -> Sipp:
        """Callers through a trunk; with `login` the steps begin with the INVITE themselves."""
        offer = send(request("INVITE", 1, dialog=False), sdp(), retrans=True)
        first = [] if login else [offer, recv(100, optional=True)]
        return Sipp(
            self.new(trunk), scenario(*first, *steps), f"127.0.0.1:{self.switch.port}", service=to,
            fields=[[caller, login]], port=self.ports[trunk], calls=calls,
            timeout=90,
        )  # fmt: skip

    def records(self, **wanted: str) -> list[dict[str, Any]]:
        """The records of calls with these facts, the latest first."""
        rows = json.loads(self.switch.command("records", "--json").stdout)["records"]
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    def talking(self) -> int:
        """How many calls are answered."""
        calls = json.loads(self.switch.command("calls", "--json").stdout)
        return sum(call["state"] == "talking" for call in calls)

    def happened(self, kind: str) -> bool:
        """Whether the call in progress has an event of this kind."""
        [call] = json.loads(self.switch.command("calls", "--json").stdout)
        record = json.loads(self.switch.command("records", "--call", call["id"], "--json").stdout)
        return any(event["kind"] == kind for event in record["events"])

    def state(self, trunk: str) -> str:
        trunks = json.loads(self.switch.command("status", "--json").stdout)["trunks"]
        return str(next(each["state"] for each in trunks if each["name"] == trunk))


def invites(far: Sipp) -> int:
    """How many calls it was sent, repetitions apart."""
    found = re.findall(r"^INVITE .*?^Call-ID: (\S+)", far.messages(), re.DOTALL | re.MULTILINE)
    return len(set(found))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("trunks")
    ports = {name: free_ports() for name in TRUNKS}
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        more = OFFICE.replace("{database}", str(customers(folder)))
        more = more.replace("{silent}", str(silent.getsockname()[1]))
        text = SETTINGS.format(**ports) + more
        for number, name in PEOPLE.items():
            text += f'[extensions.{number}]\npassword = "secret-{number}"\nclass = "{name}"\n'
            text += 'pin = "4711"\n'
        with (
            Sipp(folder / "registrar", REGISTRAR, port=ports["account"], timeout=90) as registrar,
            running(folder / "switch", text, extensions=3, switch='country = "RU"') as switch,
            Sipp(folder / "102", scenario(*ANSWERS), calls=1000, timeout=600) as one,
            Sipp(folder / "103", scenario(*ANSWERS), calls=1000, timeout=600) as two,
        ):
            for number, phone in (("102", one), ("103", two)):
                phone.listening()
                register(switch.account(number), phone.port)
            yield Office(switch, ports, folder, registrar)


def customers(folder: Path) -> Path:
    file = folder / "crm.db"
    database = sqlite3.connect(file)
    database.execute("create table customers (phone, route)")
    database.execute("insert into customers values ('+79161112233', 'extension:103')")
    database.commit()
    database.close()
    return file


def test_p27_p38_out_by_a_trunk_in_its_own_form(office: Office) -> None:
    """The number as +E.164, the codec that the trunk speaks, the number that it shows."""
    with office.trunk("city", *ANSWERS) as city:
        office.dial("105", "84951112233", *invited(), *TALKS, *hang_up())
        told = city.passes()
    assert "INVITE sip:+74951112233@127.0.0.1" in told
    assert "From: <sip:74951234567@" in told
    assert "RTP/AVP 0 " in told and "RTP/AVP 8" not in told.partition("SIP/2.0 200")[0]


def test_p30_p31_what_the_class_does_not_allow_is_refused(office: Office) -> None:
    barred = [*invited(), recv(183, optional=True), recv(403), ack_refusal(2)]
    office.dial("105", "89161112233", *barred)


def test_p31_the_pin_of_an_extension_opens_what_is_barred(office: Office, tmp_path: Path) -> None:
    """A wrong one is asked for again; keys pressed meanwhile interrupt the prompt."""
    with (
        office.trunk("city", *ANSWERS) as city,
        Baresip(office.switch.account("109"), tmp_path / "109") as phone,
    ):
        phone.registered()
        phone.dial("89161112233")
        phone.established()
        phone.press("1234#")
        office.switch.until(lambda: office.happened("wrong-pin"), "a wrong PIN")
        phone.press("4711#")
        city.until(lambda: "INVITE sip:+79161112233@" in city.messages(), "a call by PIN")
        office.switch.until(lambda: office.talking() == 1, "two who talk")
        phone.hangup()
        city.passes()


def test_p29_p38_a_trunk_that_fails_is_replaced_but_not_by_an_advertised_one(
    office: Office,
) -> None:
    unwell = [expect("INVITE"), answer(503, "Service Unavailable"), expect("ACK")]
    with (
        office.trunk("city", *unwell) as city,
        office.trunk("coast", *ANSWERS) as coast,
        office.trunk("advert", *ANSWERS) as advert,
    ):
        office.dial("105", "84951112233", *invited(), *TALKS, *hang_up())
        city.passes()
        coast.passes()
        assert "INVITE" not in advert.messages()


def test_p33_a_gateway_is_heard_early_and_its_causes_understood(office: Office) -> None:
    """183 with sound goes through; Q.850 17 behind a vague 503 is busy."""
    reason = 'Reason: Q.850;cause=17;text="User busy"'
    gateway = [
        expect("INVITE"),
        answer(183, "Session Progress", sdp()),
        pause(300),
        answer(503, "Service Unavailable", extra=reason),
        expect("ACK"),
    ]
    with office.trunk("isdn", *gateway) as far:
        told = office.dial("106", "84951112233", *invited(), recv(183), recv(486), ack_refusal(2))
        far.passes()
    assert "m=audio" in told.partition("183 Session Progress")[2].partition("SIP/2.0 486")[0]
    assert "Q.850;cause=17" in told


def test_p28_calls_are_spread_over_trunks_by_weight(office: Office) -> None:
    """Twice as many by the one of twice the weight, to within one call."""
    count = 30
    steps = [*invited(), *TALKS, *hang_up()]
    with (
        office.trunk("hot", *ANSWERS, calls=1000) as hot,
        office.trunk("cold", *ANSWERS, calls=1000) as cold,
    ):
        remote, rows = f"127.0.0.1:{office.switch.port}", [credentials("107")]
        with Sipp(
            office.new("107"), scenario(*steps), remote, service="84951112233", fields=rows,
            calls=count, rate=15, timeout=90,
        ) as phone:  # fmt: skip
            phone.passes()
        shares = [invites(far) for far in (hot, cold)]
    assert sum(shares) == count and abs(shares[0] - 20) <= 1


def test_p1_p2_each_number_reaches_its_own_extension(office: Office) -> None:
    talk = [recv(180), recv(200), ack(1), pause(200), *hang_up(2)]
    office.calls_in("inlet", "74951234567", *talk)
    office.calls_in("inlet", "+74957654321", *talk)
    office.calls_in("inlet", "74950000000", recv(404), ack_refusal(1))
    one, two = office.records(line="74951234567"), office.records(line="74957654321")
    assert one[0]["route"] == "extension:102" and one[0]["answered_by"] == "102"
    assert two[0]["route"] == "extension:103" and two[0]["answered_by"] == "103"


def test_p39_p34_a_number_has_its_channels_and_status_counts_them(office: Office) -> None:
    talk = [recv(180), recv(200), ack(1), *accept_bye()]
    with office.incoming("inlet", "74957654321", *talk, calls=2) as callers:
        office.switch.until(lambda: office.talking() == 2, "two calls")
        office.calls_in("coast", "74957654321", recv(486), ack_refusal(1))
        status = json.loads(office.switch.command("status", "--json").stdout)
        [line] = [line for line in status["lines"] if line["number"] == "74957654321"]
        assert line["channels"] == {"used": 2, "limit": 2}
        assert status["usage"]["channels"]["used"] == 2
        assert office.switch.command("hangup", "--all").returncode == 0
        callers.passes()


def test_p38_an_inbound_trunk_proves_itself_by_password(office: Office) -> None:
    right = [*invited(), recv(180), recv(200), ack(2), pause(200), *hang_up(3)]
    login = "[authentication username=carrier password=secret-carrier]"
    office.calls_in("known", "74951234567", *right, login=login)
    wrong = [*invited(), recv(401), ack_refusal(2)]
    office.calls_in("known", "74951234567", *wrong, login=login.replace("secret", "guessed"))
    assert office.records(trunk="known")[0]["answered_by"] == "102"


def test_p38_a_trunk_registers_and_is_called_at_its_account(office: Office) -> None:
    """With its password, when the switch starts; calls come in by the registrar's address."""
    assert 'username="box7"' in office.registrar.passes()
    office.switch.until(lambda: office.state("account") == "up", "a registration", 45)
    talk = [recv(180), recv(200), ack(1), pause(200), *hang_up(2)]
    office.calls_in("account", "74951234567", *talk)


def test_p23_p24_a_mode_set_by_hand_changes_where_the_same_number_leads(office: Office) -> None:
    switch = office.switch
    day = switch.command("route", "84951234567", "--from", "89161112233").stdout
    assert "the mode is day, by the calendar" in day and "→ extension:102" in day
    heard = [*invited(), recv(200), ack(), *accept_bye()]
    office.dial("105", "*92", *heard)
    office.calls_in("inlet", "74951234567", recv(603), ack_refusal(1))
    night = switch.command("route", "84951234567", "--from", "89161112233").stdout
    assert "the mode is night, set by hand" in night and "→ hangup:declined" in night
    office.dial("105", "*92", *heard)  # again: back to the calendar
    assert "day" in switch.command("mode").stdout


def test_a11_a13_a_database_routes_and_a_silent_one_is_not_waited_for(office: Office) -> None:
    """By SQL to where the row says; what the web does not answer in 0.3 s falls back."""
    talk = [recv(180), recv(200), ack(1), pause(200), *hang_up(2)]
    office.calls_in("inlet", "74955555555", *talk, caller="89161112233")
    row = office.records(line="74955555555")[0]
    assert row["answered_by"] == "103" and row["details"]["rule"] == "customers"
    slow = [recv(486), ack_refusal(1)]
    office.calls_in("inlet", "74955555555", *slow, caller="79031112233")
    other = [recv(410), ack_refusal(1)]
    office.calls_in("inlet", "74955555555", *other, caller="79051112233")
    told = office.switch.command("route", "74955555555", "--from", "79031112233").stdout
    assert "look-up slow: failed (no answer within 0.3 s)" in told
    assert "look-up slow fails" in office.switch.command("status").stdout


def test_p32_who_waits_for_a_line_is_rung_back_and_connected(
    office: Office, tmp_path: Path
) -> None:
    """The only channel is busy: `1` camps on; once it is free the phone rings, then dials."""
    hold = [recv(180), recv(200), ack(), *accept_bye()]
    remote, rows = f"127.0.0.1:{office.switch.port}", [credentials("105")]
    with (
        office.trunk("city", *ANSWERS, calls=2) as city,
        Baresip(office.switch.account("109"), tmp_path / "109") as waiting,
    ):
        waiting.registered()
        with Sipp(
            office.new("105"), scenario(*invited(), *hold), remote, service="84951112233",
            fields=rows, timeout=90,
        ) as other:  # fmt: skip
            office.switch.until(lambda: office.talking() == 1, "a call on the only channel")
            waiting.dial("84953334455")
            waiting.established()
            waiting.press("1")
            waiting.closed()
            office.switch.command("hangup", "--all")
            other.passes()
        waiting.wait_for("CALL_ESTABLISHED", direction="incoming")
        city.until(lambda: "INVITE sip:+74953334455@" in city.messages(), "the call he waited for")
        office.switch.until(lambda: office.talking() == 1, "two who talk")
        waiting.hangup()
        city.passes()


def test_help_is_reached_by_one_who_may_dial_nothing_over_a_full_trunk(office: Office) -> None:
    hold = [recv(180), recv(200), ack(), *accept_bye()]
    with office.trunk("city", *ANSWERS, calls=2) as city:
        remote, rows = f"127.0.0.1:{office.switch.port}", [credentials("105")]
        with Sipp(
            office.new("105"), scenario(*invited(), *hold), remote, service="84951112233",
            fields=rows, timeout=90,
        ) as other:  # fmt: skip
            office.switch.until(lambda: office.talking() == 1, "a call on the only channel")
            barred = [*invited(), recv(183, optional=True), recv(403), ack_refusal(2)]
            office.dial("108", "84951112233", *barred)
            office.dial("108", "112", *invited(), *TALKS, *hang_up())
            office.switch.command("hangup", "--all")
            other.passes()
        assert "INVITE sip:112@" in city.passes()
    assert office.records(dialled="112")[0]["details"]["emergency"] is True
