"""Finds the session description in a message, alone or as a part of a multipart body.

RFC 2046 §5.1.  Knows media types and boundaries; refuses to know what SDP says.
"""

from __future__ import annotations

import re

from softswitch.sip.message import Message

SDP = "application/sdp"

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_SDP_PART = re.compile(
    rb"^content-type[ \t]*:[ \t]*application/sdp\b", re.IGNORECASE | re.MULTILINE
)
_MAX_PARTS = 16


def sdp_of(message: Message) -> bytes | None:
    """The offer or answer in `message`; None where there is none."""
    if not message.body:
        return None
    declared = message.headers.fields.get("Content-Type")
    if declared is None or declared[0] == SDP:
        return message.body
    if message.content_type == SDP:
        return message.body
    if message.content_type and message.content_type.startswith("multipart/"):
        return _sdp_part(declared[0], message.body)
    return None


def _sdp_part(content_type: str, body: bytes) -> bytes | None:
    match = _BOUNDARY.search(content_type)
    if match is None:
        return None
    boundary = b"\r\n--" + (match[1] or match[2]).encode("utf-8", "surrogateescape")
    for part in (b"\r\n" + body).split(boundary, _MAX_PARTS)[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and _SDP_PART.search(head):
            return content
    return None
