"""Where a SIP URI's host is: RFC 3263, NAPTR to SRV to A and AAAA, or none of it.

`locate` is the procedure itself, without I/O: a generator that yields queries, takes
answers and returns targets in the order to try them.  `Resolver` asks real name servers.
Numeric hosts never wait, and nothing that is answered along a flow comes here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple, TypeAlias

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from softswitch.sip.route import is_literal
from softswitch.sip.types import DEFAULT_PORT, Seconds, Target
from softswitch.sip.uri import SipUri

MAX_TARGETS = 16
MAX_SERVICES = 8

SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
SRV_NAMES = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
LOOPBACK = {"A": ["127.0.0.1"], "AAAA": ["::1"]}


class Query(NamedTuple):
    """One question to the name server."""

    kind: Literal["NAPTR", "SRV", "A", "AAAA"]
    name: str


class Record(NamedTuple):
    """One answer.  NAPTR: service and replacement; SRV: port and target; else an address."""

    value: str
    service: str = ""
    port: int = 0


Answers: TypeAlias = Sequence[Sequence[Record]]
"""Records by query, those of one in the order to be used; none where there is no answer."""

Location: TypeAlias = Generator[tuple[Query, ...], Answers, list[Target]]


def locate(uri: SipUri, families: Sequence[int] = (4, 6)) -> Location:
    """Find the targets of a URI (RFC 3263 §4), the first to be tried first.

    `families` are the IP versions that we speak, the preferred first.
    """
    host = uri.host.strip("[]").rstrip(".")
    named = uri.params.get("transport", "").lower()
    transport = uri.transport if named or uri.scheme == "sips" else None
    if is_literal(host):
        return [Target(uri.transport, host, uri.effective_port)]
    if uri.port is not None:  # "the client performs an A or AAAA record lookup" (§4.2)
        return (yield from _addresses(host, uri.port, transport or "udp", families))
    services = yield from _services(host, named, secure=uri.scheme == "sips")
    targets: list[Target] = []
    for service, name in services[:MAX_SERVICES]:
        (found,) = yield (Query("SRV", name),)
        for record in found[:MAX_TARGETS]:
            if record.value and len(targets) < MAX_TARGETS:  # "." is "not available" (RFC 2782)
                targets += yield from _addresses(record.value, record.port, service, families)
    if targets:
        return targets[:MAX_TARGETS]
    fallback = transport or "udp"
    return (yield from _addresses(host, DEFAULT_PORT[fallback], fallback, families))


def _services(
    host: str, named: str, *, secure: bool
) -> Generator[tuple[Query, ...], Answers, list[tuple[str, str]]]:
    """Transports and SRV names to ask, in order (RFC 3263 §4.1)."""
    usable = ["tls"] if secure else ["udp", "tcp", "tls"]
    if named:
        transport = "tls" if secure and named == "tcp" else named
        return [(transport, SRV_NAMES[transport] + host)] if transport in SRV_NAMES else []
    (records,) = yield (Query("NAPTR", host),)
    offered = [(SERVICES.get(each.service.upper(), ""), each.value) for each in records]
    services = [(transport, name) for transport, name in offered if transport in usable and name]
    return services or [(transport, SRV_NAMES[transport] + host) for transport in usable]


def _addresses(
    host: str, port: int, transport: str, families: Sequence[int]
) -> Generator[tuple[Query, ...], Answers, list[Target]]:
    """A and AAAA at once; the preferred family's addresses first."""
    if is_literal(host):  # what administrators write into SRV records by mistake
        return [Target(transport, host, port)]
    answers = yield tuple(Query("A" if family == 4 else "AAAA", host) for family in families)
    return [Target(transport, record.value, port) for found in answers for record in found]


def locate_now(uri: SipUri) -> list[Target] | None:
    """The targets of a URI with a numeric host; None where DNS must be asked."""
    try:
        next(locate(uri))
    except StopIteration as done:
        targets: list[Target] = done.value
        return targets
    return None


class Resolver:
    """Asks name servers, remembering answers as long as they allow.

    `servers` are (address, port) pairs; none means the system's.  Whatever goes wrong with
    DNS is an empty list: the caller tries its next way, or answers 503.
    """

    def __init__(
        self,
        servers: Sequence[tuple[str, int]] = (),
        *,
        families: Sequence[int] = (4, 6),
        timeout: Seconds = 1.0,
        lifetime: Seconds = 3.0,
    ) -> None:
        self._families = families
        self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(host, port) for host, port in servers
            ]
        self._resolver.timeout, self._resolver.lifetime = timeout, lifetime
        self._resolver.cache = dns.resolver.LRUCache(10_000)
        self._whole = 2 * lifetime

    async def resolve(self, uri: SipUri) -> list[Target]:
        """The targets of a URI, in the order to try them; [] where there are none."""
        location = locate(uri, self._families)
        try:
            async with asyncio.timeout(self._whole):
                queries = next(location)
                while True:
                    queries = location.send(await asyncio.gather(*map(self._ask, queries)))
        except StopIteration as done:
            targets: list[Target] = done.value
            return targets
        except TimeoutError:
            return []

    async def _ask(self, query: Query) -> list[Record]:
        if query.name == "localhost" and query.kind in LOOPBACK:  # RFC 6761 §6.3
            return [Record(address) for address in LOOPBACK[query.kind]]
        records: list[Record] = []
        with suppress(dns.exception.DNSException, OSError, UnicodeError):
            answer = await self._resolver.resolve(query.name, query.kind, search=False)
            if answer.rrset is not None:
                records = [_record(each) for each in answer.rrset.processing_order()]
        if not records and query.kind in LOOPBACK:
            records = await _ask_system(query)
        return records


def _record(data: object) -> Record:
    match data:
        case NAPTR():
            return Record(_host(data.replacement), service=data.service.decode("latin-1"))
        case SRV():
            return Record(_host(data.target), port=data.port)
        case _:
            return Record(str(data))


def _host(name: dns.name.Name) -> str:
    return str(name.to_text(omit_final_dot=True)).removesuffix(".")


async def _ask_system(query: Query) -> list[Record]:
    """What /etc/hosts and its kin know, in a thread of the loop."""
    family = socket.AF_INET if query.kind == "A" else socket.AF_INET6
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            query.name, None, family=family, type=socket.SOCK_DGRAM
        )
    except (OSError, UnicodeError):
        return []
    return [Record(str(sockaddr[0])) for *_, sockaddr in found]
