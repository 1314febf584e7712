"""The user agent: the sans-IO whole of the SIP stack, the door for calls and transport.

Knows which transaction, dialog or hook a message is for.  Refuses to know sockets,
users, passwords and features.

Contract: `receive`, `handle_timer` and `transport_failed` take `now`; the verbs of
sessions are called from outside at any time and ask the injected `clock`.  All append to
an output that the driver fetches by `drain`, after each call into the user agent.  No
message, hook or event handler makes a call raise: what goes wrong ends one call, is
counted, and is reported through `on_crash`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from softswitch.sip.callee import Callee
from softswitch.sip.caller import Caller
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import Draft, HeaderLines, lines
from softswitch.sip.events import Event
from softswitch.sip.exchange import Credentials
from softswitch.sip.inspection import Inspector
from softswitch.sip.layer import server_key
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.route import is_behind_nat
from softswitch.sip.server import InviteServer
from softswitch.sip.session import Session
from softswitch.sip.session_timer import is_too_small
from softswitch.sip.settings import UaSettings
from softswitch.sip.stack import Stack
from softswitch.sip.subscription import OnSubscribe, Subscription
from softswitch.sip.transaction import (
    ClientTransaction,
    OnResponse,
    ServerTransaction,
    Transmit,
)
from softswitch.sip.types import Destination, Flow, Instant, ParseError
from softswitch.sip.via import stamp

OnInvite: TypeAlias = Callable[[Callee], None]
OnRequest: TypeAlias = Callable[[ServerTransaction, Request], None]


class UserAgent(Stack):
    """All signalling of one switch.  The hooks are to be set at once.

    * `on_invite(session)`: a new call.  Set `session.on_event`, then answer it, now or
      later; unless it answers within the hook, the caller gets 100 afterwards.
    * `on_request(tx, request)`: any other request outside a dialog; owed one `respond`.
    * `on_crash(exception, session)`: a fault of ours; the call it hit is over.
    * `advertise(destination)`: the address of ours that whoever is there can reach.
    """

    def __init__(
        self,
        settings: UaSettings,
        rng: Random,
        clock: Callable[[], Instant] = time.monotonic,
    ) -> None:
        super().__init__(settings, rng, clock)
        self.on_invite: OnInvite = _decline
        self.on_request: OnRequest = self._decline_request
        self._inspector = Inspector(settings)

    # -- the driver's door -----------------------------------------------------------------

    def receive(self, message: Request | Response, flow: Flow, now: Instant) -> None:
        """Take in one message that was parsed and checked."""
        self.flow = flow
        try:
            if isinstance(message, Request):
                self._receive_request(message, flow, now)
            else:
                self._receive_response(message, now)
        except Exception as fault:  # the stack outlives any fault
            self.crashed(fault, None)

    def receive_faulty(self, fault: ParseError, flow: Flow) -> None:
        """Answer what could not be parsed, without keeping state, where one can."""
        self.counters["faulty"] += 1
        request = fault.request
        if request is None:
            return
        try:
            destination = stamp(request, flow, request.via, symmetric=self.settings.symmetric)
        except ParseError:
            return
        response = reply(request, fault.status, fault.reason, to_tag=self.new_tag())
        self.transmit(response.encode(), destination)

    def transport_failed(self, destination: Destination, now: Instant) -> None:
        """Nothing can be sent to `destination`; requests that wait for it fail with 503."""
        self.counters["transport_failures"] += 1
        try:
            self.transactions.transport_failed(destination, now)
        except Exception as fault:  # as in `receive`
            self.crashed(fault, None)

    def handle_timer(self, now: Instant) -> None:
        """Do whatever is due.  Calling early, late or twice is harmless."""
        while (alarm := self.heap.take_due(now)) is not None:
            try:
                alarm.ring(now)
            except Exception as fault:  # as in `receive`
                self.crashed(fault, None)

    def next_timeout(self) -> Instant | None:
        """When `handle_timer` next has work to do, or None."""
        return self.heap.next_timeout()

    def drain(self) -> list[Transmit]:
        """What is to be sent, in order; it is then the driver's."""
        output = self.output[:]
        self.output.clear()
        return output

    # -- the owner's door ------------------------------------------------------------------

    def invite(
        self,
        *,
        uri: str,
        target: Destination,
        from_: str,
        to: str,
        on_event: Callable[[Event], None],
        contact: str | None = None,
        routes: tuple[str, ...] = (),
        headers: HeaderLines = (),
        sdp: bytes | None = None,
        credentials: Credentials | None = None,
        max_forwards: int = 70,
    ) -> Caller:
        """Call `uri` by way of `target`.

        `from_` and `to` are header values without tag, `contact` a header value (ours for
        `target` if None), `routes` Route values.  Without `sdp` the peer makes the offer.
        """
        tag, call_id = self.new_tag(), self.new_call_id()
        local = f"{from_};tag={tag}"
        fixed = [("Max-Forwards", str(max_forwards)), *[("Route", route) for route in routes]]
        head = lines([*fixed, ("From", local), ("Call-ID", call_id)])
        draft = Draft("INVITE", uri, head, to, self.rng.randrange(1, 2**16), "", sdp or b"")
        session = Caller(
            self,
            draft,
            target,
            (local, tag),
            call_id,
            contact or self.contact(target),
            lines(headers),
            credentials,
            on_event,
        )
        self.sessions.add(session)
        session.start(self.clock())
        return session

    def request(
        self,
        request: Request,
        destination: Destination,
        on_response: OnResponse,
        credentials: Credentials | None = None,
    ) -> ClientTransaction:
        """Send a request outside any dialog (OPTIONS, REGISTER, MESSAGE, NOTIFY).

        From, To and what is particular to it must be set; From tag, Call-ID, CSeq,
        Max-Forwards are added where absent, Via always.  `on_response` gets the final
        response, or None where none came.
        """
        draft = Draft.of(request, self.new_tag(), self.new_call_id(), 1)
        return self.exchange(draft, destination, on_response, credentials)

    def respond(self, tx: ServerTransaction, response: Response) -> None:
        """Answer a request; without effect once a final response was sent."""
        if response.status in (401, 407):
            self.transactions.forget_arrival(
                tx
            )  # those who try again with the same CSeq are forgiven
        tx.respond(response, self.clock())

    def subscribed(
        self,
        tx: ServerTransaction,
        request: Request,
        on_request: OnSubscribe,
        headers: HeaderLines = (),
    ) -> Subscription:
        """Accept a SUBSCRIBE with 200 and make the dialog for its NOTIFYs (RFC 6665 §4.2)."""
        subscription = Subscription(self, tx, request, on_request)
        self.remember(subscription.dialog)
        subscription.accept(tx, request, headers)
        return subscription

    def find_session(self, call_id: str, to_tag: str, from_tag: str) -> Session | None:
        """The session that a Replaces header means: `to_tag` is our tag (RFC 3891 §3)."""
        dialog = self.dialogs.get((call_id, to_tag, from_tag))
        return None if dialog is None else _session(dialog)

    # -- requests --------------------------------------------------------------------------

    def _receive_request(self, request: Request, flow: Flow, now: Instant) -> None:
        method = request.method
        key = server_key(request, "INVITE" if method == "ACK" else method)
        server = self.transactions.servers.get(key)
        if method == "ACK":
            if not isinstance(server, InviteServer) or not server.receive_ack(now):
                self._receive_ack(request, now)
            return
        if server is not None:
            self.counters["retransmissions"] += 1
            server.repeat()
            return
        via = request.via
        destination = stamp(request, flow, via, symmetric=self.settings.symmetric)
        tx = self.transactions.serve(key, request, flow, destination, now)
        tx.behind_nat = is_behind_nat(via.host, flow)
        try:
            self._dispatch(tx, request, flow, now)
        except ParseError as fault:
            tx.respond(reply(request, fault.status, fault.reason), now)
        except Exception as fault:  # a hook failed: this request alone gets its 500
            tx.respond(reply(request, 500, to_tag=self.new_tag()), now)
            self.crashed(fault, None)

    def _dispatch(self, tx: ServerTransaction, request: Request, flow: Flow, now: Instant) -> None:
        if request.method == "CANCEL":
            self._receive_cancel(tx, request, now)
            return
        refusal = self._inspector.refusal(request)
        to_tag = request.to.params.get("tag")
        if refusal is not None:
            self._turn_down(tx, refusal, now)
        elif to_tag is not None and request.method != "REGISTER":
            self._receive_in_dialog(tx, request, to_tag, now)
        elif self.transactions.is_merged(tx):
            self._turn_down(tx, reply(request, 482), now)
        elif request.method == "INVITE":
            self._receive_invite(tx, request, flow, now)
        else:
            self.on_request(tx, request)

    def _receive_in_dialog(
        self, tx: ServerTransaction, request: Request, to_tag: str, now: Instant
    ) -> None:
        from_tag = request.from_.params.get("tag", "")
        dialog = self.dialogs.get((request.call_id, to_tag, from_tag))
        if dialog is None or (usage := dialog.usage) is None:
            self._turn_down(tx, reply(request, 481), now)
            return
        try:
            usage.receive(dialog, tx, request, now)
        except Exception as fault:
            tx.respond(reply(request, 500), now)
            self.crashed(fault, usage if isinstance(usage, Session) else None)

    def _receive_invite(
        self, tx: ServerTransaction, request: Request, flow: Flow, now: Instant
    ) -> None:
        if is_too_small(request, self.settings.min_se):
            least = str(int(self.settings.min_se))
            self._turn_down(tx, reply(request, 422, headers=[("Min-SE", least)]), now)
            return
        if self.settings.requires_reliable and not _has_100rel(request):
            self._turn_down(tx, reply(request, 421, headers=[("Require", "100rel")]), now)
            return
        tx.owner = session = Callee(self, tx, request, flow)
        self.sessions.add(session)
        self.remember(session.dialog)
        try:
            self.on_invite(session)
        except Exception as fault:  # a feature failed: its call alone is over
            self.crashed(fault, session)
        if not tx.has_answered:
            tx.respond(reply(request, 100), now)

    def _receive_cancel(self, tx: ServerTransaction, request: Request, now: Instant) -> None:
        """200 if the INVITE is known, else 481 (§9.2); to what is answered it does nothing."""
        invite = self.transactions.servers.get(server_key(request, "INVITE"))
        if invite is None:
            self._turn_down(tx, reply(request, 481), now)
            return
        owner = invite.owner
        tag = owner.local_tag if isinstance(owner, Session) else self.new_tag()
        tx.respond(reply(request, 200, to_tag=tag), now)
        if isinstance(owner, Session):
            owner.receive_cancel(invite, request, now)

    def _receive_ack(self, request: Request, now: Instant) -> None:
        to_tag = request.to.params.get("tag", "")
        from_tag = request.from_.params.get("tag", "")
        dialog = self.dialogs.get((request.call_id, to_tag, from_tag))
        session = _session(dialog) if dialog is not None else None
        if session is None:
            waiting = self._unacknowledged.get((request.call_id, from_tag, request.cseq.number))
            if waiting is None or len(waiting) != 1:
                self.counters["stray_acks"] += 1
                return
            session = waiting[0]  # pyVoIP makes a new To tag for each ACK
            self.counters["forgiven_ack_tags"] += 1
        try:
            session.receive_ack(request, now)
        except Exception as fault:
            self.crashed(fault, session)

    def _turn_down(self, tx: ServerTransaction, response: Response, now: Instant) -> None:
        """A refusal of the stack's own, with a To tag (§8.2.6.2)."""
        self.counters[f"refused_{response.status}"] += 1
        to = response.headers.fields["To"]
        if "tag" not in response.to.params:
            to[0] = f"{to[0]};tag={self.new_tag()}"
        tx.respond(response, now)

    # -- responses -------------------------------------------------------------------------

    def _receive_response(self, response: Response, now: Instant) -> None:
        client = self.transactions.find_client(response)
        if client is None:
            self.counters["stray_responses"] += 1
            return
        client.receive(response, now)

    def _decline_request(self, tx: ServerTransaction, request: Request) -> None:
        """Where no hook is set: nobody here takes such requests."""
        self._turn_down(tx, reply(request, 403), self.clock())


def _decline(session: Callee) -> None:
    """Where no hook is set: nobody here takes calls."""
    session.reject(480)


def _has_100rel(request: Request) -> bool:
    return "100rel" in request.supported or "100rel" in request.require


def _session(dialog: Dialog) -> Session | None:
    return dialog.usage if isinstance(dialog.usage, Session) else None
