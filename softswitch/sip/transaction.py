"""The four transactions (RFC 3261 §17, RFC 6026) and the layer that matches messages to them.

Knows retransmission, absorption and time-outs.  Refuses to know dialogs, calls, sockets
and clocks: octets are appended to `output`, instants are arguments, and each machine is
one alarm on the stack's heap.

Contract: `receive…`, `respond` and `ring` may be called in any state; what the state
does not allow has no effect.  A final response reaches a client's owner once, except
that every 2xx to an INVITE does, since forks and retransmissions are the owner's affair
(RFC 6026 §7.2).  A client that fails tells its owner once, with None.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeAlias

from softswitch.sip.draft import Draft
from softswitch.sip.message import Request, Response
from softswitch.sip.timers import NEVER, Alarm, TimerHeap, Timers
from softswitch.sip.types import Destination, Flow, Instant, Seconds, Target

MAGIC_COOKIE = "z9hG4bK"

Key: TypeAlias = tuple[str | int | None, ...]

Arrival: TypeAlias = tuple[str, str | None, str]
"""Call-ID, From tag and CSeq: the same in all copies of a request that a fork made."""

OnResponse: TypeAlias = Callable[[Response | None], None]
"""Takes a response, or None when there will be none (see `ClientTransaction.failure`)."""


class Transmit(NamedTuple):
    """Hand `data`, one message, to the transport."""

    data: bytes
    destination: Destination


class State(Enum):
    """RFC 3261 figures 5 to 8, RFC 6026 figures 5 and 6."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


CALLING, TRYING, PROCEEDING = State.CALLING, State.TRYING, State.PROCEEDING
ACCEPTED, COMPLETED = State.ACCEPTED, State.COMPLETED
CONFIRMED, TERMINATED = State.CONFIRMED, State.TERMINATED


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


class ServerTransaction(Alarm):
    """One request that we owe an answer, and the answer for those who ask again.

    `request` is deleted with the final response: of what was answered only the octets
    are kept.  `flow` is where the request came from, `destination` where answers go,
    `owner` the session that a CANCEL is for; `behind_nat` tells that the sender's own idea
    of its address is wrong.
    """

    __slots__ = (
        "_layer",
        "_wire",
        "arrival",
        "behind_nat",
        "destination",
        "flow",
        "key",
        "owner",
        "request",
        "state",
    )

    def __init__(
        self,
        layer: Transactions,
        key: Key,
        request: Request,
        flow: Flow,
        destination: Destination,
        state: State,
    ) -> None:
        self.due = self.queued = NEVER
        self._layer, self.key, self.request, self.flow = layer, key, request, flow
        self.destination, self.state = destination, state
        self._wire: bytes | None = None
        self.owner: object = None
        self.behind_nat = False
        self.arrival: Arrival | None = None

    def respond(self, response: Response, now: Instant) -> None:
        """Send `response`; without effect once a final one was sent."""
        raise NotImplementedError

    def repeat(self) -> None:
        """The request came again: the same answer, octet for octet."""
        if self._wire is not None and self.state in (PROCEEDING, COMPLETED):
            self._layer.output.append(Transmit(self._wire, self.destination))

    def resend(self) -> None:
        """Send the last response again unasked; for the 2xx to an INVITE (§13.3.1.4)."""
        if self._wire is not None:
            self._layer.output.append(Transmit(self._wire, self.destination))

    def ring(self, now: Instant) -> None:
        """Timer J, I or L, or nobody ever answered: forget."""
        self._terminate()

    def _send(self, response: Response) -> None:
        self._wire = wire = response.encode()
        self._layer.output.append(Transmit(wire, self.destination))

    def _complete(self, state: State, lasts: Seconds, now: Instant) -> None:
        self.state, self.owner = state, None
        del self.request
        if lasts:
            self._layer.heap.arm(self, now + lasts)
        else:
            self._terminate()

    def _terminate(self) -> None:
        self.state = TERMINATED
        self._layer.heap.disarm(self)
        self._layer.servers.pop(self.key, None)
        self._layer.forget_arrival(self)


class NonInviteServer(ServerTransaction):
    """RFC 3261 §17.2.2.  Unanswered after 64*T1 it is forgotten: so has the client by then."""

    __slots__ = ()

    def respond(self, response: Response, now: Instant) -> None:
        if self.state is not TRYING and self.state is not PROCEEDING:
            return
        self._send(response)
        if response.status < 200:
            self.state = PROCEEDING
        else:  # timer J: 64*T1 for unreliable transports, zero for reliable ones
            lasts = 0.0 if self.destination.reliable else self._layer.timers.give_up
            self._complete(COMPLETED, lasts, now)


class InviteServer(ServerTransaction):
    """RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §8.5."""

    __slots__ = ("_give_up", "_interval")

    def respond(self, response: Response, now: Instant) -> None:
        if self.state is not PROCEEDING:
            return
        self._send(response)
        if response.status < 200:
            return
        timers = self._layer.timers
        self._give_up = now + timers.give_up
        if response.status < 300:  # timer L; repeating the 2xx is the owner's affair
            self._complete(ACCEPTED, timers.give_up, now)
        else:
            self._interval = timers.t1
            lasts = timers.give_up if self.destination.reliable else timers.t1
            self._complete(COMPLETED, lasts, now)

    def receive_ack(self, now: Instant) -> bool:
        """Whether the ACK is the transaction's own; one for a 2xx is not."""
        if self.state is COMPLETED:
            self.state = CONFIRMED
            if self.destination.reliable:
                self._terminate()
            else:  # timer I absorbs ACKs that come again
                self._layer.heap.arm(self, now + self._layer.timers.t4)
        return self.state is not ACCEPTED

    def ring(self, now: Instant) -> None:
        """Timer G repeats the refusal until timer H gives up; L and I just end."""
        if self.state is not COMPLETED or now >= self._give_up:
            self._terminate()
            return
        self.resend()
        self._interval = min(2 * self._interval, self._layer.timers.t2)
        self._layer.heap.arm(self, min(now + self._interval, self._give_up))


class ClientTransaction(Alarm):
    """One request of ours and whoever waits for the answer.

    `failure` is the status that stands for no answer: 408 (nobody answered in time) or
    503 (the transport failed), RFC 3261 §8.1.3.1; 0 until then.
    """

    __slots__ = (
        "_fallback",
        "_give_up",
        "_interval",
        "_layer",
        "_wire",
        "branch",
        "destination",
        "draft",
        "failure",
        "key",
        "on_response",
        "state",
    )

    first_state = TRYING

    def __init__(
        self,
        layer: Transactions,
        draft: Draft,
        destination: Destination,
        branch: str,
        on_response: OnResponse,
    ) -> None:
        self.due = self.queued = NEVER
        self._layer, self.draft, self.destination = layer, draft, destination
        self.branch, self.on_response, self.failure = branch, on_response, 0
        self.key = branch if draft.method != "CANCEL" else f"CANCEL {branch}"
        self._fallback: Destination | None = None

    def start(self, now: Instant) -> None:
        """Send for the first time; a request too large for UDP goes by TCP (§18.1.1)."""
        wire = self.draft.wire(self._layer.via(self.destination, self.branch))
        if len(wire) > self._layer.udp_limit and type(self.destination) is Target:
            wire = self._prefer_stream(self.destination, wire)
        self._begin(wire, now)

    def _prefer_stream(self, target: Target, wire: bytes) -> bytes:
        if target.transport != "udp":
            return wire
        self._fallback = target
        self.destination = target._replace(transport="tcp")
        return self.draft.wire(self._layer.via(self.destination, self.branch))

    def _begin(self, wire: bytes, now: Instant) -> None:
        timers = self._layer.timers
        self.state = self.first_state
        self._wire = wire
        self._interval = timers.t1
        self._give_up = now + timers.give_up
        self._layer.output.append(Transmit(wire, self.destination))
        first = self._give_up if self.destination.reliable else now + timers.t1
        self._layer.heap.arm(self, first)

    def transport_failed(self, now: Instant) -> None:
        """The request could not be sent: by UDP then, if only its size spoke against it."""
        if self.state is not self.first_state:
            return
        if self._fallback is None:
            self._fail(503)
            return
        self.destination, self._fallback = self._fallback, None
        self._begin(self.draft.wire(self._layer.via(self.destination, self.branch)), now)

    def receive(self, response: Response, now: Instant) -> None:
        raise NotImplementedError

    def _resend(self) -> None:
        self._layer.output.append(Transmit(self._wire, self.destination))

    def _linger(self, state: State, lasts: Seconds, now: Instant) -> None:
        self.state = state
        if lasts:
            self._layer.heap.arm(self, now + lasts)
        else:
            self.terminate()

    def _fail(self, status: int) -> None:
        self.failure = status
        self.terminate()
        self.on_response(None)

    def terminate(self) -> None:
        """Forget the transaction without a word to its owner."""
        self.state = TERMINATED
        self._layer.heap.disarm(self)
        self._layer.clients.pop(self.key, None)


class NonInviteClient(ClientTransaction):
    """RFC 3261 §17.1.2.  Its owner hears provisional responses too."""

    __slots__ = ()

    def receive(self, response: Response, now: Instant) -> None:
        if self.state is not TRYING and self.state is not PROCEEDING:
            return
        if response.status < 200:
            self.state = PROCEEDING
        else:  # timer K: T4 for unreliable transports, zero for reliable ones
            lasts = 0.0 if self.destination.reliable else self._layer.timers.t4
            self._linger(COMPLETED, lasts, now)
        self.on_response(response)

    def ring(self, now: Instant) -> None:
        """Timer E repeats until timer F gives up; K just ends."""
        if self.state is COMPLETED:
            self.terminate()
        elif now >= self._give_up:
            self._fail(408)
        else:
            self._resend()
            t2 = self._layer.timers.t2  # once Proceeding, E is T2 from the start
            self._interval = t2 if self.state is PROCEEDING else min(2 * self._interval, t2)
            self._layer.heap.arm(self, min(now + self._interval, self._give_up))


class InviteClient(ClientTransaction):
    """RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §8.4; ACKs refusals itself."""

    __slots__ = ("_ack",)

    first_state = CALLING
    _ack: bytes

    def receive(self, response: Response, now: Instant) -> None:
        status, state = response.status, self.state
        if status >= 300:
            self._receive_refusal(response, now)
        elif status >= 200:
            self._receive_success(response, now)
        elif state is CALLING or state is PROCEEDING:
            self.state = PROCEEDING
            self._layer.heap.disarm(self)
            self.on_response(response)

    def _receive_success(self, response: Response, now: Instant) -> None:
        if self.state is CALLING or self.state is PROCEEDING:
            self._linger(ACCEPTED, self._layer.timers.give_up, now)  # timer M
        if self.state is ACCEPTED:
            self.on_response(response)

    def _receive_refusal(self, response: Response, now: Instant) -> None:
        if self.state is COMPLETED:
            self._layer.output.append(Transmit(self._ack, self.destination))
        elif self.state is CALLING or self.state is PROCEEDING:
            # "The ACK MUST be sent to the same address, port, and transport" (§17.1.1.2)
            to = response.headers.get("To") or self.draft.to
            via = self._layer.via(self.destination, self.branch)
            self._ack = self.draft.ack(to).wire(via)
            self._layer.output.append(Transmit(self._ack, self.destination))
            # timer D: at least 32 s for unreliable transports, zero for reliable ones
            lasts = 0.0 if self.destination.reliable else self._layer.timers.give_up
            self._linger(COMPLETED, lasts, now)
            self.on_response(response)

    def ring(self, now: Instant) -> None:
        """Timer A repeats, doubling without limit, until timer B gives up; D and M just end."""
        if self.state is not CALLING:
            self.terminate()
        elif now >= self._give_up:
            self._fail(408)
        else:
            self._resend()
            self._interval *= 2
            self._layer.heap.arm(self, min(now + self._interval, self._give_up))


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
        for client in [c for c in self.clients.values() if c.destination == destination]:
            client.transport_failed(now)
        for server in [s for s in self.servers.values() if s.destination == destination]:
            if server.state is PROCEEDING and isinstance(destination, Flow):
                server.destination = sent_by_target(server)


def sent_by_target(server: ServerTransaction) -> Target:
    """Where answers go once the request's own connection is gone: the port in sent-by."""
    via = server.request.via
    return Target(server.flow.transport, server.flow.remote[0], via.sent_by[1])
