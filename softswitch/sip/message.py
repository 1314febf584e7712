"""SIP messages: header fields, requests, responses, and the octets they become.

A message holds the text of its fields; a value is taken apart when asked for and what
it said is remembered by its text (headers.py), so nothing here can go stale.  Knows no
transaction and no transport.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TypeAlias

from softswitch.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    parse_address,
    parse_cseq,
    parse_max_forwards,
    parse_seconds,
    parse_via,
    split_commas,
)
from softswitch.sip.names import CANONICAL, canonical
from softswitch.sip.types import ParseError, SwitchError
from softswitch.sip.uri import SipUri, parse_uri

Fields: TypeAlias = dict[str, list[str]]
"""Canonical name → values, one per field line, in their order."""

REASONS = {status.value: status.phrase for status in HTTPStatus} | {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    380: "Alternative Service",
    406: "Not Acceptable",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    428: "Use Identity Header",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
}

_LINE_BREAKING = re.compile(r"[\r\n\x00]+")


class SerializeError(SwitchError):
    """*We* built a start line that would break the message: a bug, never caught."""


class Headers:
    """An ordered multimap of header fields.

    Names in canonical spelling are found fastest; any other spelling is found too.
    Values are raw text, one per field line as it came, folding undone.  The order of
    different names means nothing (RFC 3261 §7.3.1) and is that of first appearance.
    """

    __slots__ = ("fields",)

    def __init__(
        self, pairs: Iterable[tuple[str, str]] = (), *, fields: Fields | None = None
    ) -> None:
        self.fields: Fields = {} if fields is None else fields
        for name, value in pairs:
            known = CANONICAL.get(name) or canonical(name)
            if known in self.fields:
                self.fields[known].append(value)
            else:
                self.fields[known] = [value]

    def get(self, name: str) -> str | None:
        """The first value, or None."""
        values = self.fields.get(name)
        if values is None and CANONICAL.get(name) != name:
            values = self.fields.get(canonical(name))
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """The values, one per field line."""
        values = self.fields.get(name)
        if values is None and CANONICAL.get(name) != name:
            values = self.fields.get(canonical(name))
        return values or []

    def values(self, name: str) -> list[str]:
        """The values of a list header, split at top-level commas; empty ones are dropped."""
        lines = self.all(name)
        if len(lines) == 1 and "," not in lines[0]:
            return lines[:] if lines[0] else []
        return [value for line in lines for value in split_commas(line) if value]

    def add(self, name: str, value: str) -> None:
        """One more field line, after the others of this name."""
        self.fields.setdefault(canonical(name), []).append(value)

    def set(self, name: str, value: str) -> None:
        """This one field line instead of all others of this name."""
        self.fields[canonical(name)] = [value]

    def prepend(self, name: str, value: str) -> None:
        """One more field line, before the others of this name."""
        self.fields.setdefault(canonical(name), []).insert(0, value)

    def replace(self, name: str, values: Iterable[str]) -> None:
        """These field lines instead of all others of this name; none removes it."""
        if lines := list(values):
            self.fields[canonical(name)] = lines
        else:
            self.remove(name)

    def remove(self, name: str) -> None:
        """Drop every field of this name; that there is none is fine."""
        self.fields.pop(canonical(name), None)

    def items(self) -> Iterator[tuple[str, str]]:
        """(name, value) of every field line."""
        return ((name, value) for name, values in self.fields.items() for value in values)

    def copy(self) -> Headers:
        return Headers(fields={name: values[:] for name, values in self.fields.items()})

    def __contains__(self, name: str) -> bool:
        return name in self.fields or canonical(name) in self.fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"


class Message:
    """What requests and responses share.  Every property raises ParseError on a bad value.

    The mandatory ones (`via`, `from_`, `to`, `call_id`, `cseq`) never do in a message that
    was received, since `parse` has checked them; in one of ours that lacks the field they
    raise KeyError: a bug.
    """

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    @property
    def via(self) -> Via:
        """The topmost Via."""
        lines = self.headers.fields.get("Via")
        if not lines or "," in lines[0]:
            return self.vias[0]
        return parse_via(lines[0])

    @property
    def vias(self) -> list[Via]:
        values = self.headers.values("Via")
        if not values:
            raise ParseError("no Via")
        return [Via.parse(value) for value in values]

    @property
    def from_(self) -> NameAddr:
        return parse_address(self.headers.fields["From"][0])

    @property
    def to(self) -> NameAddr:
        return parse_address(self.headers.fields["To"][0])

    @property
    def call_id(self) -> str:
        return self.headers.fields["Call-ID"][0]

    @property
    def cseq(self) -> CSeq:
        return parse_cseq(self.headers.fields["CSeq"][0])

    @property
    def contacts(self) -> list[NameAddr]:
        """Every Contact; empty for `*`, which `wildcard` tells."""
        return [] if self.wildcard else self.addresses("Contact")

    @property
    def wildcard(self) -> bool:
        """Whether the Contact is `*` (§10.2.2)."""
        return self.headers.fields.get("Contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        return self.addresses("Route")

    @property
    def record_routes(self) -> list[NameAddr]:
        return self.addresses("Record-Route")

    @property
    def max_forwards(self) -> int | None:
        """Hops left, or None where the field is absent."""
        text = self.headers.get("Max-Forwards")
        return None if text is None else parse_max_forwards(text)

    @property
    def expires(self) -> int | None:
        """Seconds; None where absent or senseless."""
        return parse_seconds(self.headers.get("Expires"))

    @property
    def content_type(self) -> str | None:
        """Media type in lower case without parameters, or None."""
        text = self.headers.get("Content-Type")
        return None if text is None else text.partition(";")[0].strip(" \t").lower()

    @property
    def require(self) -> list[str]:
        return self.options("Require")

    @property
    def proxy_require(self) -> list[str]:
        return self.options("Proxy-Require")

    @property
    def supported(self) -> list[str]:
        return self.options("Supported")

    def options(self, name: str) -> list[str]:
        """The option tags of a field such as Require, in lower case."""
        return [tag.lower() for tag in self.headers.values(name)]

    def addresses(self, name: str) -> list[NameAddr]:
        """All addresses of a field such as Route or P-Asserted-Identity."""
        return [NameAddr.parse(value) for value in self.headers.values(name)]

    def _encode(self, start: str) -> bytes:
        fields = self.headers.fields
        lines = [f"{name}: {value}" for name, values in fields.items() for value in values]
        lines[:0] = (start,)
        if "Content-Length" in fields:
            lines = [line for line in lines if not line.startswith("Content-Length:")]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        text = "\r\n".join(lines)
        if text.count("\n") + text.count("\r") != 2 * len(lines) + 2 or "\0" in text:
            return self._encode_cleaned(start)
        return text.encode("utf-8", "surrogateescape") + self.body

    def _encode_cleaned(self, start: str) -> bytes:
        """A line break in a value becomes a blank, so that it cannot begin a header."""
        if _LINE_BREAKING.search(start) or any(map(_LINE_BREAKING.search, self.headers.fields)):
            raise SerializeError(f"line break in {start[:80]!r}")
        for values in self.headers.fields.values():
            values[:] = [_LINE_BREAKING.sub(" ", value) for value in values]
        return self._encode(start)


class Request(Message):
    """A request.  `uri` is the Request-URI as text."""

    __slots__ = ("method", "uri")

    def __init__(
        self, method: str, uri: str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.headers = Headers() if headers is None else headers
        self.body = body
        self.method = method
        self.uri = uri

    @property
    def request_uri(self) -> SipUri:
        """The Request-URI taken apart; ParseError 416 if it is of a foreign scheme."""
        return parse_uri(self.uri)

    def encode(self) -> bytes:
        """The octets to send; Content-Length is that of the body, whatever the headers say."""
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message):
    """A response."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | None = None,
        body: bytes = b"",
    ) -> None:
        self.headers = Headers() if headers is None else headers
        self.body = body
        self.status = status
        self.reason = REASONS.get(status, "") if reason is None else reason

    def encode(self) -> bytes:
        """The octets to send; Content-Length is that of the body, whatever the headers say."""
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def reply(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> Response:
    """The response that RFC 3261 §8.2.6 builds from a request's own text.

    `to_tag` is added only where the request has none and the status is not 100.
    """
    asked = request.headers.fields
    fields: Fields = {name: asked[name][:] for name in _COPIED if name in asked}
    if to_tag and status != 100 and "To" in fields and not _is_tagged(fields["To"][0]):
        fields["To"] = [f"{fields['To'][0]};tag={to_tag}"]
    if status == 100 and "Timestamp" in asked:
        fields["Timestamp"] = asked["Timestamp"][:]
    response = Response(status, reason, Headers(headers, fields=fields), body)
    if content_type is not None:
        response.headers.set("Content-Type", content_type)
    return response


_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def _is_tagged(to: str) -> bool:
    """Whether a To field has a tag; a faulty one (of a request that gets its 400) has none."""
    try:
        return "tag" in NameAddr.parse(to).params
    except ParseError:
        return False
