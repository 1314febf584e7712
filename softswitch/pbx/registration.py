"""REGISTER: phones that want to be found."""

from __future__ import annotations

import structlog

from softswitch.pbx.gatekeeper import Admitted, Gatekeeper
from softswitch.pbx.locations import Locations
from softswitch.pbx.peers import Phone
from softswitch.sip.message import Request, reply
from softswitch.sip.registrar import aor_of
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Instant, ParseError
from softswitch.sip.ua import UserAgent
from softswitch.sip.uri import SipUri
from softswitch.store.errors import JournalFullError

log = structlog.get_logger("registration")


def register(
    ua: UserAgent,
    gatekeeper: Gatekeeper,
    locations: Locations,
    capacity: int,
    tx: ServerTransaction,
    request: Request,
    now: Instant,
) -> None:
    """Answer a REGISTER; nobody may register for anybody else."""
    try:
        aor = SipUri.parse(aor_of(request))
    except ParseError as fault:
        ua.respond(tx, reply(request, fault.status, fault.reason, to_tag=ua.new_tag()))
        return
    verdict = gatekeeper.judge(request, tx.flow, now)
    if not isinstance(verdict, Admitted):
        tagged = reply(request, verdict.status, to_tag=ua.new_tag(), headers=verdict.headers)
        ua.respond(tx, tagged)
        return
    peer = verdict.peer
    if not isinstance(peer, Phone) or aor.user != peer.number:
        ua.respond(tx, reply(request, 403, to_tag=ua.new_tag()))
        return
    if len(locations.registrar) >= capacity and not locations.of(peer.number):
        retry = [("Retry-After", "60")]
        ua.respond(tx, reply(request, 503, to_tag=ua.new_tag(), headers=retry))
        return
    try:
        response = locations.register(request, tx.flow, peer.number, peer.extension.devices)
    except JournalFullError:
        log.error("no binding can be kept, so none is taken")
        response = reply(request, 503, headers=[("Retry-After", "60")])
    to = response.headers.fields["To"]
    to[0] = f"{to[0]};tag={ua.new_tag()}"
    ua.respond(tx, response)
