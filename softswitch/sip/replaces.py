"""The Replaces header: which dialog a new call is to take the place of (RFC 3891).

Knows its syntax, alone and inside the URI of a Refer-To.  Refuses to know who may replace whom.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from softswitch.sip.headers import parse_params
from softswitch.sip.types import ParseError
from softswitch.sip.uri import SipUri


class Replaces(NamedTuple):
    """A dialog as its other side sees it: `to_tag` is the tag of whoever is sent this."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read the value of the header.  Raises ParseError."""
        call_id, _, rest = text.strip().partition(";")
        params = parse_params(f";{rest}")
        if not call_id or "to-tag" not in params or "from-tag" not in params:
            raise ParseError("Replaces lacks Call-ID, to-tag or from-tag")
        return cls(call_id, params["to-tag"], params["from-tag"], "early-only" in params)

    @classmethod
    def of(cls, uri: SipUri) -> Replaces | None:
        """What the URI of a Refer-To asks to be replaced; None where it asks nothing."""
        for field in uri.headers.split("&"):
            name, _, value = field.partition("=")
            if name.lower() == "replaces":
                return cls.parse(unquote(value))
        return None

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"
