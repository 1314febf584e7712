"""SIP messages in a line: what a test does not name has a sensible value."""

from __future__ import annotations

from itertools import count

from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.types import Flow

PEER = ("192.0.2.7", 5060)
US = ("192.0.2.1", 5060)
FLOW = Flow("udp", US, PEER)
OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
ANSWER = OFFER.replace(b"4000", b"4002").replace(b"192.0.2.7", b"192.0.2.1")

_branches = count(1)


def request(
    method: str = "OPTIONS",
    *,
    uri: str = "sip:us@192.0.2.1",
    number: int = 1,
    branch: str | None = None,
    from_tag: str | None = "theirs",
    to_tag: str | None = None,
    call_id: str = "a-call",
    headers: tuple[str, ...] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
    contact: str | None = "<sip:peer@192.0.2.7:5060>",
    via: str = "192.0.2.7:5060",
) -> Request:
    """A request from the peer, parsed from octets as a driver would."""
    from_ = "<sip:peer@example.org>" + (f";tag={from_tag}" if from_tag is not None else "")
    to = "<sip:us@example.org>" + (f";tag={to_tag}" if to_tag is not None else "")
    branch = f"z9hG4bK-{next(_branches)}" if branch is None else branch
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {via};branch={branch}" if branch else f"Via: SIP/2.0/UDP {via}",
        "Max-Forwards: 70",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {number} {method}",
        *([f"Contact: {contact}"] if contact else []),
        *headers,
        *([f"Content-Type: {content_type}"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    message = parse("\r\n".join([*lines, "", ""]).encode() + body)
    assert isinstance(message, Request)
    return message


def ack_for(response: Response, invite: Request, **changes: str) -> Request:
    """The ACK that the sender of an INVITE owes a response to it."""
    branch = None if response.status < 300 else invite.via.params.get("branch", "")
    return request(
        "ACK",
        number=invite.cseq.number,
        branch=branch,
        to_tag=changes.get("to_tag", response.to.tag or ""),
        call_id=invite.call_id,
        uri=invite.uri,
    )


def response(
    sent: Request,
    status: int,
    *,
    to_tag: str | None = "theirs",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    contact: str | None = "<sip:peer@192.0.2.7:5060>",
) -> Response:
    """The peer's response to a request of ours, parsed from octets as a driver would."""
    fields = [("Contact", contact), *headers] if contact else headers
    built = reply(
        sent,
        status,
        to_tag=to_tag,
        headers=fields,
        body=body,
        content_type="application/sdp" if body else None,
    )
    message = parse(built.encode())
    assert isinstance(message, Response)
    return message
