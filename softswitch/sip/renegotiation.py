"""Changing a session that exists: re-INVITE and UPDATE, ours and the peer's.

RFC 3261 §14, RFC 3311, RFC 3264 §4, RFC 6337.  Knows whose turn it is and how a glare is
settled.  Refuses to know what an offer says; one `Renegotiation` belongs to one session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from softswitch.sip.bodies import SDP, sdp_of
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import Draft, HeaderLines
from softswitch.sip.events import OfferAnswered, OfferReceived, OfferRefused
from softswitch.sip.exchange import Challenges
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.session_timer import is_too_small
from softswitch.sip.timers import NEVER, Alarm
from softswitch.sip.transaction import ServerTransaction, State
from softswitch.sip.types import Instant

if TYPE_CHECKING:
    from softswitch.sip.session import Session

MAX_ATTEMPTS = 8
"""How often one offer is sent before a peer that answers 491, 422 or 401 has refused it."""


class Owed(NamedTuple):
    """An offer of the peer's that the session's owner thinks about."""

    dialog: Dialog
    tx: ServerTransaction
    request: Request
    sdp: bytes | None


class Renegotiation(Alarm):
    """At most one exchange at a time in either direction; as an alarm it is the back-off."""

    __slots__ = (
        "_attempts",
        "_challenges",
        "_current",
        "_is_refresh",
        "_owed",
        "_ua",
        "_waiting",
        "session",
    )

    def __init__(self, session: Session) -> None:
        self.due = self.queued = NEVER
        self.session, self._ua = session, session.ua
        self._waiting: bytes | None = None
        self._is_refresh = False  # whether a refresh without changes waits
        self._current: Draft | None = None
        self._owed: Owed | None = None
        self._attempts = 0
        self._challenges: Challenges | None = None

    # -- ours ------------------------------------------------------------------------------

    def offer(self, sdp: bytes, now: Instant) -> None:
        self._waiting = sdp
        self._attempts = 0
        self.proceed(now)

    def refresh(self, now: Instant) -> None:
        """Show that we live, changing nothing (RFC 4028 §7.4)."""
        self._is_refresh = True
        self.proceed(now)

    def proceed(self, now: Instant) -> None:
        """Start what waits, if nothing is in its way any more."""
        if self._waiting is None and not self._is_refresh:
            return
        if self._current is not None or self._owing() or self.due != NEVER:
            return
        session = self.session
        if session.dialog is None or session.awaits_ack or not session.may_offer():
            return
        if self._waiting is None:
            self._send_refresh(session.dialog, now)
        else:
            self._send("INVITE" if session.is_established else "UPDATE", self._waiting, now)

    def _send_refresh(self, dialog: Dialog, now: Instant) -> None:
        if dialog.allows("UPDATE"):
            self._send("UPDATE", None, now)
        else:
            self._send("INVITE", self.session.local_sdp, now)

    def _send(self, method: Literal["INVITE", "UPDATE"], sdp: bytes | None, now: Instant) -> None:
        dialog = self.session.dialog
        assert dialog is not None
        draft = dialog.draft(method, self.session.offer_lines(sdp), sdp or b"")
        self._transmit(dialog, draft, now)

    def _transmit(self, dialog: Dialog, draft: Draft, now: Instant) -> None:
        self._current = draft
        ack: list[bytes] = []

        def receive(response: Response | None) -> None:
            self._receive_response(dialog, draft, response, ack)

        self.session.ua.start(draft, dialog.destination, receive, now)

    def _receive_response(
        self, dialog: Dialog, draft: Draft, response: Response | None, ack: list[bytes]
    ) -> None:
        if response is not None and response.status < 200:
            return
        ua = self._ua
        if response is not None and response.status < 300 and draft.method == "INVITE":
            if ack:  # "the ACK MUST be passed to the client transport every time" (§13.2.2.4)
                ua.transmit(ack[0], dialog.destination)
                return
            dialog.refresh_target(response, ua.flow)
            ack.append(ua.send_ack(dialog.ack(draft.number), dialog.destination))
        if self._current is not draft:
            return  # hung up meanwhile
        self._current = None
        session, now = self.session, ua.clock()
        if response is None or response.status in (408, 481):
            session.gone(response)
        elif response.status < 300:
            self._succeeded(dialog, draft, response, now)
        else:
            self._refused(dialog, draft, response, now)

    def _succeeded(self, dialog: Dialog, draft: Draft, response: Response, now: Instant) -> None:
        session = self.session
        if draft.method == "UPDATE":
            dialog.refresh_target(response, session.ua.flow)
        session.timer().learn(response, now)
        was_offer = self._settle(draft)
        sdp = sdp_of(response)
        if sdp is not None and draft.body:
            changed = sdp != session.remote_sdp
            session.local_sdp, session.remote_sdp = draft.body, sdp
            if was_offer or changed:
                session.emit(OfferAnswered(sdp))
        self.proceed(now)

    def _settle(self, draft: Draft) -> bool:
        """The exchange is over; whether its owner asked for it."""
        self._attempts, self._challenges = 0, None
        if self._waiting is not None and draft.body == self._waiting:
            self._waiting = None
            return True
        self._is_refresh = False
        return False

    def _refused(self, dialog: Dialog, draft: Draft, response: Response, now: Instant) -> None:
        self._attempts += 1
        if self._attempts < MAX_ATTEMPTS:
            if response.status == 491:
                self._back_off(now)
                return
            extra = self._repaired(draft, response)
            if extra is not None:
                self._transmit(dialog, draft.again(dialog.next_number(), extra), now)
                return
        if self._settle(draft):
            self.session.emit(OfferRefused(response.status))
        self.proceed(now)

    def _repaired(self, draft: Draft, response: Response) -> str | None:
        """The lines of an attempt that does what the refusal asks for; None if none can."""
        answers: str | None = ""
        if response.status in (401, 407):
            self._challenges = self._challenges or Challenges(self.session.credentials)
            answers = self._challenges.answer(draft.method, draft.uri, response)
        elif response.status != 422 or not self.session.timer().raise_to(response):
            return None
        return None if answers is None else answers + self.session.offer_lines(draft.body)

    def _back_off(self, now: Instant) -> None:
        """Glare (§14.1): 2.1 to 4 s for the owner of the Call-ID, else 0 to 2 s; by 10 ms."""
        low, high = (210, 400) if self.session.initiator else (0, 200)
        ua = self.session.ua
        ua.heap.arm(self, now + ua.rng.randint(low, high) / 100)

    def ring(self, now: Instant) -> None:
        self.proceed(now)

    # -- the peer's ------------------------------------------------------------------------

    def receive(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """A re-INVITE, an UPDATE, or a PRACK that brings an offer."""
        session = self.session
        refusal = self._objection(request, sdp_of(request))
        if refusal is not None:
            tx.respond(refusal, now)
            return
        owed = Owed(dialog, tx, request, sdp_of(request))
        if owed.sdp is None and request.method != "INVITE":
            self._accept(owed, None, now)
        elif owed.sdp is not None and owed.sdp == session.remote_sdp and session.local_sdp:
            self._accept(owed, session.local_sdp, now)  # a refresh: nothing has changed
        else:
            self._owed, tx.owner = owed, session
            method = request.method
            via: Literal["INVITE", "UPDATE", "PRACK"] = (
                "INVITE" if method == "INVITE" else "UPDATE" if method == "UPDATE" else "PRACK"
            )
            session.emit(OfferReceived(owed.sdp, via))

    def _objection(self, request: Request, sdp: bytes | None) -> Response | None:
        """Why this request cannot be taken now (§14.2, RFC 3311 §5.2, RFC 4028 §8.1)."""
        session, ours = self.session, self._current
        if request.method != "PRACK" and is_too_small(request, session.ua.settings.min_se):
            least = str(int(session.ua.settings.min_se))
            return reply(request, 422, headers=[("Min-SE", least)])
        if sdp is None and request.method != "INVITE":
            return None
        if session.owes_answer() or self._owing():
            seconds = session.ua.rng.randint(0, 10)
            return reply(request, 500, headers=[("Retry-After", str(seconds))])
        crossing = ours is not None and (ours.body != b"" or request.method == "INVITE")
        if crossing or session.awaits_answer or not session.may_receive(request.method):
            return reply(request, 491)
        return None

    def _owing(self) -> Owed | None:
        """What is owed an answer.  Nobody waits for one that took longer than 64*T1."""
        if self._owed is not None and self._owed.tx.state is State.TERMINATED:
            self._owed = None
        return self._owed

    def answer(self, sdp: bytes, now: Instant) -> None:
        """Accept the offer that is owed an answer, if there is one."""
        if owed := self._owing():
            self._owed = None
            self._accept(owed, sdp, now)
            self.proceed(now)

    def refuse(self, status: int, reason: str | None, headers: HeaderLines, now: Instant) -> None:
        """Refuse the offer that is owed an answer, if there is one."""
        if owed := self._owing():
            self._owed = None
            owed.tx.respond(reply(owed.request, status, reason, headers=headers), now)
            self.proceed(now)

    def cancelled(self, tx: ServerTransaction, now: Instant) -> None:
        """The peer takes its re-INVITE back; a later `answer` then has no effect."""
        if self._owed is not None and self._owed.tx is tx:
            self.refuse(487, None, (), now)

    def close(self, now: Instant) -> None:
        """The session ends: what is still owed gets its 487 (§15.1.2)."""
        self._waiting, self._current, self._is_refresh = None, None, False
        self._ua.heap.disarm(self)
        self.refuse(487, None, (), now)

    def release(self) -> None:
        """Part from the session: nothing is owed or under way, so nothing will need it."""
        del self.session

    def _accept(self, owed: Owed, sdp: bytes | None, now: Instant) -> None:
        session, request = self.session, owed.request
        owed.dialog.refresh_target(request, owed.tx.flow)
        headers = session.success_headers()
        if request.method != "PRACK":
            headers += session.timer_headers(request)
        response = reply(
            request, 200, headers=headers, body=sdp or b"", content_type=SDP if sdp else None
        )
        if sdp is not None:
            session.local_sdp = sdp
            session.remote_sdp = owed.sdp or session.remote_sdp
        if request.method == "INVITE":
            number = request.cseq.number
            session.accept_invite(owed.tx, response, number, awaits_answer=owed.sdp is None)
        else:
            owed.tx.respond(response, now)
