"""The syntax of session descriptions (RFC 8866): octets to lines, sections and back.

Knows where a line belongs and how an m= and a c= line are built.  Does not know what
an attribute means, and decides nothing; that is `negotiate`.

Tolerant where phones err: bare LF or CR, missing s= or t=, blanks and NULs at the end,
fields in a wrong order, any octets in texts.  What cannot be answered is refused: an
m= line without a port, a line that is no line.  Everything is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from softswitch.sdp.errors import SdpError

MAX_OCTETS = 65536
MAX_LINES = 4096
MAX_MEDIA = 64
MAX_CONNECTION = 280
"""Octets of an address; a host name has at most 255."""


class Connection(NamedTuple):
    """A c= line, or the address part of o= and a=rtcp (RFC 8866 §5.7)."""

    address: str
    """An IP literal or, from some peers, a host name; a multicast TTL is cut off."""
    family: int = 4
    """4 or 6, as the line says."""

    def __str__(self) -> str:
        return f"IN IP{self.family} {self.address}"

    @classmethod
    def parse(cls, text: str) -> Connection:
        """Read `IN IP4 192.0.2.1`."""
        if len(text) > MAX_CONNECTION:
            raise SdpError("address too long")
        return _connection(text)


@lru_cache(maxsize=4096)
def _connection(text: str) -> Connection:
    words = text.split()
    if len(words) != 3 or words[0].upper() != "IN" or words[1].upper() not in FAMILIES:
        raise SdpError(f"malformed address {text!r}")
    address = words[2].partition("/")[0]
    if not address:
        raise SdpError(f"malformed address {text!r}")
    return Connection(address, FAMILIES[words[1].upper()])


FAMILIES = {"IP4": 4, "IP6": 6}


@dataclass(slots=True)
class MediaDescription:
    """One m= line and what follows it, until the next."""

    kind: str
    """`audio`, `video`, `image`, …"""
    port: int
    protocol: str
    """`RTP/AVP`, `RTP/SAVP`, `udptl`, …"""
    formats: list[str]
    """Payload types for RTP, in order of preference; anything else for others."""
    ports: int = 1
    """How many consecutive ports (layered multicast); 1 for every phone."""
    connection: Connection | None = None
    attributes: list[str] = field(default_factory=list)
    """What stands after `a=`, in order: `sendrecv`, `rtpmap:0 PCMU/8000`."""
    others: list[str] = field(default_factory=list)
    """Whole lines of other sorts: i=, b=, k=, further c=."""

    def values(self) -> dict[str, str]:
        """Attributes by name, for those that stand once; "" where there is no value."""
        values: dict[str, str] = {}
        for attribute in self.attributes:
            name, _, value = attribute.partition(":")
            values[name] = value
        return values

    def lines(self) -> list[str]:
        """The lines of this section, without their ends."""
        port = f"{self.port}/{self.ports}" if self.ports != 1 else str(self.port)
        lines = [f"m={self.kind} {port} {self.protocol} {' '.join(self.formats)}"]
        if self.connection is not None:
            lines.append(f"c={self.connection}")
        lines += self.others
        lines += ["a=" + attribute for attribute in self.attributes]
        return lines


@dataclass(slots=True)
class SessionDescription:
    """A whole description.  Texts hold octets that are not UTF-8 as surrogate escapes."""

    origin: str = "- 0 0 IN IP4 0.0.0.0"
    """What stands after `o=`; two equal origins mean an unchanged description."""
    name: str = "-"
    connection: Connection | None = None
    time: str = "0 0"
    attributes: list[str] = field(default_factory=list)
    media: list[MediaDescription] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Whole session-level lines of other sorts: i=, u=, e=, p=, b=, r=, z=, k=."""

    def connection_of(self, media: MediaDescription) -> Connection | None:
        """Where this stream goes: its own c= line, else the session's (RFC 8866 §5.7)."""
        return media.connection or self.connection

    def encode(self) -> bytes:
        """The octets, lines in the order of RFC 8866 §5."""
        place = [] if self.connection is None else [f"c={self.connection}"]
        lines = ["v=0", f"o={self.origin}", f"s={self.name}", *place, f"t={self.time}"]
        if self.others:
            lines[3:] = self._ordered(place)
        lines += ["a=" + attribute for attribute in self.attributes]
        for media in self.media:
            lines += media.lines()
        lines.append("")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")

    def _ordered(self, place: list[str]) -> list[str]:
        """What stands between s= and a=, the other lines where they belong."""
        before = [line for line in self.others if line[0] in "iuep"]
        bandwidth = [line for line in self.others if line[0] == "b"]
        after = [line for line in self.others if line[0] not in "iuepb"]
        return [*before, *place, *bandwidth, f"t={self.time}", *after]

    @classmethod
    def parse(cls, data: bytes) -> SessionDescription:
        """Read a body.  Raises SdpError, and nothing else, whatever the octets."""
        description = cls()
        section: SessionDescription | MediaDescription = description
        for line in _lines(data):
            letter, value = line[0], line[2:]
            if letter == "a":
                section.attributes.append(value)
            elif letter == "m":
                section = _media(value)
                description.media.append(section)
            elif letter == "c" and section.connection is None:
                section.connection = Connection.parse(value)
            elif isinstance(section, MediaDescription):
                section.others.append(line)
            else:
                _session_line(description, letter, line)
        if len(description.media) > MAX_MEDIA:
            raise SdpError("too many m= lines")
        return description


def _lines(data: bytes) -> list[str]:
    """The lines of a body, v= taken off; each is `x=…`, free of CR, LF and NUL."""
    if len(data) > MAX_OCTETS:
        raise SdpError("session description too long")
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").strip("\n\r\0")
    if "\r" in text:
        text = text.replace("\r", "\n")
    if "\0" in text:
        raise SdpError("NUL in session description")
    lines = text.split("\n")
    if lines[0].rstrip() != "v=0":
        raise SdpError("session description does not begin with v=0")
    if len(lines) > MAX_LINES:
        raise SdpError("too many lines")
    del lines[0]
    for line in lines:
        if line[1:2] != "=":
            return _well_formed(lines)
    return lines


def _well_formed(lines: list[str]) -> list[str]:
    """Drop blank lines, which phones leave between sections; refuse what is no line."""
    kept = [line for line in lines if line.strip()]
    for line in kept:
        if line[1:2] != "=":
            raise SdpError(f"malformed line {line[:40]!r}")
    return kept


def _session_line(description: SessionDescription, letter: str, line: str) -> None:
    if letter == "o":
        description.origin = line[2:].strip()
    elif letter == "s":
        description.name = line[2:]
    elif letter == "t":
        if _is_time(line[2:]):  # of several, the first is what an answer repeats
            description.time = line[2:].strip()
    else:
        description.others.append(line)


def _is_time(text: str) -> bool:
    words = text.split()
    return len(words) == 2 and all(word.isascii() and word.isdigit() for word in words)


def _media(text: str) -> MediaDescription:
    """Read what follows `m=` (RFC 8866 §5.14): kind, port[/number], protocol, formats."""
    words = text.split()
    if len(words) < 3:
        raise SdpError(f"malformed m= line {text[:40]!r}")
    kind, place, protocol = words[:3]
    first, slash, number = place.partition("/")
    return MediaDescription(
        kind=kind,
        port=_number(first),
        protocol=protocol,
        formats=words[3:],
        ports=_number(number) if slash else 1,
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise SdpError(f"malformed port {text[:40]!r}")
    return int(text)
