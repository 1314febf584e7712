"""A session that begins with our INVITE (RFC 3261 §13.2, RFC 3262 §4).

Knows forks, early dialogs, CANCEL and its races, and the second attempts that digest
(401, 407) and session timers (422) ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from softswitch.sip.bodies import sdp_of
from softswitch.sip.dialog import Dialog
from softswitch.sip.draft import Draft
from softswitch.sip.events import Answered, EndCause, Event, Failed, Progress
from softswitch.sip.exchange import Challenges, Credentials
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import REASONS, Request, Response, reply
from softswitch.sip.reason import Reason
from softswitch.sip.reliable import reliable_number
from softswitch.sip.route import is_behind_nat
from softswitch.sip.session import BODY_LINE, Session, SessionState
from softswitch.sip.timers import Bell
from softswitch.sip.transaction import ClientTransaction, ServerTransaction, State
from softswitch.sip.types import Destination, Flow, Instant, ParseError
from softswitch.sip.uri import SipUri

if TYPE_CHECKING:
    from softswitch.sip.stack import Stack

MAX_ATTEMPTS = 6
"""INVITEs sent for one call, however many challenges and intervals are asked of us."""


class Caller(Session):
    """A call that goes out."""

    __slots__ = (
        "_ack",
        "_attempts",
        "_cancelled",
        "_challenges",
        "_client",
        "_destination",
        "_draft",
        "_early",
        "_give_up",
        "_headers",
        "_local",
        "_owed_prack",
        "_surplus",
    )

    def __init__(
        self,
        ua: Stack,
        draft: Draft,
        destination: Destination,
        local: tuple[str, str],
        call_id: str,
        contact: str,
        headers: str,
        credentials: Credentials | None,
        on_event: Callable[[Event], None],
    ) -> None:
        """`draft` lacks its `extra` lines; `local` is our From value and its tag."""
        super().__init__(ua, on_event)
        self.state = SessionState.CALLING
        self.initiator = True
        self.flow = None
        self.call_id, self.contact, self.credentials = call_id, contact, credentials
        self._local, self.local_tag = local, local[1]
        self.remote_party = NameAddr.parse(draft.to)
        self.local_sdp = draft.body or None
        self._draft, self._destination, self._headers = draft, destination, headers
        self._challenges = Challenges(credentials)
        self._attempts = 0
        self._early: dict[str, Early] = {}
        self._surplus: dict[str, bytes] = {}
        self._ack: bytes | None = None
        self._owed_prack: Early | None = None
        self._cancelled = False
        self._give_up: Bell | None = None

    @property
    def is_unheard(self) -> bool:
        """Whether nothing at all, not even a 100, has come from the peer."""
        return self.state is SessionState.CALLING and self._client.state is State.CALLING

    def start(self, now: Instant) -> None:
        """Send the INVITE."""
        self._transmit(self._draft.number, "", now)

    def answer(self, sdp: bytes) -> None:
        """Also the offer of a 2xx or of a reliable provisional response (late offer)."""
        if self._owed_prack is not None:
            early, self._owed_prack = self._owed_prack, None
            self.local_sdp = sdp
            self._prack(early, sdp)
        elif self._owes_ack():
            self.local_sdp = sdp
            self._send_ack(BODY_LINE, sdp)
            self._after_ack()
        else:
            super().answer(sdp)

    # -- attempts --------------------------------------------------------------------------

    def _transmit(self, number: int, answers: str, now: Instant) -> None:
        extra = (
            f"Contact: {self.contact}\r\n{self.ua.session_lines}"
            f"{self.timer().request_lines()}{answers}{self._headers}"
        )
        if self.ua.settings.requires_reliable:
            extra += "Require: 100rel\r\n"
        if self._draft.body:
            extra += BODY_LINE
        self._attempts += 1
        self._draft = self._draft.again(number, extra)
        self._client: ClientTransaction = self.ua.start(
            self._draft, self._destination, self._receive_response, now
        )

    def _receive_response(self, response: Response | None) -> None:
        if response is None:
            status = self._client.failure
            self._fail(status, REASONS[status], None)
        elif response.status < 200:
            self._receive_provisional(response)
        elif response.status < 300:
            self._receive_success(response)
        elif not self._try_again(response):
            self._fail(response.status, response.reason, response)

    def _try_again(self, response: Response) -> bool:
        """Whether another INVITE was sent that does what the refusal asks for."""
        if self._hangup_extra is not None or self._attempts >= MAX_ATTEMPTS:
            return False
        answers: str | None = ""
        if response.status in (401, 407):
            answers = self._challenges.answer("INVITE", self._draft.uri, response)
        elif response.status != 422 or not self.timer().raise_to(response):
            return False
        if answers is None:
            return False
        self._forget_early()
        self._transmit(self._draft.number + 1, answers, self.ua.clock())
        return True

    # -- provisional responses -------------------------------------------------------------

    def _receive_provisional(self, response: Response) -> None:
        if self.state is SessionState.ENDING:
            self._cancel()
            return
        if response.status == 100 or self.state not in (SessionState.CALLING, SessionState.EARLY):
            return
        self.state = SessionState.EARLY
        early = self._early_of(response)
        sdp = sdp_of(response)
        if early is not None and not self._acknowledge(early, response, sdp):
            return
        if sdp is not None:
            self.remote_sdp = sdp
        self.emit(Progress(response.status, response.reason, sdp, response))

    def _early_of(self, response: Response) -> Early | None:
        """The early dialog of a response, made if new; a response without tag has none."""
        tag = response.to.params.get("tag")
        if not tag:
            return None
        early = self._early.get(tag)
        if early is None:
            early = self._early[tag] = Early(self._dialog_of(response))
            self.ua.remember(early.dialog)
            self.dialog = self.dialog or early.dialog
        elif "Contact" in response.headers.fields:
            early.dialog.refresh_target(response, self._flow())
        return early

    def _acknowledge(self, early: Early, response: Response, sdp: bytes | None) -> bool:
        """Send the PRACK that a reliable response asks for; False if it came before."""
        number = reliable_number(response)
        if number is None:
            return True
        if not early.is_next(number):
            return False
        if sdp is not None and not self._draft.body and not early.settled:
            early.settled = True
            self._owed_prack = early  # the PRACK will carry our answer
        else:
            early.settled = early.settled or sdp is not None
            self._prack(early, None)
        return True

    def _prack(self, early: Early, sdp: bytes | None) -> None:
        rack = f"RAck: {early.number} {self._draft.number} INVITE\r\n"
        extra = rack + (BODY_LINE if sdp else "")

        def receive(response: Response | None) -> None:
            self._renegotiation.proceed(self.ua.clock())

        self._exchange(early.dialog, "PRACK", extra, sdp or b"", receive)

    # -- success ---------------------------------------------------------------------------

    def _receive_success(self, response: Response) -> None:
        tag = response.to.params.get("tag", "")
        dialog = self.dialog
        if self._is_answered() and dialog is not None and dialog.remote_tag == tag:
            if self._ack is not None:  # the 200 came again: so goes the ACK
                self.ua.transmit(self._ack, dialog.destination)
        elif self._is_answered() or self.state is SessionState.TERMINATED:
            self._decline_surplus(tag, response)
        else:
            self._confirm(tag, response)

    def _confirm(self, tag: str, response: Response) -> None:
        now = self.ua.clock()
        early = self._early.pop(tag, None)
        self._forget_early()
        self.flow = flow = self._flow()
        if early is None:
            dialog = self._dialog_of(response)
        else:
            dialog = early.dialog
            dialog.learn(response, flow)
        self.dialog = dialog
        self._stop_waiting()
        self.ua.remember(dialog)
        wanted, self._hangup_extra = self._hangup_extra, None
        self.state = SessionState.ESTABLISHED
        self.timer().learn(response, now)
        sdp = sdp_of(response)
        self.remote_sdp = sdp or self.remote_sdp
        settled = bool(self._draft.body) or (early is not None and early.settled)
        if wanted is not None:
            self._send_ack("", b"")
            self._hangup_extra = wanted
            failed = Failed(487, "Answered after we had given up", response)
            self._bye_then(failed)
            return
        if settled or sdp is None:
            self._send_ack("", b"")
        self.emit(Answered(sdp, response))
        self._renegotiation.proceed(now)

    def _send_ack(self, lines: str, body: bytes) -> None:
        """Once; kept for the 200s that come again (§13.2.2.4)."""
        assert self.dialog is not None
        draft = self.dialog.ack(self._draft.number, lines, body)
        self._ack = self.ua.send_ack(draft, self.dialog.destination)

    def _after_ack(self) -> None:
        if self._hangup_extra is not None:
            self._bye(EndCause.BYE)
        else:
            self._renegotiation.proceed(self.ua.clock())

    def _decline_surplus(self, tag: str, response: Response) -> None:
        """Another branch of a fork answered too: ACK and BYE, each dialog once (§13.2.2.4)."""
        dialog = self._dialog_of(response)
        dialog.learn(response, self._flow())
        if tag in self._surplus:
            self.ua.transmit(self._surplus[tag], dialog.destination)
            return
        self.ua.counters["surplus_answers"] += 1
        ack = dialog.ack(self._draft.number)
        self._surplus[tag] = self.ua.send_ack(ack, dialog.destination)
        self._exchange(dialog, "BYE", "", b"", _ignore)

    # -- the end ---------------------------------------------------------------------------

    def _abandon(self, reason: Reason | None) -> None:
        """CANCEL, but "not before a provisional response" came (§9.1)."""
        self.state = SessionState.ENDING
        if self._client.state is State.PROCEEDING:
            self._cancel()

    def _cancel(self) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        self.ua.cancel(self._client, self._hangup_extra or "")
        self._give_up = Bell(self._no_final_response)
        self.ua.heap.arm(self._give_up, self.ua.clock() + self.ua.timers.give_up)

    def _stop_waiting(self) -> None:
        """What followed our CANCEL is known."""
        if self._give_up is not None:
            self.ua.heap.disarm(self._give_up)
            self._give_up = None

    def _no_final_response(self) -> None:
        """64*T1 after a CANCEL the INVITE counts as cancelled (§9.1)."""
        self._client.terminate()
        self._fail(487, REASONS[487], None)

    def _fail(self, status: int, reason: str, response: Response | None) -> None:
        contacts: tuple[NameAddr, ...] = ()
        if response is not None and status < 400:
            contacts = tuple(sorted(_contacts(response), key=lambda contact: -contact.q))
        self._finish(Failed(status, reason, response, contacts))

    def _receive_bye(
        self, dialog: Dialog, tx: ServerTransaction, request: Request, now: Instant
    ) -> None:
        """A callee must not hang up an early dialog so (§15); who does is not called on."""
        if self._is_answered():
            super()._receive_bye(dialog, tx, request, now)
        else:
            tx.respond(reply(request, 200), now)
            self.hangup()

    def abort(self) -> None:
        """An unanswered call is given up as by `hangup`, but nobody hears of it any more."""
        if self._is_answered():
            super().abort()
        else:
            self.on_event = _unheard
            self.hangup()

    def _finish(self, event: Event | None) -> None:
        self._stop_waiting()
        self._forget_early()
        super()._finish(event)

    # -- offers ----------------------------------------------------------------------------

    def may_offer(self) -> bool:
        if self._is_answered():
            return super().may_offer() and not self._owes_ack()
        early = next((e for e in self._early.values() if e.dialog is self.dialog), None)
        return early is not None and early.settled and early.dialog.allows("UPDATE")

    def may_receive(self, method: str) -> bool:
        """Before the answer to our first offer, none of the peer's (RFC 3311 §5.2)."""
        return self._is_answered() or any(early.settled for early in self._early.values())

    # -- inside ----------------------------------------------------------------------------

    def _is_answered(self) -> bool:
        return self.state is SessionState.ESTABLISHED or self._ack is not None

    def _owes_ack(self) -> bool:
        return self.state is SessionState.ESTABLISHED and self._ack is None

    def _bye_when_allowed(self) -> None:
        if self._owes_ack():
            self._send_ack("", b"")
        super()._bye_when_allowed()

    def _flow(self) -> Flow:
        return self.ua.flow

    def _dialog_of(self, response: Response) -> Dialog:
        flow = self._flow()
        dialog = Dialog.as_client(self, self._draft, self._local, flow)
        dialog.behind_nat = self._is_behind_nat()
        dialog.learn(response, flow)
        return dialog

    def _is_behind_nat(self) -> bool:
        """Whether the callee is reached by the hole of its registration, not at its address.

        Then ACK and BYE go that way as well, whatever its Contact believes.
        """
        where = self._destination
        if not isinstance(where, Flow) or "Route: " in self._draft.head:
            return False
        return is_behind_nat(SipUri.parse(self._draft.uri).host, where)

    def _forget_early(self) -> None:
        for early in self._early.values():
            if early.dialog is not self.dialog or not self._is_answered():
                self.ua.forget_dialog(early.dialog)
        self._early.clear()


class Early:
    """One early dialog: what came reliably on it, and whether offer and answer are through."""

    __slots__ = ("dialog", "number", "settled")

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.number: int | None = None
        self.settled = False

    def is_next(self, number: int) -> bool:
        """Whether a reliable response is in order (RFC 3262 §4); if so it is remembered."""
        if self.number is not None and number != self.number + 1:
            return False
        self.number = number
        return True


def _contacts(response: Response) -> list[NameAddr]:
    try:
        return response.contacts
    except ParseError:
        return []


def _ignore(response: Response | None) -> None:
    """Nobody waits for this answer."""


def _unheard(event: Event) -> None:
    """The owner's handler failed; it is not called again."""
