"""SRTP on the legs that negotiated it (RFC 3711, RFC 7714), keyed by SDES (RFC 4568).

A packet at a time, since the library offers no batch.  Knows keys and octets; who may
speak to a leg is decided elsewhere.
"""

from __future__ import annotations

from pylibsrtp import Error, Policy, Session

from media.stream import SrtpKey

_PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
}
_REPLAY_WINDOW = 512
LONGEST = 1400
"""Octets of a packet that still has room for its authentication tag."""


class Protection:
    """Both directions of one leg, for as long as the keys: counters must not restart."""

    __slots__ = ("_receive", "_send", "keys")

    def __init__(self, send: SrtpKey, receive: SrtpKey) -> None:
        self.keys = send, receive
        self._send = _session(send, Policy.SSRC_ANY_OUTBOUND)
        self._receive = _session(receive, Policy.SSRC_ANY_INBOUND)

    def protect(self, packet: bytes) -> bytes:
        return self._send.protect(packet)

    def unprotect(self, packet: bytes) -> bytes | None:
        """The plain packet; None if it is forged, damaged or came before."""
        try:
            return self._receive.unprotect(packet)
        except (Error, ValueError):
            return None

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._send.protect_rtcp(packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """As `unprotect`, for RTCP."""
        try:
            return self._receive.unprotect_rtcp(packet)
        except (Error, ValueError):
            return None


def _session(key: SrtpKey, direction: int) -> Session:
    policy = Policy(key=key.key, ssrc_type=direction, srtp_profile=_PROFILES[key.suite])
    policy.window_size = _REPLAY_WINDOW
    return Session(policy)
