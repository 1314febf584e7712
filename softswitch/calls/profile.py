"""How to speak with one peer: its codecs, its digits, its secrets, its place behind a router."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from softswitch.sdp.codecs import PCMA, PCMU, Codec
from softswitch.sdp.crypto import Policy
from softswitch.sip.types import Seconds


class DtmfForm(StrEnum):
    """How digits are sent to a peer; all forms are understood whatever it is."""

    AUTO = "auto"
    RFC4733 = "rfc4733"
    INBAND = "inband"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a leg to or from this peer may do."""

    codecs: tuple[Codec, ...] = (PCMA, PCMU)
    """In order of preference."""
    dtmf: DtmfForm = DtmfForm.AUTO
    srtp: Policy = Policy.NONE
    ptime: int = 20
    """Milliseconds."""
    latch: bool = True
    """Believe the first source of valid sound rather than the address in SDP (NAT)."""
    silence: Seconds | None = 60.0
    """A leg that should send and is silent for so long has lost its peer."""
    hold_silence: Seconds | None = None
    trusted: bool = False
    """Whether asserted identities are told to it and believed from it (RFC 3325)."""
    statuses: Mapping[int, int] = field(default_factory=dict, hash=False)
    """What the peer's refusals mean: the SIP status that it sends, and the one understood."""
