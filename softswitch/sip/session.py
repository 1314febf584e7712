"""One INVITE usage: the signalling of one call leg, from INVITE to BYE.

`Session` is what both sides share once there is a dialog; caller.py and callee.py add
how it begins.  Knows dialogs, offers and answers as opaque octets, and when the RFCs
allow what.  Refuses to know SDP, media, features and sockets.

Contract: verbs may be called in any state and from within event handlers; what the state
does not allow has no effect (a call that ended while its owner was thinking).  Events
come one at a time through `on_event`, and exactly one of `Failed`, `Cancelled`, `Ended`
comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from softswitch.sip.acceptance import Acceptance
from softswitch.sip.bodies import SDP, sdp_of
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import HeaderLines, lines
from softswitch.sip.events import (
    Confirmed,
    EndCause,
    Ended,
    Event,
    RequestReceived,
)
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.reason import Reason
from softswitch.sip.renegotiation import Renegotiation
from softswitch.sip.session_timer import SessionTimer
from softswitch.sip.transaction import OnResponse, ServerTransaction
from softswitch.sip.types import Flow, Instant

if TYPE_CHECKING:
    from softswitch.sip.exchange import Credentials
    from softswitch.sip.stack import Stack


class SessionState(Enum):
    """Where a session stands; `ENDING` waits for the answer to our CANCEL or BYE."""

    CALLING = "calling"
    INCOMING = "incoming"
    EARLY = "early"
    ESTABLISHED = "established"
    ENDING = "ending"
    TERMINATED = "terminated"


EXPIRED = 'Reason: SIP;cause=408;text="Session timer expired"\r\n'
BODY_LINE = f"Content-Type: {SDP}\r\n"


class Session:
    """What both sides of a call share.  See `UserAgent.invite` and `UserAgent.on_invite`.

    `initiator` tells whether we sent the first INVITE and so own the Call-ID.
    `local_sdp` and `remote_sdp` are the last descriptions that went each way.
    `contact` is our address in this dialog, a Contact value.
    """

    __slots__ = (
        "_acceptance",
        "_hangup_extra",
        "_renegotiation",
        "_timer",
        "call_id",
        "contact",
        "credentials",
        "dialog",
        "flow",
        "initiator",
        "local_sdp",
        "local_tag",
        "on_event",
        "remote_party",
        "remote_sdp",
        "state",
        "tag",
        "ua",
    )

    call_id: str
    contact: str
    dialog: Dialog | None
    flow: Flow | None
    initiator: bool
    local_tag: str
    remote_party: NameAddr
    state: SessionState

    def __init__(self, ua: Stack, on_event: Callable[[Event], None]) -> None:
        self.ua, self.on_event = ua, on_event
        self.dialog = None
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = None
        self.credentials: Credentials | None = None
        self.tag: object = None
        # free for the session's owner
        self._acceptance: Acceptance | None = None
        self._hangup_extra: str | None = None
        self._timer: SessionTimer | None = None
        self._renegotiation = Renegotiation(self)

    # -- verbs ---------------------------------------------------------------------------

    def progress(
        self,
        status: int,
        sdp: bytes | None = None,
        reason: str | None = None,
        headers: HeaderLines = (),
    ) -> None:
        """See `Callee`; without effect on a call that goes out."""

    def accept(self, sdp: bytes | None = None, headers: HeaderLines = ()) -> None:
        """See `Callee`; without effect on a call that goes out."""

    def reject(self, status: int, reason: str | None = None, headers: HeaderLines = ()) -> None:
        """See `Callee`; without effect on a call that goes out."""

    def hangup(self, reason: Reason | None = None, headers: HeaderLines = ()) -> None:
        """End the session by whatever its state asks for: CANCEL, a refusal, or BYE.

        The last event comes when the peer has answered, or has not in 32 s.
        """
        if self.state is SessionState.TERMINATED or self._hangup_extra is not None:
            return
        reasons = [("Reason", str(reason))] if reason else []
        self._hangup_extra = lines([*reasons, *headers])
        if self.state is SessionState.ESTABLISHED:
            self._bye_when_allowed()
        else:
            self._abandon(reason)

    def offer(self, sdp: bytes) -> None:
        """Propose another session description: `OfferAnswered` or `OfferRefused` follows.

        By UPDATE before the call is answered, by re-INVITE after.  While another exchange
        is under way it waits; a later `offer` replaces one that waits.
        """
        if self._is_open():
            self._renegotiation.offer(sdp, self.ua.clock())

    def answer(self, sdp: bytes) -> None:
        """Accept the offer of `OfferReceived`, `Answered` or `Progress` that waits for us."""
        if self._is_open():
            self._renegotiation.answer(sdp, self.ua.clock())

    def refuse_offer(
        self, status: int = 488, reason: str | None = None, headers: HeaderLines = ()
    ) -> None:
        """Refuse the offer of `OfferReceived`; the session goes on as it was."""
        self._renegotiation.refuse(status, reason, headers, self.ua.clock())

    def send(
        self,
        method: str,
        headers: HeaderLines = (),
        body: bytes = b"",
        content_type: str | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        """Send INFO, REFER, NOTIFY or MESSAGE inside the dialog.

        `on_response` gets the final response, or None where none came.
        """
        if self.dialog is None or not self._is_open() or self.state is SessionState.INCOMING:
            return
        typed = [*headers, ("Content-Type", content_type)] if content_type else headers
        extra = f"Contact: {self.contact}\r\n{self.ua.session_lines}{lines(typed)}"
        self._exchange(self.dialog, method, extra, body, on_response or _ignore)

    # -- what the user agent calls ---------------------------------------------------------

    def receive(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """A request inside `dialog`, one of ours (RFC 3261 §12.2.2)."""
        number = request.cseq.number
        if number < dialog.remote_number:
            tx.respond(reply(request, 500, "CSeq out of order"), now)
            return
        dialog.remote_number = number
        if self.state is SessionState.TERMINATED:
            tx.respond(reply(request, 481), now)
        elif request.method == "BYE":
            self._receive_bye(dialog, tx, request, now)
        elif request.method in ("INVITE", "UPDATE"):
            self._renegotiation.receive(dialog, tx, request, now)
        elif request.method == "PRACK":
            self._receive_prack(tx, request, now)
        elif request.method == "OPTIONS":
            tx.respond(reply(request, 200, headers=self.ua.capabilities), now)
        else:
            self._receive_other(tx, request)

    def receive_ack(self, request: Request, now: Instant) -> None:
        """The ACK for a 2xx of ours; repeated ones have no effect."""
        acceptance = self._acceptance
        if acceptance is None or acceptance.number != request.cseq.number:
            return
        self.stop_acceptance()
        sdp = sdp_of(request) if acceptance.awaits_answer else None
        if sdp is not None:
            self.remote_sdp = sdp
        self._acknowledged(sdp)
        self._renegotiation.proceed(now)

    def receive_cancel(self, tx: ServerTransaction, request: Request, now: Instant) -> None:
        """A CANCEL for the INVITE of `tx`; the CANCEL itself is answered already."""
        self._renegotiation.cancelled(tx, now)

    def abort(self) -> None:
        """A fault of ours: end this call, tell the peer, tell nobody else."""
        if self.state is SessionState.ESTABLISHED and self.dialog is not None:
            self._exchange(self.dialog, "BYE", "", b"", _ignore)
        self._finish(None)

    # -- what the parts of a session call --------------------------------------------------

    def emit(self, event: Event) -> None:
        """Tell the owner; what goes wrong there ends this call and no other."""
        try:
            self.on_event(event)
        except Exception as fault:  # the boundary between the stack and foreign code
            self.ua.crashed(fault, self)

    def accept_invite(
        self, tx: ServerTransaction, response: Response, number: int, *, awaits_answer: bool
    ) -> None:
        """Send a 2xx to an INVITE and repeat it until the ACK."""
        now = self.ua.clock()
        self.stop_acceptance()
        tx.respond(response, now)
        self._acceptance = Acceptance(
            tx,
            number,
            self.ua.timers,
            self.ua.heap,
            self._unacknowledged,
            now,
            awaits_answer=awaits_answer,
        )
        self.ua.expect_ack(self, number)

    @property
    def awaits_ack(self) -> bool:
        """Whether a 2xx of ours is not acknowledged yet."""
        return self._acceptance is not None

    @property
    def awaits_answer(self) -> bool:
        """Whether an offer of ours outside `Renegotiation` has no answer yet."""
        return self._acceptance is not None and self._acceptance.awaits_answer

    def owes_answer(self) -> bool:
        """Whether the peer's first offer waits for our answer."""
        return False

    def may_offer(self) -> bool:
        """Whether nothing about the first INVITE forbids an offer of ours."""
        return self.state is SessionState.ESTABLISHED and self._hangup_extra is None

    def may_receive(self, method: str) -> bool:
        """Whether no offer of ours outside `Renegotiation` forbids one of the peer's."""
        return True

    @property
    def is_established(self) -> bool:
        return self.state is SessionState.ESTABLISHED

    def offer_lines(self, sdp: bytes | None) -> str:
        """What goes with an INVITE or UPDATE of ours inside the dialog."""
        body_line = BODY_LINE if sdp else ""
        asked = self.timer().request_lines()
        return f"Contact: {self.contact}\r\n{self.ua.session_lines}{asked}{body_line}"

    def success_headers(self) -> list[tuple[str, str]]:
        """What goes with a 2xx of ours inside the dialog."""
        return [("Contact", self.contact), *self.ua.capabilities]

    def timer_headers(self, request: Request) -> list[tuple[str, str]]:
        """What the 2xx to `request` says about the session timer, which starts."""
        wanted = self._timer is not None or self.ua.settings.session_expires
        if not wanted and "Session-Expires" not in request.headers.fields:
            return []
        return self.timer().answer_lines(request, self.ua.clock())

    def timer(self) -> SessionTimer:
        """The session timer, made when first asked for."""
        if self._timer is None:
            wanted = self.ua.settings.session_expires
            self._timer = SessionTimer(wanted, self.ua.heap, self._refresh, self._expired)
        return self._timer

    def gone(self, response: Response | None) -> None:
        """A request inside the dialog got 408, 481 or nothing: the session is over (§12.2.1.2).

        Who did not answer may yet be there and is told by BYE; who said 481 is not.
        """
        if self.state is not SessionState.ESTABLISHED:
            return
        if self.dialog is not None and (response is None or response.status == 408):
            self._exchange(self.dialog, "BYE", "", b"", _ignore)
        self._finish(Ended(by_peer=True, cause=EndCause.GONE))

    def stop_acceptance(self) -> None:
        if self._acceptance is not None:
            self._acceptance.stop()
            self.ua.forget_ack(self, self._acceptance.number)
            self._acceptance = None

    # -- how a session ends ----------------------------------------------------------------

    def _abandon(self, reason: Reason | None) -> None:
        """Hang up before the session is established."""
        raise NotImplementedError

    def _bye_when_allowed(self) -> None:
        """Not before our 2xx is acknowledged (§15)."""
        if self._acceptance is None:
            self._bye(EndCause.BYE)

    def _bye(self, cause: EndCause) -> None:
        self._bye_then(Ended(by_peer=False, cause=cause))

    def _bye_then(self, event: Event) -> None:
        """Send BYE; `event` is the last one, when it is answered."""
        assert self.dialog is not None
        self.state = SessionState.ENDING
        self._renegotiation.close(self.ua.clock())
        extra = self._hangup_extra or ""
        self._exchange(self.dialog, "BYE", extra, b"", lambda _: self._finish(event))

    def _receive_bye(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        tx.respond(reply(request, 200), now)
        self._finish(Ended(by_peer=True, cause=EndCause.BYE, request=request))

    def _finish(self, event: Event | None) -> None:
        """Forget everything; `event` is the last one."""
        if self.state is SessionState.TERMINATED:
            return
        self.state = SessionState.TERMINATED
        self.stop_acceptance()
        if self._timer is not None:
            self._timer.close()
        self._renegotiation.close(self.ua.clock())
        self.ua.forget(self)
        if event is not None:
            self.emit(event)
        self._release()

    def _release(self) -> None:
        """Cut every circle that leads back to us: an ended session needs no collector."""
        self.on_event = _unheard
        self._renegotiation.release()

    def _unacknowledged(self) -> None:
        """64*T1 without an ACK: "the dialog is confirmed, but the session SHOULD be
        terminated" (§13.3.1.4)."""
        self.stop_acceptance()
        if self._hangup_extra is None:
            self._hangup_extra = ""
        self._bye_into_the_void(self._hangup_extra, EndCause.NO_ACK)

    def _expired(self) -> None:
        self._hangup_extra = EXPIRED
        if self.state is SessionState.ESTABLISHED:
            self._bye_into_the_void(EXPIRED, EndCause.EXPIRED)

    def _bye_into_the_void(self, extra: str, cause: EndCause) -> None:
        """Send BYE to one who may be gone: nobody waits for his answer to it."""
        if self.dialog is not None:
            self._exchange(self.dialog, "BYE", extra, b"", _ignore)
        self._finish(Ended(by_peer=False, cause=cause))

    # -- the rest --------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._renegotiation.refresh(self.ua.clock())

    def _is_open(self) -> bool:
        return self._hangup_extra is None and self.state is not SessionState.TERMINATED

    def _acknowledged(self, sdp: bytes | None) -> None:
        """The ACK came that `Acceptance` waited for."""
        if self._hangup_extra is not None:
            self._bye(EndCause.BYE)
        else:
            self.emit(Confirmed(sdp))

    def _receive_prack(self, tx: ServerTransaction, request: Request, now: Instant) -> None:
        tx.respond(reply(request, 481), now)

    def _receive_other(self, tx: ServerTransaction, request: Request) -> None:
        def respond(
            status: int,
            reason: str | None = None,
            headers: HeaderLines = (),
            body: bytes = b"",
            content_type: str | None = None,
        ) -> None:
            response = reply(
                request, status, reason, headers=headers, body=body, content_type=content_type
            )
            tx.respond(response, self.ua.clock())

        self.emit(RequestReceived(request, respond))

    def _exchange(
        self, dialog: Dialog, method: str, extra: str, body: bytes, on_response: OnResponse
    ) -> None:
        """A non-INVITE request inside `dialog`; 408 and 481 end the session, except that a
        NOTIFY speaks for its subscription only (RFC 5057 §5.1)."""

        def receive(response: Response | None) -> None:
            lost = response is None or response.status in (408, 481)
            if lost and method not in ("BYE", "NOTIFY"):
                self.gone(response)
            on_response(response)

        self.ua.exchange(
            dialog.draft(method, extra, body),
            dialog.destination,
            receive,
            self.credentials,
            dialog.next_number,
        )


def _ignore(response: Response | None) -> None:
    """Nobody waits for this answer."""


def _unheard(event: Event) -> None:
    """Nothing follows the last event."""
