"""Where calls come in: who calls, whether we take it, what was dialled, which script carries it.

Runs synchronously inside the stack's hook, so that a call's record is safe before its 100
leaves; everything that may wait is the script's affair.
"""

from __future__ import annotations

from functools import partial
from ipaddress import ip_address
from typing import Any, NamedTuple

import structlog

from config.media import Dtmf, Srtp
from softswitch.calls.causes import CONGESTED, NOT_ACCEPTABLE
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.pbx import routing
from softswitch.pbx.emergency import call_help
from softswitch.pbx.gatekeeper import Admitted, Gatekeeper, Rebuff
from softswitch.pbx.inbound import from_outside
from softswitch.pbx.peers import Line, Peer, Phone, profile
from softswitch.pbx.replacing import replace
from softswitch.pbx.switch import Switch
from softswitch.sdp import SdpError
from softswitch.sip.callee import Callee
from softswitch.sip.message import Request
from softswitch.sip.replaces import Replaces
from softswitch.sip.types import Instant, ParseError
from softswitch.store.errors import JournalFullError

log = structlog.get_logger("reception")


class Stranger(NamedTuple):
    """A phone that could not prove who it is, calling for help from a network of ours.

    It has no extension's rights: its leg has no owner.
    """

    party: Party


class Reception:
    """Takes INVITEs from the user agent and starts calls."""

    def __init__(self, switch: Switch, gatekeeper: Gatekeeper) -> None:
        self._switch, self._gatekeeper = switch, gatekeeper

    def on_invite(self, session: Callee, now: Instant) -> None:
        """A new incoming call."""
        match self._gatekeeper.judge(session.request, session.flow, now):
            case Rebuff(status, headers):
                self._switch.trunks.suspect(session.flow.remote)
                if not self._take_cry_for_help(session):
                    session.reject(status, headers=headers)
            case Admitted(peer):
                self._take(session, peer)

    def _take(self, session: Callee, peer: Peer | Stranger) -> None:
        try:
            leg = self._leg(session, peer)
            self._begin(session, peer, leg)
        except (SdpError, ParseError) as error:
            session.reject(getattr(error, "status", None) or NOT_ACCEPTABLE.status, str(error))
        except Refused as refusal:
            session.reject(refusal.cause.status, headers=self._retry_after(refusal))
        except JournalFullError:
            log.error("no record can be kept, so no call is taken")
            session.reject(503, headers=[("Retry-After", "60")])

    def _take_cry_for_help(self, session: Callee) -> bool:
        """Whether a phone that we do not know calls an emergency number, and may."""
        emergency = self._switch.settings.emergency
        source = ip_address(session.flow.remote[0])
        if not any(source in network for network in emergency.open_to):
            return False
        try:
            dialled = routing.dialled_number(session.request)
        except ParseError:
            return False
        if dialled not in emergency.numbers:
            return False
        self._take(session, Stranger(_shown(session.request)))
        return True

    def _leg(self, session: Callee, peer: Peer | Stranger) -> Leg:
        settings, request = self._switch.settings, session.request
        if isinstance(peer, Stranger):
            manner = profile(None, Dtmf.AUTO, Srtp.OFFER, settings.media)
            party = peer.party
        elif isinstance(peer, Phone):
            person = peer.extension
            manner = profile(person.codecs, person.dtmf, person.srtp, settings.media)
            party = Party(peer.number, person.name)
        else:
            trunk = peer.trunk
            manner = profile(trunk.codecs, trunk.dtmf, trunk.srtp, settings.media)
            party = routing.outside_caller(request, trunk)
        leg = self._switch.board.receive(session, manner, party)
        leg.owner = peer.number if isinstance(peer, Phone) else None
        return leg

    def _begin(self, session: Callee, peer: Peer | Stranger, leg: Leg) -> None:
        if isinstance(peer, Line):
            self._begin_inbound(session, peer, leg)
            return
        dialled = routing.dialled_number(session.request)
        facts = {**_caller(leg), "dialled": dialled}
        if isinstance(peer, Stranger):
            script = partial(call_help, self._switch, dialled=dialled)
            facts["direction"] = "outbound"
        elif (replaced := session.request.headers.get("Replaces")) is not None:
            script = partial(replace, self._switch, Replaces.parse(replaced))
            facts["direction"] = "internal"
        else:
            script = partial(routing.from_phone, self._switch, peer, dialled)
            facts["direction"] = "internal"
        urgent = dialled in self._switch.settings.emergency.numbers
        self._switch.begin(leg, script, urgent=urgent, **facts)

    def _begin_inbound(self, session: Callee, peer: Line, leg: Leg) -> None:
        """A call by a trunk; one beyond its channels is refused, and the sender tries another."""
        switch, carrier = self._switch, self._switch.trunks.get(peer.name)
        if carrier is not None and not carrier.has_room(inbound=True):
            switch.tell("trunk.full", trunk=peer.name, channels=peer.trunk.channels)
            raise Refused(CONGESTED, f"all channels of trunk {peer.name} are in use")
        dialled, line = routing.called_line(switch.plan, session.request, peer.trunk)
        facts = {**_caller(leg), "dialled": dialled, "direction": "inbound", "trunk": peer.name}
        call = switch.begin(leg, partial(from_outside, switch, peer, dialled, line), **facts)
        if carrier is not None:
            carrier.take(leg, call)

    def _retry_after(self, refusal: Refused) -> list[tuple[str, str]]:
        if refusal.cause.status != 503:
            return []
        return [("Retry-After", str(self._switch.settings.limits.retry_after))]


def _caller(leg: Leg) -> dict[str, Any]:
    return {"caller": leg.party.number, "caller_name": leg.party.name}


def _shown(request: Request) -> Party:
    """Who a phone says it is."""
    try:
        shown = request.from_
        return Party(shown.sip_uri.user or ANONYMOUS.number, shown.display)
    except ParseError:
        return ANONYMOUS
