"""All live transactions of a stack: which one a message or a failure belongs to.

RFC 3261 §17.1.3, §17.2.3, §18.4.  Every question is answered by an index, so that none
costs more on a busy switch than on an idle one.
"""

from __future__ import annotations

from collections.abc import Callable

from softswitch.sip.client import InviteClient, NonInviteClient
from softswitch.sip.draft import Draft
from softswitch.sip.headers import MAGIC_COOKIE
from softswitch.sip.message import Request, Response
from softswitch.sip.server import InviteServer, NonInviteServer
from softswitch.sip.timers import TimerHeap, Timers
from softswitch.sip.transaction import (
    PROCEEDING,
    TRYING,
    Arrival,
    ClientTransaction,
    Key,
    OnResponse,
    ServerTransaction,
    Transmit,
)
from softswitch.sip.types import Destination, Flow, Instant


def server_key(request: Request, method: str) -> Key:
    """What a request of `method` in this one's transaction is matched by (§17.2.3).

    CSeq is added to it: pyVoIP answers a challenge with a new INVITE on the old branch.

    Without the magic cookie, RFC 2543 rules: all that a retransmission, ACK or CANCEL
    has in common with the request.  The To tag is left out, since only ACK changes it.
    """
    via = request.via
    branch = via.params.get("branch", "")
    cseq = request.cseq.number
    if branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.host, via.port, cseq, method
    return request.uri, request.call_id, request.from_.tag, cseq, str(via), method


class Transactions:
    """All live transactions of a stack: finds the one that a message belongs to.

    `via(destination, branch)` writes our Via for a destination.  Requests to a `Target`
    by UDP that are longer than `udp_limit` octets try TCP first; a UDP *flow* is kept,
    since whoever opened it need not be reachable otherwise.
    """

    def __init__(
        self,
        timers: Timers,
        heap: TimerHeap,
        output: list[Transmit],
        via: Callable[[Destination, str], str],
        udp_limit: int,
    ) -> None:
        self.timers, self.heap, self.output = timers, heap, output
        self.via, self.udp_limit = via, udp_limit
        self.clients: dict[str, ClientTransaction] = {}
        self.servers: dict[Key, ServerTransaction] = {}
        self.arrivals: dict[Arrival, ServerTransaction] = {}
        self.waiting: dict[Destination, dict[ClientTransaction | ServerTransaction, None]] = {}
        """Who has to hear of it when nothing can be sent there any more: clients, and
        servers that answer over streams."""

    def send(
        self,
        draft: Draft,
        destination: Destination,
        branch: str,
        on_response: OnResponse,
        now: Instant,
    ) -> ClientTransaction:
        """Start a client transaction; `branch` is unique, or for CANCEL the INVITE's (§9.1)."""
        kind = InviteClient if draft.method == "INVITE" else NonInviteClient
        client = kind(self, draft, destination, branch, on_response)
        self.clients[client.key] = client
        client.start(now)
        self.enter(client)
        return client

    def find_client(self, response: Response) -> ClientTransaction | None:
        """By the branch, which is ours, and the method, which only CANCEL needs (§17.1.3)."""
        branch = response.via.params.get("branch", "")
        method = response.cseq.method
        client = self.clients.get(branch if method != "CANCEL" else f"CANCEL {branch}")
        return client if client is not None and client.draft.method == method else None

    def serve(
        self, key: Key, request: Request, flow: Flow, destination: Destination, now: Instant
    ) -> ServerTransaction:
        """Start a server transaction for a request that matches none."""
        if request.method == "INVITE":
            server: ServerTransaction = InviteServer(
                self, key, request, flow, destination, PROCEEDING
            )
        else:
            server = NonInviteServer(self, key, request, flow, destination, TRYING)
            self.heap.arm(server, now + self.timers.give_up)
        self.servers[key] = server
        if flow.transport != "udp":
            self.enter(server)
        return server

    def is_merged(self, server: ServerTransaction) -> bool:
        """Whether the request of `server` came by another way already (§8.2.2.2)."""
        request = server.request
        arrival = request.call_id, request.from_.tag, request.headers.fields["CSeq"][0]
        if self.arrivals.setdefault(arrival, server) is not server:
            return True
        server.arrival = arrival
        return False

    def forget_arrival(self, server: ServerTransaction) -> None:
        """The request may come again as a new one."""
        if server.arrival is not None:
            del self.arrivals[server.arrival]
            server.arrival = None

    def transport_failed(self, destination: Destination, now: Instant) -> None:
        """Nothing can be sent to `destination` any more.

        Requests fail, or take their other way; answers to a broken connection go where
        the request's sender listens (§18.2.2).
        """
        for waiting in list(self.waiting.get(destination, ())):
            waiting.transport_failed(now)

    def enter(self, waiting: ClientTransaction | ServerTransaction) -> None:
        """`waiting` is concerned by its destination from now on."""
        self.waiting.setdefault(waiting.destination, {})[waiting] = None

    def leave(self, waiting: ClientTransaction | ServerTransaction) -> None:
        """It is no longer, or its destination is about to change."""
        here = self.waiting.get(waiting.destination)
        if here is not None:
            here.pop(waiting, None)
            if not here:
                del self.waiting[waiting.destination]
