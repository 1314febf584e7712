"""A session that begins with somebody's INVITE (RFC 3261 §13.3, RFC 3262 §3).

Knows provisional responses, reliable or not, and when a final one may be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from softswitch.sip.bodies import SDP, sdp_of
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import HeaderLines
from softswitch.sip.events import Cancelled, EndCause, Ended, Event, OfferAnswered
from softswitch.sip.message import Request, reply
from softswitch.sip.reason import Reason
from softswitch.sip.reliable import ReliableSender
from softswitch.sip.session import Session, SessionState
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Flow, Instant

if TYPE_CHECKING:
    from softswitch.sip.stack import Stack

INCOMING, EARLY = SessionState.INCOMING, SessionState.EARLY
UNAVAILABLE = 480


class Callee(Session):
    """A call that comes in; `request` is its INVITE."""

    __slots__ = ("_awaits_pracked_answer", "_postponed", "_reliable", "_settled", "_tx", "request")

    dialog: Dialog
    flow: Flow

    def __init__(
        self,
        ua: Stack,
        tx: ServerTransaction,
        request: Request,
        flow: Flow,
        local_tag: str | None = None,
    ) -> None:
        """`local_tag`: ours, where the caller knows it already."""
        super().__init__(ua, _ignore)
        self.state = INCOMING
        self.initiator = False
        self.request, self.flow, self._tx = request, flow, tx
        self.remote_party = request.from_
        self.call_id = request.call_id
        self.local_tag = local_tag or ua.new_tag()
        self.dialog = Dialog.as_server(
            self, request, self.local_tag, flow, behind_nat=tx.behind_nat
        )
        self.contact = ua.contact(flow)
        self.remote_sdp = sdp_of(request)
        self._reliable: ReliableSender | None = None
        self._settled = False  # whether offer and answer went by reliable provisionals
        self._awaits_pracked_answer = False
        self._postponed: tuple[bytes | None, HeaderLines] | None = None

    # -- verbs ---------------------------------------------------------------------------

    def progress(
        self,
        status: int,
        sdp: bytes | None = None,
        reason: str | None = None,
        headers: HeaderLines = (),
    ) -> None:
        """Send a 101-199, with early media if `sdp` is given.

        Reliably if the caller requires that, or supports it and there is early media.
        """
        if not self._may_answer() or self._postponed is not None:
            return
        self.state = EARLY
        reliable = self._is_reliable(sdp)
        if sdp is not None and (self._settled or (self.remote_sdp is None and not reliable)):
            sdp = None  # the answer went already; an offer may only go reliably (RFC 6337 §2.2)
        fields = [*self._dialog_headers(), *headers]
        if reliable:  # the peer may then send UPDATE and must know that we take it
            fields.append(("Allow", self.ua.settings.allow_text))
        response = reply(
            self.request,
            status,
            reason,
            to_tag=self.local_tag,
            headers=fields,
            body=sdp or b"",
            content_type=SDP if sdp else None,
        )
        now = self.ua.clock()
        if not reliable:
            self._tx.respond(response, now)
            return
        if sdp is not None:
            self._settled, self._awaits_pracked_answer = True, self.remote_sdp is None
            self.local_sdp = sdp
        self._reliably().send(response, now)

    def accept(self, sdp: bytes | None = None, headers: HeaderLines = ()) -> None:
        """Answer the call with 200; `sdp` is the answer, or the offer if the INVITE had none.

        It is left out where a reliable provisional response brought one.  `Confirmed`
        follows when the ACK comes, with the peer's answer if `sdp` was an offer.
        """
        if not self._may_answer():
            return
        if self._reliable is not None and self._reliable.withholds_answer:
            self._postponed = sdp, tuple(headers)
            return
        if self._settled:
            sdp = None
        if self._reliable is not None:
            self._reliable.stop()
        self.state = SessionState.ESTABLISHED
        lines = [*self._dialog_headers(), *self.ua.capabilities, *headers]
        lines += self.timer_headers(self.request)
        response = reply(
            self.request,
            200,
            to_tag=self.local_tag,
            headers=lines,
            body=sdp or b"",
            content_type=SDP if sdp else None,
        )
        self.local_sdp = sdp or self.local_sdp
        awaits_answer = sdp is not None and self.remote_sdp is None
        number = self.request.cseq.number
        self.accept_invite(self._tx, response, number, awaits_answer=awaits_answer)

    def reject(self, status: int, reason: str | None = None, headers: HeaderLines = ()) -> None:
        """Refuse the call, or point elsewhere by a 3xx with Contact headers."""
        if self._is_unanswered():
            self._refuse(status, reason, headers)
            self._finish(Ended(by_peer=False, cause=EndCause.REJECTED))

    # -- what the user agent calls ---------------------------------------------------------

    def receive_cancel(self, tx: ServerTransaction, request: Request, now: Instant) -> None:
        if tx is self._tx and self._is_unanswered():
            self._cancelled(request)
        else:
            super().receive_cancel(tx, request, now)

    def abort(self) -> None:
        if self._is_unanswered():
            self._refuse(500, None, ())
        super().abort()

    def owes_answer(self) -> bool:
        return self._is_unanswered() and self.remote_sdp is not None and not self._settled

    def may_offer(self) -> bool:
        """By UPDATE before we answer, once offer and answer are through (RFC 3311 §5.1)."""
        if not self._is_unanswered():
            return super().may_offer()
        through = self._settled and not self._awaits_pracked_answer
        acknowledged = self._reliable is None or not self._reliable.withholds_answer
        return through and acknowledged and self.dialog.allows("UPDATE")

    def may_receive(self, method: str) -> bool:
        return not self._awaits_pracked_answer

    # -- inside ----------------------------------------------------------------------------

    def _is_unanswered(self) -> bool:
        return self.state is INCOMING or self.state is EARLY

    def _may_answer(self) -> bool:
        """Whether the call is unanswered and fit for a dialog: else it gets its 400 here.

        "MUST be present" is said of Contact (§8.1.1.8), but a stranger is asked for his
        password first, so the owner's own refusals come before this one.
        """
        if not self._is_unanswered():
            return False
        if "Contact" in self.request.headers.fields:
            return True
        self._refuse(400, "Missing Contact", ())
        self._finish(Ended(by_peer=False, cause=EndCause.REJECTED))
        return False

    def _dialog_headers(self) -> list[tuple[str, str]]:
        """What creates a dialog: our Contact and the route as it was recorded (§12.1.1)."""
        recorded = self.request.headers.fields.get("Record-Route", ())
        return [("Contact", self.contact), *[("Record-Route", value) for value in recorded]]

    def _is_reliable(self, sdp: bytes | None) -> bool:
        if self._reliable is not None or "100rel" in self.request.require:
            return True
        settings = self.ua.settings
        if "100rel" not in settings.supported or "100rel" not in self.request.supported:
            return False
        return sdp is not None or settings.requires_reliable

    def _reliably(self) -> ReliableSender:
        if self._reliable is None:
            ua = self.ua
            self._reliable = ReliableSender(self._tx, ua.timers, ua.heap, ua.rng, self._unheard)
        return self._reliable

    def _unheard(self) -> None:
        """A reliable response was never acknowledged: "SHOULD reject with a 5xx" (RFC 3262 §3)."""
        self._refuse(504, None, ())
        self._finish(Ended(by_peer=False, cause=EndCause.NO_PRACK))

    def _refuse(self, status: int, reason: str | None, headers: HeaderLines) -> None:
        response = reply(self.request, status, reason, to_tag=self.local_tag, headers=headers)
        self._tx.respond(response, self.ua.clock())

    def _abandon(self, reason: Reason | None) -> None:
        """Hang up on a caller who is not answered: refuse, by the reason's own status if any."""
        status = UNAVAILABLE
        if reason is not None and reason.protocol == "SIP" and 400 <= reason.cause < 700:
            status = reason.cause
        self._refuse(status, None, [("Reason", str(reason))] if reason else ())
        self._finish(Ended(by_peer=False, cause=EndCause.REJECTED))

    def _cancelled(self, request: Request) -> None:
        self._refuse(487, None, ())
        self._finish(Cancelled(tuple(request.headers.all("Reason"))))

    def _receive_bye(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """Also on an early dialog the caller may hang up so (§15.1.2)."""
        if self._is_unanswered():
            tx.respond(reply(request, 200), now)
            self._cancelled(request)
        else:
            super()._receive_bye(dialog, tx, request, now)

    def _receive_prack(self, tx: ServerTransaction, request: Request, now: Instant) -> None:
        number = self.request.cseq.number
        if self._reliable is None or not self._reliable.acknowledge(request, number, now):
            tx.respond(reply(request, 481), now)
            return
        sdp = sdp_of(request)
        if sdp is None or self._awaits_pracked_answer:
            tx.respond(reply(request, 200), now)
            self._take_answer(sdp)
        else:
            self._renegotiation.receive(self.dialog, tx, request, now)
        self._resume(now)

    def _take_answer(self, sdp: bytes | None) -> None:
        """To the offer that a reliable response carried."""
        if sdp is not None and self._awaits_pracked_answer:
            self._awaits_pracked_answer = False
            self.remote_sdp = sdp
            self.emit(OfferAnswered(sdp))

    def _resume(self, now: Instant) -> None:
        """Do what waited for the PRACK."""
        postponed, self._postponed = self._postponed, None
        if postponed is not None:
            self.accept(*postponed)
        self._renegotiation.proceed(now)

    def _finish(self, event: Event | None) -> None:
        if self._reliable is not None:
            self._reliable.stop()
            self._reliable = None
        super()._finish(event)


def _ignore(event: Event) -> None:
    """Until the owner sets `on_event`, in `on_invite`."""
