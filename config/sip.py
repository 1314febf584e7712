"""`[sip]`, `[sip.timers]`, `[sip.streams]`, `[sip.tls]`, `[guard]`, `[hep]`: signalling."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import HostPort, Listen, Network
from config.base import FilePath, Host, Positive, Seconds, Table, Words
from config.passwords import Secret


class Timers(Table):
    """`[sip.timers]`: RFC 3261 §17, in seconds."""

    t1: Positive = 0.5
    """Estimate of a round trip."""
    t2: Positive = 4.0
    """Longest interval between retransmissions."""
    t4: Positive = 5.0
    """How long a message may live in the network."""
    ring: Positive = 180.0
    """How long an unanswered INVITE may ring (timer C)."""


class Streams(Table):
    """`[sip.streams]`: bounds of TCP and TLS connections."""

    header_bytes: Annotated[int, Field(ge=1024)] = 65_536
    """Longest start line with headers."""
    body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    """Longest body."""
    message_time: Positive = 10.0
    """How long one message may take to arrive."""
    handshake_time: Positive = 5.0
    """How long a TLS handshake may take."""
    idle_time: Positive = 3600.0
    """A connection silent for so long is closed."""
    connections: Annotated[int, Field(gt=0)] = 20_000
    """Connections at once."""
    unread_bytes: Annotated[int, Field(ge=65_536)] = 1_048_576
    """A peer that leaves so much unread is cut off."""


class Tls(Table):
    """`[sip.tls]`: certificate of `tls:` listeners."""

    certificate: FilePath | None = None
    """PEM file with the chain; absent: one is made in the data folder at first start."""
    key: FilePath | None = None
    """PEM file of the private key."""
    authorities: FilePath | None = None
    """PEM file of those whom we believe when we call out; absent: the system's."""
    verify: bool = True
    """Whether a server that we call must prove its name."""


class SipTable(Table):
    """`[sip]`: listeners and the protocol's bounds."""

    listen: tuple[Listen, ...] = (
        Listen("udp", "0.0.0.0", 5060),
        Listen("tcp", "0.0.0.0", 5060),
    )
    """Where SIP is spoken: `udp:0.0.0.0:5060`, also `tcp:`, `tls:`, and `udp:[::]:5060`."""
    external: Host | None = None
    """Address that phones outside see in Contact, where a router translates ours."""
    local_networks: tuple[Network, ...] = ()
    """Networks that see our own address and not the external one."""
    timers: Timers = Timers()
    streams: Streams = Streams()
    tls: Tls = Tls()
    min_expires: Annotated[int, Field(ge=1)] = 30
    """Shortest registration granted (423 below it)."""
    max_expires: Annotated[int, Field(ge=60)] = 7200
    """Longest registration granted."""
    default_expires: Annotated[int, Field(ge=30)] = 3600
    """Registration granted to a phone that asks for no time."""
    session_expires: Annotated[int, Field(ge=90)] | None = 1800
    """Session timer (RFC 4028), in seconds; absent is asked for by no one."""
    min_session_expires: Annotated[int, Field(ge=90)] = 90
    """Least session timer accepted (422 below it)."""
    reliable: Literal["off", "allow", "require"] = "allow"
    """100rel (RFC 3262), by which provisional answers are acknowledged: `allow` uses it with
    those who have it, `require` refuses those who have not (421)."""
    digest: Literal["md5", "sha-256", "both"] = "md5"
    """Algorithms offered; phones of today fail when both are offered."""
    nonce_life: Positive = 300.0
    """Age at which a nonce is stale."""
    nat: bool = True
    """Answer to where a UDP request came from, whatever it says of itself."""
    keepalive: Annotated[Seconds, Field(ge=0)] = 30.0
    """Interval of pings to phones behind NAT; 0: none."""
    product: Words = "softswitch"
    """Name in Server and User-Agent."""
    dns: tuple[HostPort, ...] = ()
    """Name servers; absent: the system's."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.listen:
            raise ValueError('listen names no address; add listen = ["udp:0.0.0.0:5060"]')
        if not self.min_expires <= self.default_expires <= self.max_expires:
            raise ValueError("min_expires ≤ default_expires ≤ max_expires must hold")
        return self


class GuardTable(Table):
    """`[guard]`: sources that guess passwords or flood."""

    enabled: bool = True
    slow_after: Annotated[int, Field(gt=0)] = 10
    """Failures after which answers to a source are delayed."""
    silence_after: Annotated[int, Field(gt=0)] = 50
    """Failures after which a source gets no answer at all."""
    silence: Positive = 600.0
    """How long such a source stays unanswered."""
    flood_rate: Positive = 500.0
    """Messages a second from one source, beyond which it is dropped before parsing."""
    flood_burst: Annotated[int, Field(gt=0)] = 2000
    """Messages that a source may send at once before its rate counts."""
    trusted: tuple[Network, ...] = ()
    """Networks that are never slowed."""

    @model_validator(mode="after")
    def _slow_before_silent(self) -> Self:
        if self.silence_after <= self.slow_after:
            raise ValueError("silence_after must be above slow_after")
        return self


class HepTable(Table):
    """`[hep]`: copies of every SIP message to Homer or sngrep (HEPv3 over UDP)."""

    server: HostPort
    """Collector, `127.0.0.1:9060`."""
    capture_id: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] = 2001
    """Who we are to the collector."""
    password: Secret | None = None
