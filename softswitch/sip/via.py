"""Where an answer goes: marks the top Via of a request with where it really came from.

RFC 3261 §18.2.1 and §18.2.2, RFC 3581.  Knows one request and the flow it came by.
"""

from __future__ import annotations

import re

from softswitch.sip.headers import Via, split_commas
from softswitch.sip.message import Request
from softswitch.sip.types import Destination, Flow

_EMPTY_RPORT = re.compile(r";[ \t]*rport[ \t]*(?=[;,]|$)", re.IGNORECASE)


def stamp(request: Request, flow: Flow, via: Via, *, symmetric: bool = False) -> Destination:
    """Write `received` and `rport` into `via`, the request's topmost; the answers' way.

    Over a stream that is the flow itself.  By UDP it is the source address, and the
    source port where the sender asked for it by `rport` or is taken to be behind NAT
    (`symmetric`), else the port in sent-by.
    `maddr` is not obeyed: nobody directs our packets at a third party.
    """
    host, port = flow.remote
    params = via.params
    if params.get("rport") == "" and "received" not in params:
        lines = request.headers.fields["Via"]
        lines[0] = _EMPTY_RPORT.sub(f";received={host};rport={port}", lines[0], count=1)
    elif "received" in params or "rport" in params or via.host.strip("[]") != host:
        _rewrite(request, via, host, port)
    if symmetric or flow.transport != "udp" or "rport" in params or via.sent_by[1] == port:
        return flow
    return flow._replace(remote=(host, via.sent_by[1]))


def _rewrite(request: Request, via: Via, host: str, port: int) -> None:
    """What the sender itself claims in `received` and `rport` is replaced."""
    marked = via.with_params(received=host)
    if "rport" in via.params:
        marked = marked.with_params(rport=str(port))
    lines = request.headers.fields["Via"]
    lines[:1] = [str(marked), *split_commas(lines[0])[1:]]
