"""Messages as phones write them, for measurements: each copy has its own branch, tags and Call-ID.

`#` stands for the number of a copy.  Repeating one message octet for octet would measure
the caches of the parser and not the parser.
"""

from __future__ import annotations

import re

US = ("192.0.2.1", 5060)

SDP = """\
v=0
o=- 3815920281 3815920281 IN IP4 10.0.0.7
s=-
c=IN IP4 10.0.0.7
t=0 0
m=audio 40002 RTP/AVP 9 8 0 101
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
""".replace("\n", "\r\n").encode()

_CREDENTIALS = (
    'Authorization: Digest username="101", realm="office.example", nonce="AAAAAAAAAAAAAA#", '
    'uri="sip:office.example", response="6629fae49393a05397450978507c4ef1", cnonce="8c9b#", '
    "qop=auth, nc=00000001, algorithm=MD5\n"
)
_AGENT = "User-Agent: baresip v1.0.0 (x86_64/linux)\n"
_ALLOW = "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER\n"
_HEAD = (
    "{start}\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bK#{leg}{cseq}{method};rport\n"
    "Max-Forwards: 70\nTo: <sip:102@office.example>{to}\n"
    'From: "Anna" <sip:101@office.example>;tag=a#\nCall-ID: 5f3cb90e#{leg}\n'
    "CSeq: {cseq} {method}\n"
)
_CONTACT = "Contact: <sip:101-0x5592@{host}:5060>\n"


def request(
    method: str, extra: str = "", *, to: str = "", cseq: int = 1, leg: str = "a", body: bytes = b""
) -> bytes:
    """A request of the caller's phone, at 10.0.0.7."""
    uri = "sip:office.example" if method == "REGISTER" else "sip:102@office.example"
    return _build(f"{method} {uri} SIP/2.0", method, extra, to, cseq, leg, body)


def response(
    status: str,
    method: str,
    extra: str = "",
    *,
    to: str = ";tag=b#",
    cseq: int = 1,
    body: bytes = b"",
) -> bytes:
    """A response of the phone that we called."""
    return _build(f"SIP/2.0 {status}", method, extra, to, cseq, "b", body)


def _build(start: str, method: str, extra: str, to: str, cseq: int, leg: str, body: bytes) -> bytes:
    head = _HEAD.format(start=start, host="10.0.0.7", method=method, to=to, cseq=cseq, leg=leg)
    text = head + extra.replace("{host}", "10.0.0.7")
    if body:
        text += "Content-Type: application/sdp\n"
    text += f"Content-Length: {len(body)}\n\n"
    return text.replace("\n", "\r\n").encode() + body


MESSAGES = {
    "INVITE": request("INVITE", _CONTACT + _AGENT + _ALLOW + "Supported: gruu\n", body=SDP),
    "INVITE with credentials": request(
        "INVITE", _CONTACT + _CREDENTIALS + _AGENT + _ALLOW, cseq=2, body=SDP
    ),
    "100": response("100 Trying", "INVITE", to=""),
    "180": response("180 Ringing", "INVITE", _CONTACT + _AGENT),
    "200 to INVITE": response("200 OK", "INVITE", _CONTACT + _AGENT + _ALLOW, body=SDP),
    "ACK": request("ACK", _AGENT, to=";tag=c#"),
    "BYE": request("BYE", _AGENT, to=";tag=c#", cseq=2),
    "200 to BYE": response("200 OK", "BYE", _AGENT, cseq=2),
    "REGISTER": request(
        "REGISTER", _CONTACT + _CREDENTIALS + "Expires: 3600\n" + _AGENT + _ALLOW, cseq=2
    ),
    "OPTIONS": request("OPTIONS", _CONTACT + _AGENT + "Accept: application/sdp\n"),
}
"""Ten messages by name."""


_last = 0


def fresh(count: int) -> range:
    """`count` numbers that no copy had before: nothing of it is in a parser's memory."""
    global _last
    _last += count
    return range(_last - count, _last)


def copy(message: bytes, number: int) -> bytes:
    """The copy of a message that has this number."""
    return message.replace(b"#", b"%08x" % number)


def copies(message: bytes, count: int) -> list[bytes]:
    """`count` copies of a message, all of them new."""
    return [copy(message, number) for number in fresh(count)]


def host(number: int) -> str:
    """The address of phone `number`."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def field(data: bytes, name: bytes) -> str:
    """The first value of a header field of ours."""
    match = re.search(rb"^%s: (.*)\r$" % name, data, re.MULTILINE)
    assert match is not None, data
    return match[1].decode()


def answer_to(data: bytes, status: str, tag: str = "", extra: str = "", body: bytes = b"") -> bytes:
    """What a phone answers to a request of ours, from the request's own lines."""
    lines = [f"SIP/2.0 {status}"]
    lines += [f"{n}: {field(data, n.encode())}" for n in ("Via", "From", "To", "Call-ID", "CSeq")]
    lines[3] += tag
    if body:
        extra += "Content-Type: application/sdp\r\n"
    text = "\r\n".join(lines) + f"\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return text.encode() + body
