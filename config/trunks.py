"""`[trunks.NAME]`: the ways to the outside, `[sites.NAME]`: other switches of ours."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import HostPort
from config.base import Host, Name, Number, Positive, Seconds, Table, Texts, Words, matching
from config.media import Codec, Dtmf, Srtp
from config.passwords import Secret
from config.targets import Targets

SERVER = re.compile(
    r"^(?P<scheme>sips?):(?:(?P<user>[^@;]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)"
    r"(?::(?P<port>\d{1,5}))?(?P<params>(?:;[\w-]+(?:=[\w.-]+)?)*)$"
)


TRUNK_TRANSPORTS = ("udp", "tcp", "tls")


class Rewrite(Table):
    """One rule of number rewriting: the first whose `match` fits is applied."""

    match: str
    """Regular expression over the whole number: `8(\\d{10})`."""
    replace: str
    """What it becomes: `+7\\1`."""

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.sub(self.match, self.replace, "")
        except (re.error, IndexError) as error:
            raise ValueError(f'"{self.match}" → "{self.replace}" does not work: {error}') from None
        return self

    def apply(self, number: str) -> str | None:
        """`number` rewritten, or None where the rule does not fit."""
        found = re.fullmatch(self.match, number, re.ASCII)
        return found.expand(self.replace) if found else None


class Trunk(Table):
    """`[trunks.NAME]`"""

    server: str
    """Where calls go: `sip:203.0.113.9:5060`, `sip:provider.example;transport=tls`."""
    backup: Texts = ()
    """Servers tried when the first one fails."""
    username: Words | None = None
    """Account at the provider."""
    password: Secret | None = None
    auth_username: Words | None = None
    """Name in the digest, where it differs from `username`."""
    register_: bool = Field(False, alias="register")
    """Whether we register at the server."""
    expires: Annotated[int, Field(ge=60)] = 3600
    domain: Host | None = None
    """Host in From and To; absent: the server's."""
    sources: tuple[HostPort, ...] = ()
    """Addresses with port that its calls come from; absent: the server's."""
    inbound_username: Words | None = None
    """Digest name that its calls must prove."""
    inbound_password: Secret | None = None
    channels: Annotated[int, Field(gt=0)] | None = None
    """Calls at once, both ways."""
    inbound_channels: Annotated[int, Field(gt=0)] | None = None
    outbound_channels: Annotated[int, Field(ge=0)] | None = None
    direction: Literal["both", "in", "out"] = "both"
    """`in`: reserved for callers, never seized for going out."""
    weight: Positive = 1.0
    """Share of outgoing calls among trunks of equal priority."""
    priority: int = 0
    """Trunks of a lower number are seized first."""
    codecs: tuple[Codec, ...] | None = None
    srtp: Srtp = Srtp.OFF
    dtmf: Dtmf = Dtmf.AUTO
    caller_id: Number | None = None
    """Number shown when the caller has none of its own."""
    force_caller_id: bool = False
    """Always show `caller_id`."""
    privacy: bool = False
    """Hide the caller's number."""
    trusted: bool = False
    """Whether P-Asserted-Identity is sent to it and believed from it."""
    country: Annotated[str, matching(r"[A-Z]{2}", "a country: RU")] | None = None
    """Country in whose form its numbers come; absent: `[switch] country`."""
    format: Literal["as-dialled", "e164", "e164-without-plus", "national"] = "as-dialled"
    """Form of numbers that are sent to it."""
    rewrite_called: tuple[Rewrite, ...] = ()
    """Applied to the number that is dialled through it, after `format`."""
    rewrite_caller: tuple[Rewrite, ...] = ()
    """Applied to the number of a caller who comes in through it."""
    rewrite_line: tuple[Rewrite, ...] = ()
    """Applied to the number that was called when a call comes in through it."""
    ping: Annotated[Seconds, Field(ge=0)] = 60.0
    """Interval of OPTIONS; 0: never asked, always believed alive."""
    early_media: bool = True
    causes: dict[Annotated[str, matching(r"[3-6]\d\d", "a SIP status: 300 to 699")], int] = {}
    """SIP status that it sends, and the one that we understand by it."""
    cost_per_minute: Annotated[float, Field(ge=0)] = 0.0
    camp_on: bool = True
    """Whether a caller may wait for a channel when all are busy."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for server in (self.server, *self.backup):
            _must_be_reachable(server)
        if self.register_ and not (self.username and self.password):
            raise ValueError("register needs username and password")
        if (self.inbound_username is None) != (self.inbound_password is None):
            raise ValueError("inbound_username and inbound_password go together")
        return self


def _must_be_reachable(server: str) -> None:
    """Raises ValueError with the repair where no call could go to `server`."""
    found = SERVER.match(server)
    if found is None or not 0 < int(found["port"] or 5060) < 65536:
        raise ValueError(f'server "{server}" is no SIP address; write it as sip:203.0.113.9:5060')
    for name, _, value in (each.partition("=") for each in found["params"].split(";")):
        if name == "transport" and value not in TRUNK_TRANSPORTS:
            known = ", ".join(TRUNK_TRANSPORTS)
            raise ValueError(f'server "{server}": transport is one of {known}, not {value}')


class Site(Table):
    """`[sites.NAME]`: another switch whose extensions are dialled as our own."""

    prefix: Number
    """First digits of its numbers, `3`."""
    digits: Annotated[int, Field(ge=1, le=15)] = 4
    """Length of its numbers, prefix included."""
    trunk: Name
    """The trunk that leads there."""
    strip: bool = False
    """Whether the prefix is taken away before dialling."""
    fallback: Targets = ()
    """Where its numbers go while the link is down."""
