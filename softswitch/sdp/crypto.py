"""Keys for SRTP inside the description (SDES, RFC 4568; GCM by RFC 7714 §14.2).

Knows how an a=crypto line is built and which suites we speak.  Does not encrypt, and
draws keys only when asked to.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

# Octets of master key and salt together; in the order in which we offer them.
SUITES = {
    "AEAD_AES_128_GCM": 28,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
}


class Policy(StrEnum):
    """Whether a leg's sound is encrypted."""

    NONE = "none"
    OPTIONAL = "optional"
    """Encrypt with whoever can: RTP/AVP is offered, with keys beside it."""
    REQUIRED = "required"
    """RTP/SAVP is offered, and a peer without keys is refused."""


@dataclass(frozen=True, slots=True)
class SrtpKey:
    """What one direction is encrypted with."""

    suite: str
    """A key of SUITES."""
    key: bytes = field(repr=False)
    """Master key followed by master salt, as libsrtp takes them."""


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One a=crypto attribute that we could use."""

    tag: int
    key: SrtpKey

    def __str__(self) -> str:
        inline = b64encode(self.key.key).decode("ascii")
        return f"crypto:{self.tag} {self.key.suite} inline:{inline}"


@dataclass(frozen=True, slots=True)
class Srtp:
    """Our side of it: the policy, and one key a suite, the same for the leg's whole life."""

    policy: Policy = Policy.NONE
    keys: tuple[SrtpKey, ...] = ()

    @classmethod
    def draw(cls, policy: Policy, random: Callable[[int], bytes] = os.urandom) -> Srtp:
        """Draw fresh keys where the policy has use for them."""
        if policy is Policy.NONE:
            return NO_SRTP
        return cls(policy, tuple(SrtpKey(suite, random(size)) for suite, size in SUITES.items()))

    def key_for(self, suite: str) -> SrtpKey | None:
        """Our key for this suite, None if we have none."""
        return next((key for key in self.keys if key.suite == suite), None)

    def lines(self) -> list[CryptoLine]:
        """What we offer, the best first."""
        return [CryptoLine(tag, key) for tag, key in enumerate(self.keys, 1)]


NO_SRTP = Srtp()


def read_crypto(attributes: list[str]) -> list[CryptoLine]:
    """The lines that we understand whole, in the peer's order of preference."""
    texts = [a[7:] for a in attributes if a.startswith("crypto:")]
    return [line for text in texts[:16] if (line := _crypto_line(text)) is not None]


def _crypto_line(text: str) -> CryptoLine | None:
    """Read `1 AES_CM_128_HMAC_SHA1_80 inline:<key>[|lifetime] [session parameters]`."""
    words = text.split()
    if len(words) < 3 or not (words[0].isascii() and words[0].isdigit() and len(words[0]) < 10):
        return None
    if any(not word.startswith(("-", "WSH=")) for word in words[3:]):
        return None  # "MUST NOT" accept parameters it does not understand (RFC 4568 §6.3.7)
    suite = words[1].upper()
    key = _inline_key(words[2])
    if suite not in SUITES or key is None or len(key) != SUITES[suite]:
        return None
    return CryptoLine(int(words[0]), SrtpKey(suite, key))


def _inline_key(text: str) -> bytes | None:
    """The octets of `inline:<base64>|2^31`; None with several keys or a key identifier (MKI)."""
    method, _, value = text.partition(":")
    key, *extras = value.split("|")
    if method.lower() != "inline" or ";" in text or any(":" in extra for extra in extras):
        return None
    try:
        return b64decode(key + "=" * (-len(key) % 4), validate=True)
    except ValueError:
        return None
