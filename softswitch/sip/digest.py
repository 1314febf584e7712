"""Digest authentication: the arithmetic, and the client's side (RFC 7616, RFC 8760).

Reads challenges and credentials, answers the former.  Judging credentials is
challenger.py's.  Knows no transaction: who retries, and how often, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from softswitch.sip.headers import quote, unquote
from softswitch.sip.message import Request, Response

Secrets: TypeAlias = Mapping[str, str]
"""Algorithm → HA1 in hexadecimal: all that need be stored of a password."""

Hash: TypeAlias = Callable[[bytes], "hashlib._Hash"]

HASHES: dict[str, Hash] = {
    "SHA-256": hashlib.sha256,
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
}
"""The algorithms that we speak, the best first."""

ANSWER_HEADERS = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}

_SCHEME = re.compile(r"Digest[ \t]++", re.IGNORECASE)
_PARAM = re.compile(
    r"[ \t,]*+([\w-]++)[ \t]*+=[ \t]*+(\"(?:[^\"\\]++|\\.)*+\"|[^\s,\"]++)[ \t]*+(?:,|$)", re.ASCII
)
_PLAIN_PARAM = re.compile(
    r'(?:\A|,)[ \t]*+([A-Za-z]++)=(?:"([^"\\,]*+)"|([A-Za-z0-9-]++))[ \t]*+(?=,|\Z)'
)


def digest_params(value: str) -> dict[str, str] | None:
    """The parameters of one challenge or one set of credentials, unquoted.

    None for another scheme, and for what two readers could read differently.
    """
    scheme = _SCHEME.match(value)
    if scheme is None:
        return None
    return _plain_params(value, scheme.end()) or _odd_params(value, scheme.end())


def _plain_params(value: str, at: int) -> dict[str, str] | None:
    """Parameters without commas, escapes and blanks inside, as all phones write them."""
    found = _PLAIN_PARAM.findall(value[at:])
    params = {name.lower(): quoted or plain for name, quoted, plain in found}
    return params if len(params) == value.count(",", at) + 1 else None


def _odd_params(value: str, at: int) -> dict[str, str] | None:
    params: dict[str, str] = {}
    while at < len(value):
        match = _PARAM.match(value, at)
        if match is None or match[1].lower() in params:
            return None
        params[match[1].lower()] = unquote(match[2])
        at = match.end()
    return params


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """What a password becomes before it is stored (RFC 7616 §3.4.2)."""
    return _hexdigest(algorithm, username, realm, password)


def secrets(username: str, realm: str, password: str) -> Secrets:
    """The HA1 of a password in every algorithm."""
    return {algorithm: ha1(algorithm, username, realm, password) for algorithm in HASHES}


def response_hash(algorithm: str, ha1: str, method: str, params: Mapping[str, str]) -> str:
    """The `response` that fits the other parameters (RFC 7616 §3.4.1; §3.4.6 without qop)."""
    ha2 = _hexdigest(algorithm, method, params.get("uri", ""))
    nonce = params.get("nonce", "")
    if "qop" not in params:
        return _hexdigest(algorithm, ha1, nonce, ha2)
    nc, cnonce = params.get("nc", ""), params.get("cnonce", "")
    return _hexdigest(algorithm, ha1, nonce, nc, cnonce, params["qop"], ha2)


def _hexdigest(algorithm: str, *parts: str) -> str:
    return HASHES[algorithm](":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge that we can answer."""

    header: str
    """Name of the field to answer in: Authorization or Proxy-Authorization."""
    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str | None = None
    qop: bool = True
    """Whether `auth` is offered."""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a peer; the HA1 is computed from the password where it is not given."""

    username: str
    password: str = ""
    secrets: Secrets | None = None

    def ha1(self, algorithm: str, realm: str) -> str | None:
        """None if only HA1s are known and this algorithm's is not among them."""
        if self.secrets is not None:
            return self.secrets.get(algorithm)
        return ha1(algorithm, self.username, realm, self.password)


def challenges(response: Response) -> list[Challenge]:
    """What a 401 or 407 asks for: the best algorithm of each realm, in the order of realms."""
    best: dict[tuple[str, str], Challenge] = {}
    for name, answer_in in ANSWER_HEADERS.items():
        for value in response.headers.all(name):
            challenge = _read_challenge(answer_in, value)
            if challenge is not None:
                key = (answer_in, challenge.realm)
                best[key] = min(best.get(key, challenge), challenge, key=_rank)
    return list(best.values())


def _read_challenge(answer_in: str, value: str) -> Challenge | None:
    params = digest_params(value)
    if params is None or "realm" not in params or "nonce" not in params:
        return None
    algorithm = params.get("algorithm", "MD5").upper()
    offered = [option.strip().lower() for option in params.get("qop", "").split(",")]
    if algorithm not in HASHES or ("qop" in params and "auth" not in offered):
        return None
    return Challenge(
        answer_in,
        params["realm"],
        params["nonce"],
        algorithm,
        params.get("opaque"),
        "auth" in offered,
        params.get("stale", "").lower() == "true",
    )


def _rank(challenge: Challenge) -> int:
    return list(HASHES).index(challenge.algorithm)


def answer(
    challenge: Challenge,
    method: str,
    uri: str,
    credentials: Credentials,
    rng: Random,
    count: int = 1,
) -> str | None:
    """The value of the field that answers a challenge; None if we lack the secret for it.

    `count` is how often this nonce has been used, this time included.
    """
    secret = credentials.ha1(challenge.algorithm, challenge.realm)
    if secret is None:
        return None
    params = {"nonce": challenge.nonce, "uri": uri}
    if challenge.qop:
        params |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": f"{rng.getrandbits(64):016x}"}
    fitting = response_hash(challenge.algorithm, secret, method, params)
    parts = [
        f"username={quote(credentials.username)}",
        f"realm={quote(challenge.realm)}",
        f"nonce={quote(challenge.nonce)}",
        f"uri={quote(uri)}",
        f'response="{fitting}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts.append(f'qop=auth,nc={params["nc"]},cnonce="{params["cnonce"]}"')
    if challenge.opaque is not None:
        parts.append(f"opaque={quote(challenge.opaque)}")
    return "Digest " + ",".join(parts)


def answers(
    response: Response, request: Request, credentials: Credentials, rng: Random
) -> list[tuple[str, str]]:
    """The header fields with which to repeat `request` after a 401 or 407.

    Empty if there is nothing to say that was not said: credentials that were refused
    are not offered again, unless only their nonce was stale (RFC 7616 §3.3).
    """
    fields = []
    for challenge in challenges(response):
        if _was_answered(challenge, request) and not challenge.stale:
            continue
        value = answer(challenge, request.method, request.uri, credentials, rng)
        if value is not None:
            fields.append((challenge.header, value))
    return fields


def _was_answered(challenge: Challenge, request: Request) -> bool:
    given = (digest_params(value) or {} for value in request.headers.all(challenge.header))
    return any(params.get("realm") == challenge.realm for params in given)
