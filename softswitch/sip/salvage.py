"""What can still be answered of a request that was refused.

Reads leniently the five fields that a response copies (RFC 3261 §8.2.6) and nothing
else.  What comes out is fit for `reply`, never for acting upon.
"""

from __future__ import annotations

import re

from softswitch.sip.headers import TOKEN, Via, split_commas
from softswitch.sip.message import Fields, Headers, Request
from softswitch.sip.names import CANONICAL
from softswitch.sip.types import ParseError
from softswitch.sip.uri import HOST

MAX_FIELDS = 256
"""Whoever sends more gets silence."""

_START = re.compile(rf"({TOKEN})[ \t]+(\S*)", re.ASCII)
_FOLD = re.compile(r"(?<![ \t])[ \t]*+\r?\n[ \t]++")  # the look-behind keeps it linear
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_VIA_BEGINNING = re.compile(rf"SIP/\d\.\d/{TOKEN}[ \t]+{HOST}(?::\d{{1,5}})?", re.A | re.I)
_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def salvage(data: bytes) -> Request | None:
    """The answerable remains of a faulty request; None where silence is the answer.

    Silence: for a response, for an ACK (which is never answered), without a Via to
    send the answer along, and for what was sent to hurt.
    """
    head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    if head.count(b"\n") > MAX_FIELDS:
        return None
    lines = _FOLD.sub(" ", head.decode("utf-8", "surrogateescape")).split("\n")
    start = _START.match(lines[0])
    if start is None or start[1] == "ACK" or lines[0][:4].upper() == "SIP/":
        return None
    fields = _copied_fields(lines[1:])
    fields["Via"] = _usable_vias(fields.get("Via", []))
    return Request(start[1], start[2], Headers(fields=fields)) if fields["Via"] else None


def _copied_fields(lines: list[str]) -> Fields:
    """The fields that a response copies; of those that may come once, the first."""
    fields: Fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = CANONICAL.get(name.strip(" \t").lower(), "")
        if name == "Via" or (name in _COPIED and name not in fields):
            fields.setdefault(name, []).append(_CONTROL.sub(" ", value).strip(" "))
    return fields


def _usable_vias(lines: list[str]) -> list[str]:
    """Via values that can be sent back, those with broken parameters without them."""
    usable: list[str] = []
    for line in lines:
        try:
            values = split_commas(line)
        except ParseError:
            continue
        if len(values) + len(usable) > MAX_FIELDS:
            return []
        usable += [via for value in values if (via := _usable_via(value))]
    return usable


def _usable_via(value: str) -> str | None:
    try:
        Via.parse(value)
    except ParseError:
        match = _VIA_BEGINNING.match(value)
        return match[0] if match else None
    return value
