"""Who sends this request: an extension that proved it, a trunk by its address, or a stranger.

Applies to every method alike, so that a wrong password, an unknown user and an unknown
number cost the same time and look the same from outside.  Keeps no secret in the clear:
passwords become HA1s when settings are applied.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from ipaddress import ip_address
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from config.addresses import is_loopback
from config.extensions import Extension
from config.settings import Settings
from softswitch.pbx.peers import Line, Peer, Phone
from softswitch.sip.challenger import Challenger, Outcome
from softswitch.sip.digest import Secrets, secrets
from softswitch.sip.message import Request
from softswitch.sip.types import Address, Flow, Instant, ParseError

ALGORITHMS = {"md5": ("MD5",), "sha-256": ("SHA-256",), "both": ("SHA-256", "MD5")}
Failed: TypeAlias = Callable[[Address, Instant], None]
TrunkOf: TypeAlias = Callable[[Flow, str], Line | None]
"""Finds the trunk that a flow comes from, given the user name that was called over it."""


class Admitted(NamedTuple):
    """The sender is known."""

    peer: Peer


class Rebuff(NamedTuple):
    """The sender is not, or not yet, believed: answer so."""

    status: int
    headers: list[tuple[str, str]]


class Gatekeeper:
    """Judges requests.  `failed` is told the source of every wrong password."""

    def __init__(self, challenger: Challenger, failed: Failed, trunk_of: TrunkOf) -> None:
        self._challenger, self._failed, self._trunk_of = challenger, failed, trunk_of

    def apply(self, settings: Settings) -> None:
        """Believe these extensions and trunks from now on."""
        self._settings = settings
        realm = settings.switch.domain
        self._secrets = {
            number: _secrets_of(number, person, realm, settings.sip.digest)
            for number, person in settings.extensions.items()
        }
        default, people = settings.sip.digest, settings.extensions
        self._wishes = sorted({default, *(each.digest or default for each in people.values())})
        self._lengths = set(map(len, people))
        self._salt = blake2b(repr(sorted(self._secrets.items(), key=itemgetter(0))).encode())
        self._lines = {
            trunk.inbound_username: Line(name, trunk)
            for name, trunk in settings.trunks.items()
            if trunk.inbound_username is not None
        }
        for username, line in self._lines.items():
            word = line.trunk.inbound_password
            assert word is not None  # the settings go together
            self._secrets.setdefault(username, secrets(username, realm, word.get_secret_value()))

    def judge(self, request: Request, flow: Flow, now: Instant) -> Admitted | Rebuff:
        """Find out who sent `request` over `flow`."""
        line = self._trunk_of(flow, _called(request))
        if line is not None and line.trunk.inbound_username is None:
            return Admitted(line)
        verdict = self._challenger.verify(request, self._secrets.get, now)
        if verdict.outcome is Outcome.ACCEPTED:
            peer = self._peer(verdict.username, flow)
            if peer is not None:
                return Admitted(peer)
            self._failed(flow.remote, now)
        elif verdict.outcome is Outcome.REFUSED:
            self._failed(flow.remote, now)
        stale = verdict.outcome is Outcome.STALE
        algorithms = self._algorithms(verdict.username or request.from_.sip_uri.user or "")
        challenges = self._challenger.challenge(now, stale=stale, algorithms=algorithms)
        return Rebuff(401, [("WWW-Authenticate", text) for text in challenges])

    def _peer(self, username: str, flow: Flow) -> Peer | None:
        """Who proved to be `username`; None where he may not come from there."""
        line = self._lines.get(username)
        if line is not None:
            return line
        person = self._settings.extensions.get(username)
        if person is None or not _may_come_from(person, flow.remote[0]):
            return None
        return Phone(username, person)

    def _algorithms(self, username: str) -> tuple[str, ...]:
        """What is offered: the extension's own wish where the From names one that has one.

        Nobody learns from it who exists: a number that is nobody's has some wish, too, and
        always the same.
        """
        person = self._settings.extensions.get(username)
        if person is not None and person.digest is not None:
            return ALGORITHMS[person.digest]
        if person is not None or len(self._wishes) == 1 or len(username) not in self._lengths:
            return ALGORITHMS[self._settings.sip.digest]
        drawn = self._salt.copy()
        drawn.update(username.encode("utf-8", "surrogatepass"))
        return ALGORITHMS[self._wishes[drawn.digest()[0] % len(self._wishes)]]


def _called(request: Request) -> str:
    try:
        return request.request_uri.user or ""
    except ParseError:
        return ""


def _secrets_of(number: str, person: Extension, realm: str, default: str) -> Secrets | None:
    allowed = ALGORITHMS[person.digest or default]
    known: dict[str, str] = {}
    if person.password is not None:
        known |= secrets(number, realm, person.password.get_secret_value())
    if person.ha1 is not None:
        known["MD5"] = person.ha1.get_secret_value().lower()
    if person.ha1_sha256 is not None:
        known["SHA-256"] = person.ha1_sha256.get_secret_value().lower()
    return {algorithm: known[algorithm] for algorithm in allowed if algorithm in known} or None


def _may_come_from(person: Extension, host: str) -> bool:
    """An example's password works on the loopback only; `allow` narrows the rest."""
    if person.is_placeholder and not is_loopback(host):
        return False
    return not person.allow or any(ip_address(host) in network for network in person.allow)
