"""What signalling agreed about one leg's sound, as the engine wants to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from media.types import Address, Seconds

CODEC_RATES: Mapping[str, tuple[int, ...]] = {
    "PCMU": (8000,),
    "PCMA": (8000,),
    "G722": (8000,),
    "L16": (8000, 16000, 48000),
    "OPUS": (48000,),
}
"""Encoding names in upper case, and the RTP clock rates that we speak them at."""
SRTP_KEY_LENGTHS: Mapping[str, int] = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
}
"""Suites, and the octets of master key and salt together."""


@dataclass(frozen=True, slots=True)
class SrtpKey:
    """One direction's SRTP master key (RFC 4568 §6, RFC 7714)."""

    suite: str
    """`AES_CM_128_HMAC_SHA1_80`, `AES_CM_128_HMAC_SHA1_32` or `AEAD_AES_128_GCM`."""
    key: bytes = field(repr=False)
    """Master key followed by master salt: 30 octets for AES_CM, 28 for GCM."""

    def __post_init__(self) -> None:
        length = SRTP_KEY_LENGTHS.get(self.suite)
        if length is None:
            raise ValueError(f"{self.suite} is none of {', '.join(SRTP_KEY_LENGTHS)}")
        if len(self.key) != length:
            raise ValueError(f"{self.suite} wants {length} octets, not {len(self.key)}")


@dataclass(frozen=True, slots=True)
class Stream:
    """One leg's agreement.  Given anew, whole, at every offer and answer."""

    remote: Address | None
    """Where RTP goes and where it should come from; None or port 0: nowhere."""
    codec: str = "PCMU"
    """Encoding name of what we send (RFC 3551): PCMU, PCMA, L16, G722 or opus."""
    clock_rate: int = 8000
    """RTP ticks per second; 8000 for G.722 too (RFC 3551 §4.5.2)."""
    send_pt: int = 0
    receive_pts: Mapping[int, str] = field(default_factory=lambda: {0: "PCMU"})
    """Payload types that may come in, and the codec each one names."""
    fmtp: Mapping[str, str] = field(default_factory=dict)
    dtmf_send_pt: int | None = None
    """Payload type of telephone-event towards the peer; None: the peer knows none."""
    dtmf_receive_pt: int | None = None
    tones: bool = True
    """Whether keys that others press are sent as tones where the peer takes no events; False
    where signalling tells them."""
    ptime: Seconds = 0.02
    remote_rtcp: Address | None = None
    """Where RTCP goes; None: the port after RTP's."""
    rtcp_mux: bool = False
    srtp_send: SrtpKey | None = None
    srtp_receive: SrtpKey | None = None
    latch: bool = False
    """Whether the peer may be behind NAT, so that its first packet tells where it is."""
    sending: bool = True
    receiving: bool = True

    def __post_init__(self) -> None:
        if (self.srtp_send is None) != (self.srtp_receive is None):
            raise ValueError("SRTP is agreed in both directions or in none (RFC 4568 §5.1.2)")
        for name in (self.codec, *self.receive_pts.values()):
            if name.upper() not in CODEC_RATES:
                raise ValueError(f"{name} is none of {', '.join(CODEC_RATES)}")
        if self.clock_rate not in CODEC_RATES[self.codec.upper()]:
            raise ValueError(f"{self.codec} is not spoken at {self.clock_rate} Hz")

    @property
    def reachable(self) -> bool:
        """RFC 3264 §5.1, §8.4: port 0 and the address of all zeros mean nobody is there."""
        return (
            self.remote is not None
            and self.remote[1] != 0
            and self.remote[0] not in ("0.0.0.0", "::")
        )

    @property
    def rtcp_address(self) -> Address | None:
        """Where RTCP goes, if it has a port of its own."""
        if self.remote is None or not self.reachable or self.rtcp_mux:
            return None
        return self.remote_rtcp or (self.remote[0], self.remote[1] + 1)
