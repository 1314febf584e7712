"""Octets → messages: one split, then the checks that decide whether to answer at all.

RFC 3261 §7, §16.3, §18.3 and §25.1; what RFC 4475 and RFC 5118 ask of a parser.
Refuses rather than guesses: a message that two readers could read differently gets 400.
Works in time proportional to the octets given; knows no transport but for the rule
that a datagram's surplus octets are nobody's.
"""

from __future__ import annotations

import re

from softswitch.sip.headers import (
    MAGIC_COOKIE,
    TOKEN,
    CSeq,
    parse_address,
    parse_cseq,
    parse_max_forwards,
    parse_via,
    split_commas,
)
from softswitch.sip.message import Fields, Request, Response
from softswitch.sip.names import CANONICAL, canonical
from softswitch.sip.salvage import salvage
from softswitch.sip.types import ParseError
from softswitch.sip.uri import is_absolute

MAX_HEAD = 65_536
"""Octets of start line and header fields together."""

MAX_FIELDS = 256
"""Header field lines in a message."""

MAX_VALUES = 128
"""Values in one of the lists that we walk: Via, Contact, Route, Record-Route."""

METHODS = frozenset(
    {
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "REGISTER",
        "OPTIONS",
        "PRACK",
        "SUBSCRIBE",
        "NOTIFY",
        "PUBLISH",
        "INFO",
        "REFER",
        "MESSAGE",
        "UPDATE",
    }
)
"""The methods that some RFC defines."""

_FORBIDDEN = bytes((*range(9), *range(10, 32), 127))
_FOLD = re.compile(r"(?<![ \t])[ \t]*+\r\n[ \t]++")  # the look-behind keeps it linear
_QUOTED_PAIRS = re.compile(r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[^\r\n])*+"')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_REQUEST_LINE = re.compile(rf"({TOKEN}) ([^\s<>\"]++) SIP/(\d++)\.(\d++)", re.I | re.A)
_STATUS_LINE = re.compile(r"SIP/(\d++)\.(\d++) ([1-6]\d\d) (.*+)", re.I | re.A)
_WORD = r"[\w.!%*+`'~()<>:\\\"/\[\]?{}-]++"
_CALL_ID = re.compile(rf"{_WORD}(?:@{_WORD})?", re.A).fullmatch
_STATUS = {f"{status} ": status for status in range(100, 700)}
_SINGLE = frozenset(
    (
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Max-Forwards",
        "Content-Length",
        "Content-Type",
        "Expires",
    )
)
_BARE = MAGIC_COOKIE.lower()
_ADDRESSES = ("Contact", "Route", "Record-Route")


def parse(data: bytes) -> Request | Response:
    """Read one message: a datagram, or what the framer cut from a stream.

    Octets beyond Content-Length are ignored (§18.3).  Raises ParseError, with what can
    still be answered of a request as its `request`.
    """
    try:
        message = _read(data)
        check(message)
    except ParseError as fault:
        fault.request = salvage(data[:MAX_HEAD])
        raise
    return message


def check(message: Request | Response) -> None:
    """Refuse what is well split but breaks the grammar or lacks a mandatory field."""
    fields = message.headers.fields
    try:
        _check_vias(fields["Via"])
        parse_address(fields["From"][0])
        parse_address(fields["To"][0])
        call_id, cseq = fields["Call-ID"][0], parse_cseq(fields["CSeq"][0])
    except KeyError as missing:
        raise ParseError(f"no {missing.args[0]}") from None
    if _CALL_ID(call_id) is None:
        raise ParseError("malformed Call-ID")
    for name in _ADDRESSES:
        if name in fields:
            _check_addresses(fields[name], name)
    if type(message) is Request:
        _check_request(message, cseq)


def _read(data: bytes) -> Request | Response:
    head, blank, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        raise ParseError("headers too long", offset=MAX_HEAD, status=513)
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if len(lines) > MAX_FIELDS + 1:
        raise ParseError(f"more than {MAX_FIELDS} header fields", status=513)
    if len(head) - len(head.translate(None, _FORBIDDEN)) != 2 * len(lines) - 2:
        _check_controls(head, text)
    message = _read_start(lines.pop(0))
    _read_fields(lines, message.headers.fields)
    if not blank:
        raise ParseError("no empty line after the headers", offset=len(data))
    message.body = _cut_body(message.headers.fields, rest)
    return message


def _check_controls(head: bytes, text: str) -> None:
    """Control characters only as quoted pairs, CR and LF only together (§25.1)."""
    unquoted = _QUOTED_PAIRS.sub("", text.replace("\r\n", "\t"))
    if match := _CONTROL.search(unquoted):
        raise ParseError(f"control character {match[0]!r}", offset=head.find(match[0].encode()))


def _read_start(line: str) -> Request | Response:
    first, _, rest = line.partition(" ")
    if first == "SIP/2.0" and (status := _STATUS.get(rest[:4])):
        return Response(status, rest[4:])
    if first in METHODS and rest.endswith(" SIP/2.0") and " " not in (uri := rest[:-8]):
        return Request(first, uri)  # what else is wrong with the URI, `check` will find
    return _read_odd_start(line)


def _read_odd_start(line: str) -> Request | Response:
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise ParseError(f"malformed status line {line[:60]!r}")
        _check_version(match[1], match[2])
        return Response(int(match[3]), match[4])
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise ParseError(f"malformed request line {line[:60]!r}")
    _check_version(match[3], match[4])
    return Request(match[1], match[2])


def _check_version(major: str, minor: str) -> None:
    if major != "2" or minor != "0":
        raise ParseError(f"SIP version {major[:9]}.{minor[:9]}", status=505)


def _read_fields(lines: list[str], fields: Fields) -> None:
    known = CANONICAL.get
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ParseError(f"header line without colon {line[:40]!r}")
        name = known(name) or canonical(name)
        if name in fields:
            if name in _SINGLE:
                raise ParseError(f"{name} comes twice")
            fields[name].append(value.strip())
        else:
            fields[name] = [value.strip()]


def _cut_body(fields: Fields, rest: bytes) -> bytes:
    lengths = fields.get("Content-Length")
    if lengths is None:  # "assume the body extends to the end of the datagram" (§18.3)
        return rest
    text = lengths[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ParseError("Content-Length is no number")
    length = int(text)
    if length > len(rest):
        raise ParseError(f"Content-Length {length} but {len(rest)} octets of body")
    return rest[:length]


def _check_vias(lines: list[str]) -> None:
    if len(lines) == 1 and "," not in lines[0]:
        top = parse_via(lines[0])
    else:
        top, *_ = [parse_via(value) for value in _values(lines, "Via")]
    branch = top.params.get("branch")
    if branch is not None and len(branch) == len(_BARE) and branch.lower() == _BARE:
        raise ParseError("the Via branch is the magic cookie and nothing else")


def _check_addresses(lines: list[str], name: str) -> None:
    if len(lines) == 1 and "," not in lines[0]:
        if name != "Contact" or lines[0] != "*":
            parse_address(lines[0])
        return
    for value in _values(lines, name):
        parse_address(value)


def _values(lines: list[str], name: str) -> list[str]:
    """The values of a list header, of which none may be empty; bounded in number."""
    values = [value for line in lines for value in split_commas(line)]
    if len(values) > MAX_VALUES:
        raise ParseError(f"more than {MAX_VALUES} values in {name}", status=513)
    return values


def _check_request(request: Request, cseq: CSeq) -> None:
    if cseq[1] != request.method:
        status = 400 if request.method in METHODS else 501
        raise ParseError(f"CSeq says {cseq.method[:40]}", status=status)
    if "Max-Forwards" in request.headers.fields:
        parse_max_forwards(request.headers.fields["Max-Forwards"][0])
    if request.uri[:4].lower() in ("sip:", "sips"):
        if request.request_uri.headers:  # "not allowed" (§19.1.1): a way to inject a Route
            raise ParseError("the Request-URI carries headers")
    elif not is_absolute(request.uri):
        raise ParseError(f"{request.uri[:60]!r} is no URI")
