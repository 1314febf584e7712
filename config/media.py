"""`[media]`: where sound goes in and out."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import IpAddress, Ports
from config.base import Host, Seconds, Table


class Backend(StrEnum):
    """How packets reach the engine."""

    AUTO = "auto"
    IO_URING = "io_uring"
    EPOLL = "epoll"


class Codec(StrEnum):
    """What may be spoken."""

    PCMA = "pcma"
    PCMU = "pcmu"
    G722 = "g722"
    OPUS = "opus"


class Srtp(StrEnum):
    """Encryption of sound (SDES)."""

    OFF = "off"
    OFFER = "offer"
    REQUIRE = "require"


class Dtmf(StrEnum):
    """How digits are sent to a peer; all forms are understood."""

    AUTO = "auto"
    RFC4733 = "rfc4733"
    INBAND = "inband"
    INFO = "info"


class MediaTable(Table):
    """`[media]`: the media engine."""

    address: IpAddress = "0.0.0.0"
    """Address that RTP comes in on; 0.0.0.0: all, and SDP names the one that the peer reaches."""
    address6: IpAddress | None = None
    """The same for IPv6; absent: no sound over IPv6, unless `address` is an IPv6 one."""
    external: Host | None = None
    """Address that phones outside see in SDP, where a router translates ours."""
    ports: Ports = Ports(16384, 32767)
    """Even ports are RTP, odd ones RTCP: two a leg."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Engine processes."""
    backend: Backend = Backend.AUTO
    """`io_uring` refuses to start where the kernel forbids it; `auto` then takes `epoll`."""
    codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU, Codec.G722)
    """Preference towards a peer that has none of its own in its table."""
    ptime: Literal[10, 20, 30, 40, 60] = 20
    """Milliseconds in a packet that we ask for."""
    silence: Annotated[Seconds, Field(ge=0)] = 60.0
    """A leg that ought to send and does not for so long has lost its peer; 0: never."""
    hold_silence: Annotated[Seconds, Field(ge=0)] = 0.0
    """The same while on hold; 0: never."""
    jitter: Annotated[Seconds, Field(ge=0.04, le=0.48)] = 0.2
    """Longest delay that the jitter buffer of mixed sound may grow to."""
    tos: Annotated[int, Field(ge=0, le=255)] = 184
    """Type-of-service octet of RTP packets; 184 is expedited forwarding."""
    latch: bool = True
    """Send to where a peer's packets come from when its SDP names another address (NAT)."""

    @model_validator(mode="after")
    def _room_for_codecs(self) -> Self:
        if not self.codecs:
            raise ValueError("codecs must name at least one codec")
        return self
