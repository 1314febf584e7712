"""What is listened at: no address claimed twice, certificates that are there and fit their keys."""

import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from config.problems import Problem
from config.settings import Settings


class _Claim(NamedTuple):
    """One socket that is wanted, and the dotted key that wants it."""

    key: str
    kind: str
    host: str
    port: int

    def meets(self, other: "_Claim") -> bool:
        """Whether both cannot be had; 0.0.0.0 and :: take a port on every address."""
        same = self.kind == other.kind and self.port == other.port != 0
        return same and _overlap(self.host, other.host)


def unlistenable(settings: Settings) -> list[Problem]:
    """Listeners that are in each other's way, and what TLS listeners could not present."""
    return [*_twice(settings), *_among_sound(settings), *_certificates(settings)]


def _claims(settings: Settings) -> Iterator[_Claim]:
    for index, listen in enumerate(settings.sip.listen):
        kind = "udp" if listen.transport == "udp" else "tcp"
        yield _Claim(f"sip.listen[{index}]", kind, listen.host, listen.port)
    if settings.api.listen != "off":
        yield _Claim("api.listen", "tcp", *settings.api.listen)


def _twice(settings: Settings) -> Iterator[Problem]:
    earlier: list[_Claim] = []
    for claim in _claims(settings):
        first = next((other for other in earlier if other.meets(claim)), None)
        if first is not None:
            yield Problem(claim.key, f"port {claim.port} is {first.key}'s already; choose another")
        earlier.append(claim)


def _among_sound(settings: Settings) -> Iterator[Problem]:
    """Sound takes its ports first, and would find one less, or SIP none."""
    low, high = settings.media.ports
    for claim in _claims(settings):
        if claim.kind == "udp" and low <= claim.port <= high:
            for address in filter(None, (settings.media.address, settings.media.address6)):
                if _overlap(claim.host, address):
                    sentence = f"port {claim.port} lies within media.ports ({low}-{high})"
                    yield Problem(claim.key, f"{sentence}; choose one outside")
                    break


def _overlap(one: str, other: str) -> bool:
    first, second = _address(one), _address(other)
    if first is None or second is None:
        return one == other
    if first.version != second.version:
        return False
    return first == second or first.is_unspecified or second.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _certificates(settings: Settings) -> Iterator[Problem]:
    tls, api = settings.sip.tls, settings.api
    if any(listen.transport == "tls" for listen in settings.sip.listen):
        yield from _pair("sip.tls", tls.certificate, tls.key)
    if api.listen != "off":
        yield from _pair("api", api.certificate, api.key)
    if tls.authorities is not None:
        yield from _unreadable("sip.tls.authorities", tls.authorities)


def _pair(table: str, certificate: Path | None, key: Path | None) -> Iterator[Problem]:
    """What keeps the two from serving; a key may stand in the certificate's file."""
    if certificate is None:
        if key is not None:
            yield Problem(f"{table}.certificate", "is missing, though there is a key")
        return
    named = ((f"{table}.certificate", certificate), (f"{table}.key", key))
    faults = [fault for name, path in named if path for fault in _unreadable(name, path)]
    yield from faults
    if faults:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError):
        sentence = f"{certificate} and its key do not fit, or are no PEM files"
        yield Problem(f"{table}.certificate", sentence)


def _unreadable(key: str, path: Path) -> Iterator[Problem]:
    try:
        path.open("rb").close()
    except OSError as error:
        yield Problem(key, f"{path} cannot be read ({error.strerror})")
