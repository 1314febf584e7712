"""Our registration at a provider (RFC 3261 §10.2): made, refreshed, given back.

A coroutine a trunk.  What fails is tried again, ever less often; a password that is
refused seldom enough that no provider bans us for guessing.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import structlog

from softswitch.pbx.asking import ask, credentials_of
from softswitch.pbx.carrier import Carrier, Server
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Headers, Request, Response
from softswitch.sip.types import ParseError, Seconds
from softswitch.sip.ua import UserAgent
from softswitch.sip.uri import SipUri

log = structlog.get_logger("trunks")

PATIENCE: Seconds = 8.0
"""How long one REGISTER may take, its challenge included."""
FIRST_RETRY: Seconds = 5.0
LONGEST_RETRY: Seconds = 300.0
FAREWELL: Seconds = 1.0
"""How long we wait at the end for the binding to be taken back."""
REFRESH = 0.8
"""Share of the time granted after which we register again."""
ATTEMPTS = 8
"""CSeq numbers kept for the challenges that one REGISTER may meet."""
REFUSED = (401, 403, 404, 407)
"""Answers that another attempt in a few seconds would not change."""


class Granted(NamedTuple):
    """The registrar has us for so long."""

    seconds: Seconds


class Denied(NamedTuple):
    """It has not, and why."""

    status: int | None
    sentence: str


class Registration:
    """The binding of one trunk.  `keep` runs for as long as the trunk exists."""

    def __init__(self, ua: UserAgent, carrier: Carrier) -> None:
        self._ua, self._carrier = ua, carrier
        self._credentials = credentials_of(carrier.trunk, ua)
        self._call_id, self._number = ua.new_call_id(), ua.rng.randrange(1, 2**16)
        self._tag = ua.new_tag()
        self._expires = carrier.trunk.expires
        self._server: Server | None = None

    async def keep(self) -> None:
        """Register, and again before that ends, for ever."""
        failures = 0
        while True:
            match await self._once():
                case Granted(seconds):
                    failures = 0
                    self._learn(None, seconds)
                    await asyncio.sleep(seconds * REFRESH)
                case Denied(status, sentence):
                    failures += 1
                    self._learn(sentence, None)
                    await asyncio.sleep(_pause(status, failures))

    async def give_back(self) -> None:
        """Tell the registrar that we are gone, as far as it listens."""
        if self._server is not None and self._carrier.refusal is None:
            await ask(
                self._ua, self._request(self._server, 0), self._server.target, FAREWELL,
                self._credentials,
            )  # fmt: skip

    async def _once(self) -> Granted | Denied:
        carrier = self._carrier
        outcome: Granted | Denied = Denied(None, "no server is known")
        for server in carrier.alive or carrier.servers:
            outcome = await self._at(server)
            if isinstance(outcome, Granted):
                self._server = server
                return outcome
        return outcome

    async def _at(self, server: Server) -> Granted | Denied:
        response = await self._send(server)
        if response is not None and response.status == 423:
            self._expires = max(self._expires, _least(response))  # §10.2.8
            response = await self._send(server)
        if response is None:
            return Denied(None, f"{server.uri.host} does not answer REGISTER")
        if 200 <= response.status < 300:
            return Granted(_granted(response, self._contact_uri(server), self._expires))
        return Denied(response.status, f"refused: {response.status} {response.reason}")

    async def _send(self, server: Server) -> Response | None:
        request = self._request(server, self._expires)
        return await ask(self._ua, request, server.target, PATIENCE, self._credentials)

    def _request(self, server: Server, expires: int) -> Request:
        self._number += ATTEMPTS
        trunk = self._carrier.trunk
        us = f"<sip:{trunk.username}@{self._carrier.host}>"
        pairs = [
            ("From", f"{us};tag={self._tag}"),
            ("To", us),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._number} REGISTER"),
            ("Contact", f"<{self._contact_uri(server)}>"),
            ("Expires", str(expires)),
        ]
        return Request("REGISTER", self._registrar(server), Headers(pairs))

    def _registrar(self, server: Server) -> str:
        domain, uri = self._carrier.trunk.domain, server.uri
        port = None if domain else uri.port
        return str(SipUri(uri.scheme, None, domain or uri.host, port, params=uri.params))

    def _contact_uri(self, server: Server) -> str:
        """Ours, with the account's name in front, by which the provider calls us."""
        ours = self._ua.contact(server.target).strip("<>")
        scheme, _, rest = ours.partition(":")
        return f"{scheme}:{self._carrier.trunk.username}@{rest}"

    def _learn(self, refusal: str | None, seconds: Seconds | None) -> None:
        carrier = self._carrier
        if refusal != carrier.refusal:
            if refusal is None:
                log.info("registered", trunk=carrier.name)
            else:
                log.warning("not registered", trunk=carrier.name, why=refusal)
        carrier.refusal = refusal
        carrier.registered_until = None if seconds is None else time.time() + seconds


def _pause(status: int | None, failures: int) -> Seconds:
    if status in REFUSED:
        return LONGEST_RETRY
    return min(FIRST_RETRY * 2.0 ** min(failures - 1, 10), LONGEST_RETRY)


def _least(response: Response) -> int:
    text = response.headers.get("Min-Expires") or ""
    return int(text) if text.isdigit() else 0


def _granted(response: Response, contact: str, wished: int) -> Seconds:
    """What the registrar gave us: by our Contact, else by Expires, else what we wished."""
    try:
        mine = next((each for each in response.contacts if _same(each, contact)), None)
    except ParseError:
        mine = None
    expires = mine.expires if mine is not None else None
    return float(expires or response.expires or wished)


def _same(contact: NameAddr, ours: str) -> bool:
    try:
        return contact.sip_uri == SipUri.parse(ours)
    except ParseError:
        return False
