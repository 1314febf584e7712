"""SIP URIs: taken apart, put together, compared (RFC 3261 §19.1, §25.1).

Also reads tel URIs (RFC 3966) so far as to dial them.  Knows no DNS: what a host name
means is another's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, unquote

from softswitch.sip.memory import remembered
from softswitch.sip.types import DEFAULT_PORT, ParseError

_NON_ASCII = "\u0080-\U0010ffff"
_HEX = "[0-9A-Fa-f]"
_USER = rf"(?:[\w.!~*'()&=+$,;?/#{_NON_ASCII}-]|%{_HEX}{{2}})"
_PASSWORD = rf"(?:[\w.!~*'()&=+$,-]|%{_HEX}{{2}})"
_PARAM = rf"(?:[\w.!~*'()\[\]/:&+$-]|%{_HEX}{{2}})++"
_HEADER = rf"(?:[\w.!~*'()\[\]/?:+$-]|%{_HEX}{{2}})*+"

HOST = r"(?:[\w.-]++|\[[0-9A-Fa-f:.]++\])"
"""A host name, an IPv4 literal, or an IPv6 literal in brackets."""

_SIP_URI = re.compile(
    rf"(?P<scheme>sips?):(?:(?P<user>{_USER}++)(?::(?P<password>{_PASSWORD}*+))?@)?"
    rf"(?P<host>{HOST})(?::(?P<port>\d{{1,5}}))?"
    rf"(?P<params>(?:;{_PARAM}(?:={_PARAM})?)*+)"
    rf"(?:\?(?P<headers>{_HEADER}={_HEADER}(?:&{_HEADER}={_HEADER})*+))?",
    re.ASCII | re.IGNORECASE,
)
_TEL_URI = re.compile(
    rf"tel:(?P<user>[0-9A-Fa-f*#().+-]++)(?P<params>(?:;{_PARAM}(?:={_PARAM})?)*+)",
    re.ASCII | re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:[^\s<>\"]++")

_TELLING = ("user", "ttl", "method", "maddr", "transport")
"""Parameters that make a difference even where only one of two URIs has them (§19.1.4)."""


@dataclass(frozen=True, slots=True, eq=False)
class SipUri:
    """One sip, sips or tel URI; everything in it unescaped, parameter names in lower case.

    `host` keeps the brackets of an IPv6 literal and is empty in a tel URI, whose number
    is `user`.  A parameter without value has an empty one.  `headers` stays as written.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    password: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: str = ""

    @staticmethod
    def parse(text: str) -> SipUri:
        """Read a URI; ParseError 416 for a foreign scheme, 400 for a malformed one."""
        return parse_uri(text)

    @property
    def secure(self) -> bool:
        """Whether every hop towards this URI must be encrypted (§19.1)."""
        return self.scheme == "sips"

    @property
    def transport(self) -> str:
        """The transport that the URI asks for or implies (RFC 3263 §4.1), in lower case."""
        named = self.params.get("transport", "").lower()
        if self.secure:
            return {"": "tls", "tcp": "tls", "ws": "wss"}.get(named, named)
        return named or "udp"

    @property
    def effective_port(self) -> int:
        """The port as written, else the transport's own."""
        return self.port or DEFAULT_PORT.get(self.transport, 5060)

    @property
    def loose(self) -> bool:
        """Whether this route's owner is a loose router (§16.4)."""
        return "lr" in self.params

    def without(self, *names: str) -> SipUri:
        """The same URI without some parameters and without headers."""
        kept = {name: value for name, value in self.params.items() if name not in names}
        return replace(self, params=kept, headers="")

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{_format_params(self.params)}"
        user = "" if self.user is None else quote(self.user, "!~*'()&=+$,;?/", errors=_OCTETS)
        if self.password is not None:
            user += ":" + quote(self.password, "!~*'()&=+$,", errors=_OCTETS)
        at = "@" if self.user is not None else ""
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{at}{self.host}{port}{_format_params(self.params)}{headers}"

    def __eq__(self, other: object) -> bool:
        """Equivalence of §19.1.4: not identity of spelling."""
        if not isinstance(other, SipUri):
            return NotImplemented
        return (
            self._identity() == other._identity()
            and self.password == other.password
            and _header_set(self.headers) == _header_set(other.headers)
            and _params_agree(self.params, other.params)
        )

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str | None, str, int | None]:
        return self.scheme, self.user, self.host.lower(), self.port


_OCTETS = "surrogateescape"


def is_absolute(text: str) -> bool:
    """Whether the text is a URI of whatever scheme."""
    return _ABSOLUTE.fullmatch(text) is not None


def _parse(text: str) -> SipUri:
    match = _SIP_URI.fullmatch(text)
    if match is None:
        return _parse_other(text)
    scheme, user, password, host, port, params, headers = match.groups()
    if host[0] == "[":
        host = _ipv6(host)
    number = None if port is None else int(port)
    if number is not None and number > 65535:
        raise ParseError(f"port {number} in a URI")
    return SipUri(
        scheme.lower(),
        user if user is None else _unescape(user),
        host,
        number,
        password if password is None else _unescape(password),
        _parse_params(params) if params else {},
        headers or "",
    )


parse_uri = remembered(_parse, 32_768)


def _parse_other(text: str) -> SipUri:
    if match := _TEL_URI.fullmatch(text):
        return SipUri("tel", match["user"], "", params=_parse_params(match["params"]))
    scheme = text.partition(":")[0].lower()
    if scheme in ("sip", "sips", "tel") or not is_absolute(text):
        raise ParseError(f"{text[:60]!r} is no URI")
    raise ParseError(f"URI scheme {scheme[:20]!r} is not served", status=416)


def _parse_params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    for param in text.split(";")[1:]:
        name, _, value = param.partition("=")
        name = _unescape(name).lower()
        value = _unescape(value)
        if params.setdefault(name, value) != value:  # baresip repeats its transport, equally
            raise ParseError(f"parameter {name[:40]!r} twice in a URI")
    return params


def _unescape(text: str) -> str:
    """Undo %XX once; octets that are no UTF-8 survive as surrogates."""
    return unquote(text, errors=_OCTETS) if "%" in text else text


def _format_params(params: Mapping[str, str]) -> str:
    return "".join(
        f";{quote(name, _PLAIN, errors=_OCTETS)}"
        + (f"={quote(value, _PLAIN, errors=_OCTETS)}" if value else "")
        for name, value in params.items()
    )


_PLAIN = "!~*'()[]/:&+$"


@lru_cache(maxsize=1024)
def _ipv6(host: str) -> str:
    """The literal in its brackets, checked; three colons are read as two (RFC 5118 §4.10)."""
    repaired = host.replace(":::", "::")
    try:
        IPv6Address(repaired[1:-1])
    except AddressValueError:
        raise ParseError(f"{host[:60]} is no IPv6 address") from None
    return repaired


check_ipv6 = _ipv6


def _params_agree(mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    if any((name in mine) != (name in theirs) for name in _TELLING):
        return False
    return all(mine[name].lower() == theirs[name].lower() for name in mine if name in theirs)


def _header_set(headers: str) -> set[tuple[str, str]]:
    pairs = (header.partition("=") for header in headers.split("&"))
    return {(_unescape(name).lower(), _unescape(value)) for name, _, value in pairs}
