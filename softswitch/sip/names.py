"""The names of header fields: one spelling for each, however it came.

RFC 3261 §7.3.1 (names are case-insensitive) and §7.3.3 (compact forms); knows no values.
"""

from __future__ import annotations

import re

from softswitch.sip.types import ParseError

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

KNOWN = (
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "Flow-Timer",
    "From",
    "History-Info",
    "Identity",
    "Identity-Info",
    "In-Reply-To",
    "Join",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Access-Network-Info",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Refer-Sub",
    "Refer-To",
    "Referred-By",
    "Reject-Contact",
    "Replaces",
    "Reply-To",
    "Request-Disposition",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Service-Route",
    "Session-Expires",
    "SIP-ETag",
    "SIP-If-Match",
    "Subject",
    "Subscription-State",
    "Supported",
    "Target-Dialog",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "Via",
    "Warning",
    "WWW-Authenticate",
)

_BY_LOWER = {name.lower(): name for name in KNOWN} | COMPACT

CANONICAL = (
    {name: name for name in KNOWN}
    | _BY_LOWER
    | {name.upper(): name for name in KNOWN}
    | {short.upper(): name for short, name in COMPACT.items()}
)
"""Usual spellings → the one spelling; look here before calling `canonical`."""

_NAME = re.compile(r"([\w.!%*+`'~-]++)[ \t]*+", re.ASCII)


def canonical(name: str) -> str:
    """The one spelling of a header name; ParseError where it is none.

    White space may stand before the colon (§7.3.1: HCOLON); an unknown name has the
    first letter of each part in upper case, so that it too is found however it came.
    """
    if known := CANONICAL.get(name):
        return known
    match = _NAME.fullmatch(name)
    if match is None:
        raise ParseError(f"{name[:40]!r} is no header name")
    bare = match[1].lower()
    return _BY_LOWER.get(bare) or "-".join(part.capitalize() for part in bare.split("-"))
