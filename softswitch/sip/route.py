"""Where a request inside a dialog goes, without asking DNS.

A dialog begins over a flow that works; what later routes and targets say is weighed
against it.  Knows URIs and flows; names are resolved before a dialog begins, not here.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from softswitch.sip.types import Destination, Flow, ParseError, Target
from softswitch.sip.uri import SipUri


def next_hop(uri: str, flow: Flow, *, behind_nat: bool) -> Destination:
    """Where a request to `uri`, the first route or the remote target, is sent.

    `flow` is how the peer's last target refresh came.  A stream is always used again: a
    phone can seldom be called back (RFC 5626).  By UDP the URI decides where its host is
    an address, unless the peer sits behind NAT, where only the flow reaches it.
    """
    if flow.transport != "udp" or behind_nat:
        return flow
    try:
        parsed = SipUri.parse(uri)
    except ParseError:
        return flow
    host = parsed.host.strip("[]")
    target = Target(parsed.transport, host, parsed.effective_port)
    if target == ("udp", *flow.remote) or not is_literal(host):
        return flow
    return flow if _is_private(host) and not _is_private(flow.remote[0]) else target


def is_behind_nat(sent_by_host: str, flow: Flow) -> bool:
    """Whether the host that a Via names is another address than the one that sent it."""
    host = sent_by_host.strip("[]")
    return host != flow.remote[0] and is_literal(host)


@lru_cache(maxsize=4096)
def is_literal(host: str) -> bool:
    """Whether `host`, without brackets, is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone means nothing to anybody but the sender


@lru_cache(maxsize=4096)
def _is_private(host: str) -> bool:
    return ip_address(host).is_private
