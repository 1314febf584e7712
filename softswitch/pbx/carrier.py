"""One trunk at work: the servers behind it, the channels in use, whether it can be seized.

State and arithmetic only.  How servers are asked for their health, and registered at, is
written in `pings` and `registering`.
"""

from __future__ import annotations

from dataclasses import replace

from config.media import MediaTable
from config.trunks import Trunk
from softswitch.calls.call import Call
from softswitch.calls.leg import Leg
from softswitch.calls.profile import Profile
from softswitch.pbx.peers import profile
from softswitch.sip.route import is_literal
from softswitch.sip.types import Target
from softswitch.sip.uri import SipUri


class Server:
    """One address where a trunk's calls may go."""

    __slots__ = ("alive", "target", "uri", "why")

    def __init__(self, uri: SipUri, target: Target) -> None:
        self.uri, self.target = uri, target
        self.alive = True
        """Believed until a ping or a call proves otherwise."""
        self.why = ""
        """Why it is not alive."""


class Carrier:
    """A trunk and what it carries."""

    def __init__(self, name: str, trunk: Trunk, media: MediaTable) -> None:
        self.name, self.trunk = name, trunk
        self.uris = [SipUri.parse(server) for server in (trunk.server, *trunk.backup)]
        self.servers = [Server(uri, target) for uri in self.uris if (target := literal(uri))]
        """In the order to try them; those with host names join once they are resolved."""
        self.inbound: set[Leg] = set()
        self.outbound: set[Leg] = set()
        self.reserved: set[Call] = set()
        """Calls that were promised a channel and have not taken it yet (P32)."""
        self.refusal: str | None = "registering" if trunk.register_ else None
        """Why the registrar does not have us; None where it does, or need not."""
        self.registered_until: float | None = None
        """Epoch seconds."""
        self.profile = _profile(trunk, media)

    @property
    def used(self) -> int:
        """Channels in use, both ways, those promised included."""
        return len(self.inbound) + len(self.outbound) + len(self.reserved)

    @property
    def alive(self) -> list[Server]:
        return [server for server in self.servers if server.alive]

    @property
    def state(self) -> str:
        """`up`, or why it is not, in words."""
        if not self.servers:
            return "its server's name cannot be resolved"
        if not self.alive:
            return self.servers[0].why or "down"
        return self.refusal or "up"

    @property
    def is_up(self) -> bool:
        return self.state == "up"

    @property
    def goes_out(self) -> bool:
        """Whether it may ever be seized for going out (P29)."""
        return self.trunk.direction != "in" and self.trunk.outbound_channels != 0

    def has_room(self, *, inbound: bool, call: Call | None = None) -> bool:
        """Whether one more call fits; a promise to `call` itself does not stand in its way."""
        trunk, promised = self.trunk, len(self.reserved - {call})
        used = len(self.inbound) + len(self.outbound) + promised
        if trunk.channels is not None and used >= trunk.channels:
            return False
        if inbound:
            limit, used = trunk.inbound_channels, len(self.inbound)
        else:
            limit, used = trunk.outbound_channels, len(self.outbound) + promised
        return limit is None or used < limit

    def take(self, leg: Leg, call: Call | None) -> None:
        """`leg` of `call` uses a channel until it is over."""
        if call is not None:
            self.reserved.discard(call)
        if not leg.ended:
            (self.inbound if leg.incoming else self.outbound).add(leg)

    def reserve(self, call: Call) -> None:
        """Keep a channel for `call` until it takes it or is over."""
        if call.task is not None:
            self.reserved.add(call)
            call.task.add_done_callback(lambda _: self.reserved.discard(call))

    def release(self, leg: Leg) -> bool:
        """Whether `leg` had a channel, which is free now."""
        had = leg in self.inbound or leg in self.outbound
        self.inbound.discard(leg)
        self.outbound.discard(leg)
        return had

    def found(self, resolved: list[tuple[SipUri, Target]]) -> None:
        """These are the servers now; what is known of one that stays is kept."""
        known = {server.target: server for server in self.servers}
        self.servers = [known.get(target) or Server(uri, target) for uri, target in resolved]

    def inherit(self, before: Carrier) -> None:
        """Go on with the calls of `before`, whose settings were replaced by ours."""
        self.inbound, self.outbound = before.inbound, before.outbound
        self.reserved = before.reserved

    @property
    def host(self) -> str:
        """Host in From and To."""
        return self.trunk.domain or self.uris[0].host


def literal(uri: SipUri) -> Target | None:
    """Where a URI with a numeric host leads; None for a host name."""
    host = uri.host.strip("[]")
    if not is_literal(host):
        return None
    return Target(uri.transport, host, uri.effective_port)


def _profile(trunk: Trunk, media: MediaTable) -> Profile:
    manner = profile(trunk.codecs, trunk.dtmf, trunk.srtp, media)
    statuses = {int(sent): meant for sent, meant in trunk.causes.items()}
    return replace(manner, trusted=trunk.trusted, statuses=statuses)
