"""Ordinary SIP messages for tests, to be altered by each."""

from __future__ import annotations

from softswitch.sip.message import Headers, Request, Response


def request(method: str = "INVITE", uri: str = "sip:102@office.example", **headers: str) -> Request:
    """A well-formed request from 101; header names are written with `_` for `-`."""
    sample = Request(
        method,
        uri,
        Headers(
            [
                ("Via", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKsample;rport"),
                ("Max-Forwards", "70"),
                ("From", '"Front desk" <sip:101@office.example>;tag=ab12'),
                ("To", f"<{uri}>"),
                ("Call-ID", "1a2b3c@192.0.2.1"),
                ("CSeq", f"1 {method}"),
                ("Contact", "<sip:101@192.0.2.1:5070>"),
            ]
        ),
    )
    for name, value in headers.items():
        sample.headers.set(name.replace("_", "-"), value)
    return sample


def octets(message: Request | Response, body: bytes | None = None) -> bytes:
    """The message on the wire, with another body if one is given."""
    if body is not None:
        message.body = body
    return message.encode()
