"""The values of structured header fields: addresses, Via, CSeq (RFC 3261 §20, §25.1).

Each is parsed from the text of one field and is immutable.  What was parsed lately is
remembered by its text: the messages of a dialog repeat the same few values.  Knows
nothing of the message around a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from softswitch.sip.memory import remembered
from softswitch.sip.types import DEFAULT_PORT, ParseError
from softswitch.sip.uri import HOST, SipUri, check_ipv6, is_absolute

TOKEN = r"[\w.!%*+`'~-]++"
QUOTED = r'"(?:[^"\\]++|\\.)*+"'

MAX_CSEQ = 2**31 - 1
"""RFC 3261 §8.1.1.5."""

NO_PARAMS: Mapping[str, str] = MappingProxyType({})

MAGIC_COOKIE = "z9hG4bK"
"""What a branch of RFC 3261 begins with (§8.1.1.7)."""

PARTIES = 32_768
"""Parties remembered: what 10 000 phones are called and where they are."""

VALUES = 512
"""Values remembered that carry a tag, branch or number: what is asked for again, is so while its
message is handled or its call begins, and what is kept beyond that only pushes warmer memory out
of the processor's cache."""

_ELEMENT = re.compile(rf'(?:[^,"<]++|{QUOTED}|<[^>]*+>)*+', re.DOTALL)
_PARAM = re.compile(
    rf"[ \t]*+;[ \t]*+({TOKEN})(?:[ \t]*+=[ \t]*+(?:({QUOTED})|([^\s;,\"<>=]++=*+)))?",
    re.DOTALL | re.ASCII,
)
_ONE_PARAM = re.compile(r";([\w.!%*+`'~-]++)=([^\s;,\"<>=]++)", re.ASCII)
_PLAIN_PARAMS = re.compile(r"(?:;[\w.!%*+`'~-]++(?:=[^\s;,\"<>=]++)?)*+", re.ASCII)
_ADDRESS = re.compile(
    rf"(?:({QUOTED})[ \t]*+|((?:[\w.!%*+`'~-]++[ \t]*+)*+))<([^<>\s\"]++)>(.*+)",
    re.DOTALL,
)
_BARE_ADDRESS = re.compile(r"([^\s<>\",;?]++)(.*+)", re.DOTALL)
_VIA = re.compile(
    rf"SIP[ \t]*+/[ \t]*+\d\.\d[ \t]*+/[ \t]*+({TOKEN})[ \t]++"
    rf"({HOST})(?:[ \t]*+:[ \t]*+(\d{{1,5}}))?[ \t]*+",
    re.ASCII | re.IGNORECASE,
)
_CSEQ = re.compile(rf"(\d{{1,10}})[ \t]++({TOKEN})", re.ASCII)
_PLAIN_VALUE = re.compile(r"[\w.!%*+`'~:\[\]-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_PAIR = re.compile(r"\\(.)", re.DOTALL)


def split_commas(text: str) -> list[str]:
    """The elements of a comma-separated value; commas in quotes and in <> do not count."""
    if "," not in text:
        return [text.strip(" \t")]
    if '"' not in text and "<" not in text:
        return [part.strip(" \t") for part in text.split(",")]
    return [part.strip(" \t") for part in _elements(text)]


def _elements(text: str) -> Iterator[str]:
    at = 0
    while True:
        match = _ELEMENT.match(text, at)
        assert match is not None  # the pattern matches the empty string
        yield match[0]
        at = match.end() + 1
        if match.end() == len(text):
            return
        if text[match.end()] != ",":
            raise ParseError("a quote or bracket is never closed")


def quote(text: str) -> str:
    """`text` as a quoted-string; control characters become blanks (no header injection)."""
    clean = _CONTROL.sub(" ", text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """What a quoted-string says; anything else as it is."""
    if text[:1] != '"':
        return text
    inside = text[1:-1]
    return _PAIR.sub(r"\1", inside) if "\\" in inside else inside


def parse_params(text: str) -> dict[str, str]:
    """`;a=1;b;c="x y"` as {name in lower case: value unquoted}; ParseError where it is not.

    No name may come twice (RFC 3261 §7.3.1).
    """
    if match := _ONE_PARAM.fullmatch(text):  # a tag and nothing else
        return {match[1].lower(): match[2]}
    if _PLAIN_PARAMS.fullmatch(text):
        plain, params = {}, text.split(";")
        for param in params:
            name, _, value = param.partition("=")
            plain[name.lower()] = value
        if len(plain) == len(params):
            del plain[""]  # what stands before the first semicolon: nothing
            return plain
    return _parse_odd_params(text)


def _parse_odd_params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    at, end = 0, len(text)
    while at < end:
        match = _PARAM.match(text, at)
        if match is None:
            if text[at:].strip(" \t"):
                raise ParseError(f"malformed parameters {text[at : at + 40]!r}")
            break
        name, quoted, plain = match.groups()
        name = name.lower()
        if name in params:
            raise ParseError(f"parameter {name[:40]!r} comes twice")
        params[name] = unquote(quoted) if quoted else plain or ""
        at = match.end()
    return params


def format_params(params: Mapping[str, str]) -> str:
    """The reverse of `parse_params`; values are quoted where they must be."""
    text = ""
    for name, value in params.items():
        if not value:
            text += f";{name}"
        elif _PLAIN_VALUE.fullmatch(value):
            text += f";{name}={value}"
        else:
            text += f";{name}={quote(value)}"
    return text


class NameAddr(NamedTuple):
    """One address as in From, To, Contact, Route: display name, URI, header parameters.

    `display` has no quotes and no backslashes; `uri` is the text as it stood, of any
    scheme; parameters are those of the header, not those inside the URI.
    """

    display: str
    uri: str
    params: Mapping[str, str] = NO_PARAMS

    @staticmethod
    def parse(text: str) -> NameAddr:
        return parse_address(text)

    @property
    def sip_uri(self) -> SipUri:
        """The URI taken apart; ParseError 416 if it is of a foreign scheme."""
        return SipUri.parse(self.uri)

    @property
    def tag(self) -> str | None:
        return self.params.get("tag")

    @property
    def q(self) -> float:
        """Preference of a Contact, 0 to 1; absent or senseless is 1."""
        try:
            return min(max(float(self.params.get("q", "1")), 0.0), 1.0)
        except ValueError:
            return 1.0

    @property
    def expires(self) -> int | None:
        """Lifetime of a Contact in seconds; a senseless one counts as absent."""
        return parse_seconds(self.params.get("expires"))

    def with_params(self, **params: str) -> NameAddr:
        """The same address with some parameters added or replaced."""
        return NameAddr(self.display, self.uri, {**self.params, **params})

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{format_params(self.params)}"


def _name_addr(text: str) -> NameAddr:
    """Up to the bracket a party is the same in all its calls; behind it the tags change."""
    before, bracket, params = text.partition(">")
    party = _parse_party(before) if bracket else _NO_PARTY
    if party is _NO_PARTY:
        return _odd_name_addr(text)
    return NameAddr(party[0], party[1], parse_params(params) if params else NO_PARAMS)


parse_address = remembered(_name_addr, VALUES)
_NO_PARTY = "", ""


def _party(text: str) -> tuple[str, str]:
    """Display name and URI of `"Anna" <sip:…`; _NO_PARTY if the bracket was not the URI's."""
    match = _ADDRESS.fullmatch(text + ">")
    if match is None:
        return _NO_PARTY
    quoted, tokens, uri, _ = match.groups()
    _check_uri(uri)
    return unquote(quoted) if quoted else tokens.rstrip(" \t"), uri


_parse_party = remembered(_party, PARTIES)


def _odd_name_addr(text: str) -> NameAddr:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return _bare_name_addr(text)
    quoted, tokens, uri, rest = match.groups()
    _check_uri(uri)
    display = unquote(quoted) if quoted else tokens.rstrip(" \t")
    return NameAddr(display, uri, parse_params(rest))


def _bare_name_addr(text: str) -> NameAddr:
    """Without brackets, parameters belong to the header, and the URI has no headers (§20.10)."""
    match = _BARE_ADDRESS.fullmatch(text)
    if match is None:
        raise ParseError(f"{text[:60]!r} is no address")
    _check_uri(match[1])
    return NameAddr("", match[1], parse_params(match[2]))


def _check_uri(uri: str) -> None:
    if uri.partition(":")[0].lower() in ("sip", "sips"):
        SipUri.parse(uri)
    elif not is_absolute(uri):
        raise ParseError(f"{uri[:60]!r} is no URI")


class Via(NamedTuple):
    """One Via value.  `host` keeps the brackets of an IPv6 literal."""

    transport: str
    host: str
    port: int | None = None
    params: Mapping[str, str] = NO_PARAMS

    @staticmethod
    def parse(text: str) -> Via:
        return parse_via(text)

    @property
    def branch(self) -> str | None:
        return self.params.get("branch")

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host in lower case and port, the transport's own where none is written (§18.2.1)."""
        default = DEFAULT_PORT.get(self.transport.lower(), 5060)
        return self.host.lower(), self.port or default

    @property
    def received(self) -> str | None:
        """The address that the next hop saw; brackets, which some write, are dropped."""
        address = self.params.get("received")
        return None if address is None else address.strip("[]")

    @property
    def rport(self) -> int | None:
        """The port that the next hop saw (RFC 3581); None if asked for only, or absent."""
        text = self.params.get("rport", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None

    def with_params(self, **params: str) -> Via:
        """The same Via with some parameters added or replaced."""
        return Via(self.transport, self.host, self.port, {**self.params, **params})

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{format_params(self.params)}"


def _via(text: str) -> Via:
    """Up to the parameters the Vias of a peer are all the same; its branches are not."""
    sender, semicolon, params = text.partition(";")
    transport, host, port = _parse_sender(sender)
    return Via(transport, host, port, parse_params(";" + params) if semicolon else NO_PARAMS)


parse_via = remembered(_via, VALUES)


def _sender(text: str) -> tuple[str, str, int | None]:
    """Transport, host and port of `SIP/2.0/UDP host:5060`."""
    match = _VIA.fullmatch(text)
    if match is None:
        raise ParseError(f"{text[:60]!r} is no Via")
    transport, host, port = match.groups()
    if host[0] == "[":
        host = check_ipv6(host)
    number = None if port is None else int(port)
    if number is not None and number > 65535:
        raise ParseError(f"port {number} in a Via")
    return transport, host, number


_parse_sender = remembered(_sender)


class CSeq(NamedTuple):
    """Sequence number and method (§20.16)."""

    number: int
    method: str

    @staticmethod
    def parse(text: str) -> CSeq:
        return parse_cseq(text)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _cseq(text: str) -> CSeq:
    match = _CSEQ.fullmatch(text)
    if match is None or int(match[1]) > MAX_CSEQ:
        raise ParseError(f"{text[:60]!r} is no CSeq")
    return CSeq(int(match[1]), match[2])


parse_cseq = remembered(_cseq, VALUES)


def parse_seconds(text: str | None) -> int | None:
    """delta-seconds, at most 2**32 - 1 (§20.19); None where absent or senseless."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return min(int(digits), 2**32 - 1) if len(digits) <= 10 else 2**32 - 1


def parse_max_forwards(text: str) -> int:
    """Hops left, 0 to 255 (§20.22)."""
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit() and len(digits) <= 3 and int(digits) <= 255):
        raise ParseError(f"Max-Forwards {text[:20]!r} is no number up to 255")
    return int(digits)
