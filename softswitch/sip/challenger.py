"""The server's side of digest: who asks to be believed, and whether we do (RFC 7616 §3).

Nonces are signed, not stored; stored is only, within a bound, which of them were used
and how often.  Knows no user: secrets come from a callable.  Whoever does not know the
password learns nothing from an answer or its delay, not even whether the user exists.
"""

from __future__ import annotations

import hmac
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import islice
from random import Random

from softswitch.sip.digest import HASHES, Secrets, digest_params, response_hash
from softswitch.sip.headers import quote
from softswitch.sip.message import Request
from softswitch.sip.types import Instant, ParseError, Seconds
from softswitch.sip.uri import SipUri


class Outcome(Enum):
    ACCEPTED, STALE, REFUSED, MISSING = range(4)


class Fault(Enum):
    """What simple phones get wrong and we forgive."""

    NO_QOP = "answered without the qop that was offered"
    OTHER_URI = "the digest names our host, but not the request's own URI"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the credentials of one request are worth.

    STALE: the password is right and only the nonce is used up: challenge with stale=true,
    it is no failure.  REFUSED is one.  MISSING: none were given for our realm.
    `username` is what was claimed; only ACCEPTED makes it true.
    """

    outcome: Outcome
    username: str = ""
    forgiven: tuple[Fault, ...] = ()


_NOTHING = Verdict(Outcome.MISSING)


@dataclass(slots=True)
class _Use:
    """How far a nonce is used up: the highest count, and a bit for each of the 64 below it."""

    issued: Instant
    highest: int = 0
    seen: int = 0

    def spend(self, count: int) -> bool:
        """Use the nonce for the count-th time; False if that was done before."""
        if count > self.highest:
            self.seen = (self.seen << min(count - self.highest, 65) | 1) & (2**64 - 1)
            self.highest = count
            return True
        bit = 1 << (self.highest - count)
        fresh = bit < 2**64 and not self.seen & bit
        self.seen |= bit & (2**64 - 1)
        return fresh


_EXHAUSTED = 2**32
"""The count of a nonce that was used without qop: it serves once."""

_STAMP = struct.Struct("!dQ")
_SIGNATURE = 12
_COUNT = re.compile("[0-9A-Fa-f]{8}")
_MOST_HEADERS = 4
"""Credentials of our realm that are looked at in one request."""


class Challenger:
    """Challenges, and judges the credentials that come back.

    `ours` tells whether a URI's host (and port) is this server.  `key` signs nonces; a
    new one at each start makes those of former lives stale, which phones mend silently.
    `forgiven` counts the faults that were overlooked.
    """

    def __init__(
        self,
        realm: str,
        ours: Callable[[SipUri], bool],
        key: bytes,
        rng: Random,
        *,
        lifetime: Seconds = 300.0,
        memory: int = 50_000,
    ) -> None:
        self.realm, self._quoted = realm, quote(realm)
        self.forgiven: Counter[Fault] = Counter()
        self._ours, self._rng = ours, rng
        self._key = blake2b(key).digest()
        self.lifetime, self._memory = lifetime, memory
        self._uses: dict[str, _Use] = {}
        self._horizon: Instant = float("-inf")  # unknown nonces as old as this count as used
        self._nobody = {name: f"{rng.getrandbits(256):064x}" for name in HASHES}

    def challenge(
        self, now: Instant, *, stale: bool = False, algorithms: Iterable[str] = ("MD5",)
    ) -> list[str]:
        """Values for WWW-Authenticate (401) or Proxy-Authenticate (407), one per algorithm.

        All carry the same nonce (phones answer the first with the second's algorithm).
        """
        nonce = self._sign(_STAMP.pack(now, self._rng.getrandbits(64)))
        end = ",stale=true" if stale else ""
        return [
            f'Digest realm={self._quoted},nonce="{nonce}",algorithm={name},qop="auth"{end}'
            for name in algorithms
        ]

    def verify(
        self,
        request: Request,
        secrets_of: Callable[[str], Secrets | None],
        now: Instant,
        *,
        header: str = "Authorization",
    ) -> Verdict:
        """Judge a request by the best of its credentials for our realm.

        `secrets_of(username)` gives the HA1s of the algorithms allowed to that user.
        """
        given = request.headers.all(header)
        if not given:
            return _NOTHING
        mine = [
            params
            for value in given
            if (params := digest_params(value)) and params.get("realm") == self.realm
        ]
        verdicts = [
            self._judge(request, params, secrets_of, now) for params in mine[:_MOST_HEADERS]
        ]
        best = min(verdicts, key=lambda v: v.outcome.value, default=_NOTHING)
        if best.forgiven:
            self.forgiven.update(best.forgiven)
        return best

    def _judge(
        self,
        request: Request,
        params: dict[str, str],
        secrets_of: Callable[[str], Secrets | None],
        now: Instant,
    ) -> Verdict:
        username = params.get("username", "")
        algorithm = params.get("algorithm", "MD5").upper()
        known = secrets_of(username) or {}
        secret = known.get(algorithm)
        hashed = algorithm if algorithm in HASHES else "MD5"
        fitting = response_hash(hashed, secret or self._nobody[hashed], request.method, params)
        given = params.get("response", "").lower().encode("utf-8", "replace")
        right = hmac.compare_digest(fitting.encode(), given)
        faults = self._faults(request, params)
        if not right or secret is None or faults is None:
            return Verdict(Outcome.REFUSED, username)
        if not self._spend(params, now):
            return Verdict(Outcome.STALE, username)
        return Verdict(Outcome.ACCEPTED, username, faults)

    def _faults(self, request: Request, params: dict[str, str]) -> tuple[Fault, ...] | None:
        """What must be forgiven in these credentials; None where that is too much."""
        faults = []
        if "qop" not in params:
            faults.append(Fault.NO_QOP)
        elif params["qop"] != "auth" or not params.get("cnonce") or _count(params) is None:
            return None
        if params.get("uri") != request.uri:
            if not self._names_us(params.get("uri", ""), request):
                return None
            faults.append(Fault.OTHER_URI)
        return tuple(faults)

    def _names_us(self, text: str, request: Request) -> bool:
        """Whether the digest's URI is our host and, where it names a user, the request's."""
        try:
            uri, asked = SipUri.parse(text), request.request_uri
        except ParseError:
            return False
        return self._ours(uri) and uri.user in (None, asked.user)

    def _spend(self, params: dict[str, str], now: Instant) -> bool:
        """Use the nonce once more; False if it is not ours, too old or used up."""
        nonce = params.get("nonce", "")
        issued = self._issued(nonce)
        if issued is None or not issued <= now < issued + self.lifetime:
            return False
        use = self._uses.get(nonce)
        if use is None:
            if issued <= self._horizon:
                return False
            use = self._uses[nonce] = _Use(issued)
            self._forget(now)
        count = _count(params) if "qop" in params else _EXHAUSTED
        return use.spend(count or 0)

    def _forget(self, now: Instant) -> None:
        """Drop what has expired and, beyond the bound, what came first."""
        for nonce, use in list(islice(self._uses.items(), 2)):
            expired = use.issued + self.lifetime <= now
            if expired or len(self._uses) > self._memory:
                self._horizon = max(self._horizon, use.issued)
                del self._uses[nonce]

    def _sign(self, stamp: bytes) -> str:
        signature = blake2b(stamp, key=self._key, digest_size=_SIGNATURE)
        return stamp.hex() + signature.hexdigest()

    def _issued(self, nonce: str) -> Instant | None:
        """When we issued a nonce; None if we never did."""
        try:
            stamp = bytes.fromhex(nonce[: 2 * _STAMP.size])
        except ValueError:
            return None
        if len(stamp) != _STAMP.size or not hmac.compare_digest(
            self._sign(stamp).encode(), nonce.encode("utf-8", "replace")
        ):
            return None
        issued: Instant = _STAMP.unpack(stamp)[0]
        return issued


def _count(params: dict[str, str]) -> int | None:
    """nc: eight hexadecimal digits, from 1."""
    text = params.get("nc", "")
    return int(text, 16) or None if _COUNT.fullmatch(text) else None
