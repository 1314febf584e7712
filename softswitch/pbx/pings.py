"""Is a trunk's server there?  OPTIONS at intervals, sooner while it is in doubt (P38)."""

from __future__ import annotations

import structlog

from softswitch.pbx.asking import ask
from softswitch.pbx.carrier import Carrier, Server
from softswitch.sip.message import Headers, Request
from softswitch.sip.types import Seconds
from softswitch.sip.ua import UserAgent

log = structlog.get_logger("trunks")

PATIENCE: Seconds = 4.0
"""A server that takes longer to answer does not serve."""
CHANCES = 2
"""Pings in a row that must fail before a server counts as dead: one may be lost."""
WHILE_DEAD: Seconds = 10.0
"""Longest interval at which a dead server is asked again."""
OVERLOADED = (408, 503)


async def ping(ua: UserAgent, carrier: Carrier, server: Server) -> None:
    """Find out whether `server` is alive."""
    why = ""
    for _ in range(CHANCES):
        response = await ask(ua, _options(carrier, server), server.target, PATIENCE)
        if response is None:
            why = f"{server.uri.host} does not answer"
        elif response.status in OVERLOADED:
            why = f"{server.uri.host} answers {response.status} {response.reason}"
        else:
            why = ""
            break
    if why and server.alive:
        log.warning("server down", trunk=carrier.name, why=why)
    elif not why and not server.alive:
        log.info("server up again", trunk=carrier.name, server=server.uri.host)
    server.alive, server.why = not why, why


def interval(carrier: Carrier) -> Seconds:
    """How long to wait before the next round of pings."""
    usual = carrier.trunk.ping
    return min(usual, WHILE_DEAD) if len(carrier.alive) < len(carrier.servers) else usual


def _options(carrier: Carrier, server: Server) -> Request:
    ours = f"<sip:{carrier.trunk.username or 'ping'}@{carrier.host}>"
    to = f"<{server.uri}>"
    headers = Headers([("From", ours), ("To", to), ("Accept", "application/sdp")])
    return Request("OPTIONS", str(server.uri), headers)
