"""A request as we write it: text ready to be sent, but for its Via.

Knows which lines ACK and CANCEL repeat (RFC 3261 §17.1.1.3, §9.1).  Knows neither where
the request goes nor what is answered; and nothing in it was copied from another leg.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from softswitch.sip.message import Request

HeaderLines: TypeAlias = Iterable[tuple[str, str]]
"""Header fields as (name, value) pairs, in order."""


def lines(headers: HeaderLines) -> str:
    """Header fields as text, each line ended; ValueError where a value breaks its line."""
    pairs = list(headers)
    text = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    if text.count("\n") != len(pairs) or text.count("\r") != len(pairs):
        raise ValueError("a header value holds a line break")
    return text


_WRITTEN = frozenset(
    ("Via", "Max-Forwards", "Route", "From", "To", "Call-ID", "CSeq", "Content-Length")
)


class Draft:
    """One request.  `head` holds complete lines that ACK and CANCEL repeat (Max-Forwards,
    Route, From, Call-ID), `extra` all the others but To, CSeq and Content-Length.
    """

    __slots__ = ("body", "extra", "head", "method", "number", "to", "uri")

    def __init__(
        self,
        method: str,
        uri: str,
        head: str,
        to: str,
        number: int,
        extra: str = "",
        body: bytes = b"",
    ) -> None:
        self.method, self.uri, self.head, self.to = method, uri, head, to
        self.number, self.extra, self.body = number, extra, body

    @classmethod
    def of(cls, request: Request, tag: str, call_id: str, number: int) -> Draft:
        """A whole request that was built elsewhere; `tag`, `call_id` and `number` are used
        where it has none.  Its Via is dropped."""
        fields = request.headers.fields
        from_ = fields["From"][0]
        if ";tag=" not in from_:
            from_ = f"{from_};tag={tag}"
        head = [("Max-Forwards", value) for value in fields.get("Max-Forwards", ["70"])]
        head += [("Route", value) for value in fields.get("Route", ())]
        head += [("From", from_), ("Call-ID", fields.get("Call-ID", [call_id])[0])]
        if "CSeq" in fields:
            number = request.cseq.number
        rest = [(name, value) for name, value in request.headers.items() if name not in _WRITTEN]
        to = fields["To"][0]
        return cls(request.method, request.uri, lines(head), to, number, lines(rest), request.body)

    def wire(self, via: str) -> bytes:
        """The octets to send, with `via` as the only Via."""
        text = (
            f"{self.method} {self.uri} SIP/2.0\r\nVia: {via}\r\n{self.head}To: {self.to}\r\n"
            f"CSeq: {self.number} {self.method}\r\n{self.extra}"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return text.encode("utf-8", "surrogateescape") + self.body

    def ack(self, to: str) -> Draft:
        """The ACK for a refusal of this INVITE; `to` comes from that response (§17.1.1.3)."""
        return Draft("ACK", self.uri, self.head, to, self.number)

    def cancel(self, extra: str = "") -> Draft:
        """The CANCEL of this request; `extra` may carry Reason lines (§9.1)."""
        return Draft("CANCEL", self.uri, self.head, self.to, self.number, extra)

    def again(self, number: int, extra: str) -> Draft:
        """The same request as a new attempt: another CSeq and other `extra` lines."""
        return Draft(self.method, self.uri, self.head, self.to, number, extra, self.body)
