"""What transactions are to those who begin or answer them (RFC 3261 §17, RFC 6026).

The machines themselves are in server.py and client.py; layer.py matches messages to
them.  All four know retransmission, absorption and time-outs, and refuse to know dialogs,
calls, sockets and clocks: octets are appended to `output`, instants are arguments, and
each machine is one alarm on the stack's heap.

Contract: `receive…`, `respond` and `ring` may be called in any state; what the state
does not allow has no effect.  A final response reaches a client's owner once, except
that every 2xx to an INVITE does, since forks and retransmissions are the owner's affair
(RFC 6026 §7.2).  A client that fails tells its owner once, with None.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from softswitch.sip.draft import Draft
from softswitch.sip.message import Request, Response
from softswitch.sip.timers import NEVER, Alarm
from softswitch.sip.types import Destination, Flow, Instant, Seconds, Target

if TYPE_CHECKING:
    from softswitch.sip.layer import Transactions

CHALLENGES = frozenset((401, 407))

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

    @property
    def has_answered(self) -> bool:
        """Whether any response was sent."""
        return self._wire is not None

    def respond(self, response: Response, now: Instant) -> None:
        """Send `response`; without effect once a final one was sent."""
        raise NotImplementedError

    def transport_failed(self, now: Instant) -> None:
        """The stream is gone: the answer goes to the port in sent-by (§18.2.2)."""
        if self.state is TRYING or self.state is PROCEEDING:
            port = self.request.via.sent_by[1]
            self._layer.leave(self)
            self.destination = Target(self.flow.transport, self.flow.remote[0], port)
            self._layer.enter(self)

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

    def _is_first_challenge(self, response: Response) -> bool:
        """Whether we ask a stranger for a password.  That is said once and forgotten, lest he
        have somebody flooded whom his Via names, or fill our memory (§26.3.2.4)."""
        fields = self.request.headers.fields
        return response.status in CHALLENGES and not (
            "Authorization" in fields or "Proxy-Authorization" in fields
        )

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
        self.state, self.owner = TERMINATED, None
        self._layer.heap.disarm(self)
        self._layer.servers.pop(self.key, None)
        if self.flow.transport != "udp":
            self._layer.leave(self)
        self._layer.forget_arrival(self)


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
        self._layer.leave(self)
        self.destination, self._fallback = self._fallback, None
        self._layer.enter(self)
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
        tell = self.on_response
        self.terminate()
        tell(None)

    def terminate(self) -> None:
        """Forget the transaction without a word to its owner, and the owner too."""
        self.state = TERMINATED
        self.on_response = _unheard
        self._layer.heap.disarm(self)
        self._layer.clients.pop(self.key, None)
        self._layer.leave(self)


def _unheard(response: Response | None) -> None:
    """Of a transaction that is over: it holds nobody alive."""
