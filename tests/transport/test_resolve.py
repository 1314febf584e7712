"""RFC 3263: the procedure by itself, then with a name server of our own on the loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from softswitch.sip.types import Target
from softswitch.sip.uri import SipUri
from softswitch.transport.resolve import Query, Record, Resolver, locate, locate_now

Zone = Mapping[tuple[str, str], list[Record]]

A = {("A", "pbx.example"): [Record("192.0.2.1"), Record("192.0.2.2")]}
SRV = {
    ("SRV", "_sip._udp.pbx.example"): [Record("one.example", port=5070), Record("two.example")],
    ("A", "one.example"): [Record("192.0.2.11")],
    ("A", "two.example"): [Record("192.0.2.12")],
    ("AAAA", "one.example"): [Record("2001:db8::11")],
}
NAPTR = {
    ("NAPTR", "pbx.example"): [
        Record("_sips._tcp.pbx.example", service="SIPS+D2T"),
        Record("_sctp.pbx.example", service="SIP+D2S"),
        Record("_sip._udp.pbx.example", service="sip+d2u"),
    ],
    ("SRV", "_sips._tcp.pbx.example"): [Record("two.example", port=5061)],
}


def found(uri: str, zone: Zone) -> tuple[list[Target], list[str]]:
    """The targets of `uri`, and what was asked, when `zone` is all there is."""
    asked: list[Query] = []
    location = locate(SipUri.parse(uri))
    try:
        queries = next(location)
        while True:
            asked += queries
            answers = [zone.get((query.kind, query.name), []) for query in queries]
            queries = location.send(answers)
    except StopIteration as done:
        return done.value, [f"{query.kind} {query.name}" for query in asked]


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:192.0.2.9", Target("udp", "192.0.2.9", 5060)),
        ("sip:a@192.0.2.9:5080;transport=tcp", Target("tcp", "192.0.2.9", 5080)),
        ("sips:a@192.0.2.9", Target("tls", "192.0.2.9", 5061)),
        ("sip:[2001:db8::9];transport=TLS", Target("tls", "2001:db8::9", 5061)),
    ],
)
def test_numeric_hosts_never_wait(uri: str, target: Target) -> None:
    assert found(uri, {}) == ([target], [])
    assert locate_now(SipUri.parse(uri)) == [target]
    assert locate_now(SipUri.parse("sip:pbx.example")) is None


def test_a_port_rules_out_everything_but_addresses() -> None:
    targets, asked = found("sip:pbx.example:5080", A | SRV | NAPTR)

    assert targets == [Target("udp", "192.0.2.1", 5080), Target("udp", "192.0.2.2", 5080)]
    assert asked == ["A pbx.example", "AAAA pbx.example"]


def test_a_transport_rules_out_naptr() -> None:
    _, asked = found("sip:pbx.example;transport=tcp", A)

    assert asked == ["SRV _sip._tcp.pbx.example", "A pbx.example", "AAAA pbx.example"]


def test_naptr_chooses_the_transport() -> None:
    targets, _ = found("sip:pbx.example", A | SRV | NAPTR)

    assert targets == [
        Target("tls", "192.0.2.12", 5061),
        Target("udp", "192.0.2.11", 5070),
        Target("udp", "2001:db8::11", 5070),
        Target("udp", "192.0.2.12", 0),
    ]


def test_a_secure_uri_is_never_served_in_clear() -> None:
    targets, asked = found("sips:pbx.example", A | SRV | NAPTR)
    assert targets == [Target("tls", "192.0.2.12", 5061)]

    targets, asked = found("sips:pbx.example", A)
    assert asked[1] == "SRV _sips._tcp.pbx.example"
    assert targets[0] == Target("tls", "192.0.2.1", 5061)


def test_without_naptr_every_transport_is_asked_for() -> None:
    _, asked = found("sip:pbx.example", SRV)

    assert [query for query in asked if query.startswith("SRV")] == [
        "SRV _sip._udp.pbx.example",
        "SRV _sip._tcp.pbx.example",
        "SRV _sips._tcp.pbx.example",
    ]


def test_without_srv_the_default_port() -> None:
    assert found("sip:pbx.example", A)[0] == [
        Target("udp", "192.0.2.1", 5060),
        Target("udp", "192.0.2.2", 5060),
    ]


def test_a_service_that_is_not_offered() -> None:
    """RFC 2782: the target "." means decidedly not here."""
    zone = {("SRV", "_sip._tcp.pbx.example"): [Record("", port=0)]}

    assert found("sip:pbx.example;transport=tcp", zone)[0] == []


def test_no_answer_is_an_empty_list() -> None:
    assert found("sip:nowhere.example", {})[0] == []


def test_a_zone_without_end_is_cut() -> None:
    zone = {
        ("NAPTR", "pbx.example"): [Record(f"s{n}.example", service="SIP+D2U") for n in range(30)],
        **{
            ("SRV", f"s{n}.example"): [Record("one.example", port=p) for p in range(1, 30)]
            for n in range(30)
        },
        ("A", "one.example"): [Record("192.0.2.11")] * 500,
    }
    targets, asked = found("sip:pbx.example", zone)

    assert len(targets) == 16
    assert len(asked) < 30


class NameServer(asyncio.DatagramProtocol):
    """Answers from texts by name and type; what it does not know is NXDOMAIN."""

    transport: asyncio.DatagramTransport

    def __init__(self, zone: Mapping[tuple[str, str], list[str]]) -> None:
        self.records = [
            dns.rrset.from_text(name, 60, "IN", kind, *texts)
            for (name, kind), texts in zone.items()
        ]
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        question = dns.message.from_wire(data)
        (asked,) = question.question
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA | dns.flags.RA
        answer.answer = [
            each for each in self.records if each.name == asked.name and each.rdtype == asked.rdtype
        ]
        if not answer.answer:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def serving(
    zone: Mapping[tuple[str, str], list[str]],
) -> AsyncIterator[tuple[NameServer, Resolver]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server, Resolver([transport.get_extra_info("sockname")], families=[4])
    finally:
        transport.close()


@pytest.mark.anyio
async def test_a_real_name_server() -> None:
    """Order and weight come from dnspython: priority 10 before 20."""
    zone = {
        ("pbx.example.", "NAPTR"): ['10 10 "s" "SIP+D2T" "" _sip._tcp.pbx.example.'],
        ("_sip._tcp.pbx.example.", "SRV"): ["20 0 5062 two.example.", "10 0 5061 one.example."],
        ("one.example.", "A"): ["192.0.2.11"],
        ("two.example.", "A"): ["192.0.2.12"],
    }
    async with serving(zone) as (server, resolver):
        uri = SipUri.parse("sip:pbx.example")
        expected = [Target("tcp", "192.0.2.11", 5061), Target("tcp", "192.0.2.12", 5062)]
        assert await resolver.resolve(uri) == expected

        asked = server.asked
        assert await resolver.resolve(uri) == expected
        assert server.asked == asked, "the cache answers"


@pytest.mark.anyio
async def test_a_silent_name_server_is_given_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = Resolver([silent.getsockname()], timeout=0.02, lifetime=0.05)
        assert await resolver.resolve(SipUri.parse("sip:pbx.invalid")) == []


@pytest.mark.anyio
async def test_localhost_needs_no_name_server() -> None:
    async with serving({}) as (server, resolver):
        targets = await resolver.resolve(SipUri.parse("sip:localhost:5070"))

        assert targets == [Target("udp", "127.0.0.1", 5070)]
        assert server.asked == 0
