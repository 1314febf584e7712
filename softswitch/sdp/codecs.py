"""Names for sound on the wire: what rtpmap and fmtp lines say about payload types.

Knows the static numbers of RFC 3551 and how phones misspell them.  Does not know how
any codec sounds, nor which one is wanted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from softswitch.sdp.errors import NotAcceptable

TELEPHONE_EVENT = "telephone-event"
COMFORT_NOISE = "CN"
FIRST_DYNAMIC, LAST_PAYLOAD_TYPE = 96, 127
MAX_FORMATS = 128
MAX_MAPS = 4096
"""Octets of rtpmap and fmtp lines in one m= section; browsers send some 700."""


class Codec(NamedTuple):
    """One way to write sound, under one number."""

    name: str
    """As registered with IANA: `PCMU`, `G722`, `opus`, `telephone-event`."""
    payload_type: int
    """0 to 127; 96 and more are bound by the description alone."""
    clock_rate: int = 8000
    """RTP ticks a second; 8000 for G.722 too, by RFC 3551 §4.5.2."""
    channels: int = 1
    fmtp: str = ""
    """What its owner would like to receive, such as `useinbandfec=1`."""

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes two codecs the same, whatever their numbers: names ignore case."""
        return self.name.lower(), self.clock_rate, self.channels

    def lines(self) -> list[str]:
        """The attributes that describe it, without `a=`."""
        channels = f"/{self.channels}" if self.channels != 1 else ""
        lines = [f"rtpmap:{self.payload_type} {self.name}/{self.clock_rate}{channels}"]
        if self.fmtp:
            lines.append(f"fmtp:{self.payload_type} {self.fmtp}")
        return lines


PCMU = Codec("PCMU", 0)
PCMA = Codec("PCMA", 8)
G722 = Codec("G722", 9)
OPUS = Codec("opus", 96, 48000, 2, "useinbandfec=1")

STATIC = {
    codec.payload_type: codec
    for codec in (
        PCMU,
        Codec("GSM", 3),
        Codec("G723", 4),
        PCMA,
        G722,
        Codec(COMFORT_NOISE, 13),
        Codec("G728", 15),
        Codec("G729", 18),
    )
}


def telephone_event(payload_type: int, clock_rate: int = 8000) -> Codec:
    """DTMF as RFC 4733 writes it: the events 0 to 15 are the keys 0-9 * # A-D."""
    return Codec(TELEPHONE_EVENT, payload_type, clock_rate, fmtp="0-15")


def read_codecs(formats: list[str], attributes: list[str]) -> tuple[Codec, ...]:
    """The codecs of an m= line in its order; numbers that nothing explains are left out.

    The same phones send the same lines call after call, so answers are remembered.
    """
    maps = tuple([a for a in attributes if a.startswith(("rtpmap:", "fmtp:"))])
    if len(formats) > MAX_FORMATS or sum(map(len, maps)) > MAX_MAPS:
        raise NotAcceptable("too many formats", warning=305)
    return _read(tuple([number for number in formats if len(number) <= 3]), maps)


@lru_cache(maxsize=512)
def _read(formats: tuple[str, ...], maps: tuple[str, ...]) -> tuple[Codec, ...]:
    named: dict[str, tuple[str, int, int]] = {}
    wishes: dict[str, str] = {}
    for line in maps:
        number, _, value = line.partition(":")[2].strip().partition(" ")
        if line.startswith("fmtp:"):
            wishes.setdefault(number, value.strip())
        elif (encoding := _encoding(value)) is not None:
            named.setdefault(number, encoding)
    codecs = []
    for number in dict.fromkeys(formats):
        if not (number.isascii() and number.isdigit() and int(number) <= LAST_PAYLOAD_TYPE):
            continue
        codec = _codec(int(number), named.get(number), wishes.get(number, ""))
        if codec is not None:
            codecs.append(codec)
    return tuple(codecs)


def _encoding(text: str) -> tuple[str, int, int] | None:
    """Read `opus/48000/2` (RFC 8866 §6.6); None where it cannot be read."""
    name, _, rest = text.strip().partition("/")
    rate, _, channels = rest.partition("/")
    if not name or not _small(rate) or not _small(channels or "1"):
        return None
    if name.upper() == "G722":  # 16 kHz is how it sounds, not how its clock runs
        rate = "8000"
    return name, int(rate), int(channels or "1")


def _codec(number: int, encoding: tuple[str, int, int] | None, fmtp: str) -> Codec | None:
    static = STATIC.get(number)
    if encoding is None:
        if static is None or not fmtp:
            return static
        encoding = static.name, static.clock_rate, static.channels
    return Codec(encoding[0], number, encoding[1], encoding[2], fmtp)


def _small(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0
