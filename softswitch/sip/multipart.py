"""The parts of a multipart body, octets intact (RFC 2046 §5.1, RFC 5621).

One level deep: a part that is a multipart itself stays whole.  Knows no media type.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from softswitch.sip.headers import parse_params
from softswitch.sip.types import ParseError

MAX_PARTS = 32

_FIELD = re.compile(
    rb"^([\w-]++)[ \t]*+:[ \t]*+([^\r\n]*+(?:\r\n[ \t]++[^\r\n]*+)*+)", re.MULTILINE
)


class Part(NamedTuple):
    """One part; header names in lower case, values as they stood."""

    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters (RFC 2046 §5.2: text/plain by default)."""
        return self.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()


def split(content_type: str, body: bytes) -> list[Part]:
    """The parts of `body`; ParseError where the boundary is missing or never closed."""
    _, semicolon, params = content_type.partition(";")
    mark = parse_params(semicolon + params).get("boundary", "")
    if not 0 < len(mark) <= 70:
        raise ParseError("multipart without boundary")
    delimiter = b"\r\n--" + mark.encode("utf-8", "surrogateescape")
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)
    if len(pieces) < 3 or len(pieces) > MAX_PARTS + 1 or not pieces[-1].startswith(b"--"):
        raise ParseError("multipart body is not closed or has too many parts")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    """What stands between two delimiters: transport padding, headers, empty line, octets."""
    _, _, piece = piece.partition(b"\r\n")
    if piece.startswith(b"\r\n"):
        return Part({}, piece[2:])
    head, _, body = piece.partition(b"\r\n\r\n")
    pairs = (
        (name.decode(), value.decode("utf-8", "replace").strip())
        for name, value in _FIELD.findall(head)
    )
    return Part({name.lower(): value for name, value in pairs}, body)
