"""Digits inside SIP INFO: `application/dtmf-relay` and its barer sister `application/dtmf`."""

import re

from softswitch.sip.message import Request

_SIGNAL = re.compile(rb"^\s*signal\s*=\s*([0-9A-D*#]|1[01])\s*$", re.IGNORECASE | re.MULTILINE)
_NUMBERED = {b"10": "*", b"11": "#"}
DURATION_MS = 160


def read_info(request: Request) -> str | None:
    """The key that this INFO tells of; None if it is about something else."""
    if request.content_type == "application/dtmf-relay":
        found = _SIGNAL.search(request.body[:1024])
        value = found[1].upper() if found else b""
    elif request.content_type == "application/dtmf":
        value = request.body[:16].strip().upper()
    else:
        return None
    if value in _NUMBERED:
        return _NUMBERED[value]
    text = value.decode("ascii", "replace")
    return text if len(text) == 1 and text in "0123456789*#ABCD" else None


def info_body(digit: str) -> bytes:
    """One key press for `application/dtmf-relay`."""
    return f"Signal={digit}\r\nDuration={DURATION_MS}\r\n".encode()
