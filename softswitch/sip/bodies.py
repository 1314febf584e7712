"""Finds the session description in a message, alone or as a part of a multipart body.

Knows media types; refuses to know what SDP says.
"""

from __future__ import annotations

from softswitch.sip.message import Message
from softswitch.sip.multipart import split
from softswitch.sip.types import ParseError

SDP = "application/sdp"


def sdp_of(message: Message) -> bytes | None:
    """The offer or answer in `message`; None where there is none."""
    if not message.body:
        return None
    declared = message.headers.fields.get("Content-Type")
    if declared is None or declared[0] == SDP or message.content_type == SDP:
        return message.body
    if declared[0][:10].lower() == "multipart/":
        return _sdp_part(declared[0], message.body)
    return None


def _sdp_part(content_type: str, body: bytes) -> bytes | None:
    try:
        parts = split(content_type, body)
    except ParseError:
        return None
    return next((part.body for part in parts if part.content_type == SDP), None)
