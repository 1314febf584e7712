"""A leg: one SIP dialog and its sound, spoken to in the words of call control.

Knows how a call begins, is held and ends on one side.  Refuses to know who the party is
to the office, and what the call is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from media.client import Source
from media.items import Item
from softswitch.calls.causes import (
    CANCELLED,
    NORMAL,
    NOT_ACCEPTABLE,
    SILENT,
    Cause,
    cause_of,
    reason_of,
    understood,
)
from softswitch.calls.digits import info_body, read_info
from softswitch.calls.errors import Refused
from softswitch.calls.events import (
    Answered,
    Asked,
    Digit,
    Ended,
    Event,
    Failed,
    Held,
    KeyForm,
    Resumed,
    Ringing,
)
from softswitch.calls.inbox import Deaf, Inbox
from softswitch.calls.party import Party
from softswitch.calls.profile import DtmfForm, Profile
from softswitch.calls.sound import Sound, quality
from softswitch.calls.times import Times
from softswitch.entropy import ENTROPY
from softswitch.sdp import Codec, SdpError
from softswitch.sip import events as sip
from softswitch.sip.message import Request, Response
from softswitch.sip.session import Session
from softswitch.sip.stack import bracketed
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.calls.call import Call
    from softswitch.calls.switchboard import Switchboard


class Leg:
    """One party of a call.

    What happens to it goes to its inbox; `divert` lets several legs share one.  `digits`
    are the keys pressed and not yet read.  Every verb may be called in any state: what
    the state does not allow has no effect.
    """

    session: Session

    def __init__(
        self, board: Switchboard, address: str, profile: Profile, party: Party, *, incoming: bool
    ) -> None:
        """`address`: the IP literal that the peer is told to send sound to."""
        self.id = ENTROPY.token(6)
        self.profile, self.party, self.incoming = profile, party, incoming
        self.owner: str | None = None
        """The extension whose phone this is; None for parties outside."""
        self.call: Call | None = None
        self.on_end: Callable[[Leg], None] | None = None
        self.on_fate: Callable[[int], None] | None = None
        """Told what would become of the party if it was not answered already: 180 when it rings
        for it, 200 when it is taken.  For a transfer's report."""
        self.times = Times()
        self.answered = self.ended = self.ended_by_peer = self.held = False
        self.cause: Cause = NORMAL
        self.status: int | None = None
        """The SIP status that it was refused with; None for one that was answered."""
        self.digits: Inbox[str] = Inbox()
        self.referrals = 0
        """REFERs that it sent: their reports are told apart by number from the second on."""
        self.sound = Sound(board.media, address, profile, self._press, self._lost)
        self._inbox: Inbox[Event] = Inbox()
        self._is_read = self.is_replaceable = False
        self._played: Inbox[str | None] | None = None
        self._board = board

    @property
    def codec(self) -> Codec | None:
        """What the party is sent; None before anything was agreed."""
        return self.sound.codec

    def facts(self) -> dict[str, Any]:
        """What a record keeps of the leg."""
        return {
            "role": "caller" if self.incoming else "callee",
            "party": self.party.number,
            "name": self.party.name,
            "sip_call_id": self.session.call_id,
            "address": self._address(),
            "status": self.status,
            "codec": self.codec.name if self.codec else None,
            "cause": self.cause.word if self.ended else None,
            "ended_by_peer": self.ended_by_peer,
            "quality": quality(self.sound.stats),
            **self.times.facts(),
        }

    # -- verbs: signalling -----------------------------------------------------------

    def ring(self) -> None:
        """Tell the caller that somebody's phone rings (180), once."""
        if self._is_waiting() and self.times.rang is None:
            self.times.ring()
            self.session.progress(180)
            self._board.on_leg(self)

    def open_early(self, prefer: Codec | None = None) -> None:
        """Let the caller hear sound before the answer (183 with SDP), once."""
        offered = self.sound.remote_offer is not None
        if self._is_waiting() and offered and self.sound.agreement is None:
            self.session.progress(183, self._answer_sdp(prefer))

    def answer(self, prefer: Codec | None = None) -> None:
        """Take the incoming call; `prefer` is the codec to choose if the party has it.

        Raises Refused (488) where no sound can be agreed.
        """
        self._tell_fate(200)
        if not self._is_waiting():
            return
        if self.sound.remote_offer is None:  # a late offer: we make it, the ACK answers
            body = self.sound.offer((prefer,) if prefer else ())
        else:
            body = self._answer_sdp(prefer)
        self.answered = True
        self.times.answer()
        self.session.accept(body)
        self.sound.watch()
        self._board.on_leg(self)

    def refuse(self, status: int, reason: str | None, cause: Cause) -> None:
        """Refuse the caller with this status; hang up where it is too late for that."""
        if self._is_waiting():
            self.cause, self.status = cause, status
            self.session.reject(status, reason, [("Reason", str(reason_of(cause)))])
            self._over(by_peer=False)
        else:
            self.hang_up(cause)

    def hang_up(self, cause: Cause = NORMAL) -> None:
        """End the leg, whatever state it is in: CANCEL, BYE or a refusal."""
        if self.ended:
            return
        if self._is_waiting():
            self.refuse(cause.status, None, cause)
            return
        self.cause = cause
        self.session.hangup(reason_of(cause))
        self._over(by_peer=False)

    def send(
        self,
        method: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        content_type: str | None = None,
        on_response: Callable[[Response | None], None] | None = None,
    ) -> None:
        """An in-dialog request: INFO, NOTIFY, REFER."""
        if not self.ended:
            self.session.send(method, headers, body, content_type, on_response or ignore)

    def divert(
        self, inbox: Inbox[Event] | None = None, *, replaceable: bool = False
    ) -> Inbox[Event]:
        """What happens from now on goes to `inbox`, or to a new one of the leg's own.

        An end that came before is told again, so that nobody waits for a leg that is over.
        `replaceable`: whoever reads it knows what to do with `Replaced`.
        """
        self.is_replaceable = replaceable
        self._inbox = inbox if inbox is not None else Inbox()
        self._is_read = True
        if self.ended:
            self._inbox.put(Ended(self, self.ended_by_peer, self.cause.word))
        return self._inbox

    def is_read_with(self, other: Leg) -> bool:
        """Whether what happens to both is told to one reader: a conversation of theirs."""
        return self._inbox is other._inbox

    def notify(self, event: Event) -> None:
        """Tell whoever reads the leg's inbox something from elsewhere in the switch."""
        self._inbox.put(event)

    def part(self) -> None:
        """The record of a leg that is over is closed: cut every circle that leads back here, so
        that reference counts free it and the collector need not look for it."""
        if self.ended:
            self.call = self.on_end = self.on_fate = None
            self._inbox = _DEAF
            self.sound.part()

    # -- verbs: sound ----------------------------------------------------------------

    def hear(self, *sources: Source | Leg) -> None:
        """From now on the party hears exactly these; none is silence."""
        self.hear_mix(dict.fromkeys(sources, 1.0))

    def hear_mix(self, sources: Mapping[Source | Leg, float]) -> None:
        """From now on the party hears exactly these, each at its gain (1 is as it comes)."""
        if not self.ended:
            self.sound.hear(
                {
                    source.sound.port if isinstance(source, Leg) else source: gain
                    for source, gain in sources.items()
                    if not (isinstance(source, Leg) and source.ended)
                }
            )

    def hear_ringing(self, early: Leg | None = None) -> None:
        """Tell the party that it rings there; `early`: that leg's own sound tells it already."""
        self._tell_fate(180)
        if early is not None:
            self.open_early(early.codec)
            self.hear(early)
            early.hear(self)
        elif self.answered:
            self.hear(self._board.ringback)
        else:
            self.ring()

    async def play(self, *items: Item, keys: str = "") -> str | None:
        """Play `items` to the end, or until one of `keys` is pressed; the key that was.

        Keys pressed before are forgotten; others than `keys` stay unread in `digits`.  With
        the leg, what is played to it ends.
        """
        if self.ended:
            return None
        done = self._played = Inbox[str | None]()
        player = self._board.media.player(*items, on_event=lambda _: done.put(None))
        if keys:
            self.digits.clear()
            self.digits.tee(lambda key: done.put(key) if key in keys else None)
        self.hear(player)
        try:
            pressed = await done.get()
        finally:
            self._played = None
            self.digits.tee(None)
            player.close()
            self.hear()
        if pressed is not None:
            self.digits.clear()
        return pressed

    async def collect(
        self,
        *items: Item,
        most: int = 1,
        timeout: Seconds = 5.0,  # noqa: ASYNC109 - a telephone's word
        gap: Seconds = 3.0,
        end: str = "#",
    ) -> str:
        """Play `items`, which the first key interrupts; the keys pressed, `end` left out.

        Waits `timeout` seconds for the first key after the prompt and `gap` for each
        further one; what came until then is the answer, "" if nothing did.
        """
        first = await self.play(*items, keys="0123456789*#ABCD") if items else None
        keys = ""
        while True:
            try:
                key = first or await self.digits.get(gap if keys else timeout)
            except TimeoutError:
                return keys
            first = None
            if key and key in end:
                return keys
            keys += key
            if len(keys) >= most:
                return keys

    def press(self, digits: str) -> None:
        """Send digits to the party in the form that it understands."""
        if self.ended:
            return
        if self.profile.dtmf is DtmfForm.INFO:
            for digit in digits:
                self.send("INFO", (), info_body(digit), "application/dtmf-relay")
        else:
            self.sound.press(digits)

    # -- what SIP tells --------------------------------------------------------------

    def on_sip(self, event: sip.Event) -> None:
        """Everything that the session reports arrives here."""
        match event:
            case sip.Progress(status, _, sdp):
                self._on_progress(status, sdp)
            case sip.Answered(sdp):
                self._on_answered(sdp)
            case sip.OfferReceived(sdp):
                self._on_offer(sdp)
            case sip.Confirmed(sdp) | sip.OfferAnswered(sdp):
                self._on_accepted(sdp)
            case sip.RequestReceived(request, respond):
                self._on_request(request, respond)
            case sip.Failed() | sip.Cancelled() | sip.Ended():
                self._on_end(event)
            case sip.OfferRefused():  # the session stays as it was (RFC 3261 §14.1)
                pass

    def _on_end(self, event: sip.Failed | sip.Cancelled | sip.Ended) -> None:
        if self.ended:
            return
        match event:
            case sip.Failed(status, reason, response, contacts):
                status = understood(status, response, self.profile.statuses)
                self.cause, self.status = cause_of(status), status
                self._over(by_peer=True, quiet=True)
                uris = tuple(contact.uri for contact in contacts)
                self._inbox.put(Failed(self, status, reason, uris))
            case sip.Cancelled():
                self.cause, self.status = CANCELLED, CANCELLED.status
                self._over(by_peer=True)
            case sip.Ended(by_peer, cause):
                if cause is not sip.EndCause.BYE:
                    self.cause = Cause(cause.name.lower().replace("_", "-"), 480, 102)
                self._over(by_peer=by_peer)

    def _on_progress(self, status: int, sdp: bytes | None) -> None:
        if self.ended or (sdp is not None and not self._conclude(sdp)):
            return
        if status >= 180:
            self.times.ring()
            self._board.on_leg(self)
            self._inbox.put(Ringing(self, status, early=self.sound.agreement is not None))

    def _on_answered(self, sdp: bytes | None) -> None:
        if self.ended:
            return
        if sdp is not None and not self._conclude(sdp):
            return
        if self.sound.agreement is None:
            self.hang_up(NOT_ACCEPTABLE)
            return
        self.answered = True
        self.times.answer()
        self.sound.watch()
        self._board.on_leg(self)
        self._inbox.put(Answered(self))

    def _on_accepted(self, sdp: bytes | None) -> None:
        """Our answer or offer was; an offer that the ACK leaves unanswered ends the call
        (RFC 3261 §13.2.2.4)."""
        if self.ended:
            return
        if sdp is not None:
            self._conclude(sdp)
        elif self.sound.agreement is None:
            self.hang_up(NOT_ACCEPTABLE)

    def _on_offer(self, sdp: bytes | None) -> None:
        """A re-INVITE or UPDATE is answered here; the other leg never hears of it."""
        if self.ended:  # our BYE is on its way (RFC 3261 §15.1.2)
            self.session.refuse_offer(487)
            return
        if sdp is None:
            self.session.answer(self.sound.offer())
            return
        try:
            body = self.sound.answer(sdp)
        except SdpError:
            self.session.refuse_offer(488)
            return
        self.session.answer(body)
        self._agreed()

    def _on_request(self, request: Request, respond: sip.Respond) -> None:
        if self.ended:
            respond(481)
        elif request.method == "INFO":
            digit = read_info(request)
            respond(200 if digit or not request.body else 415)
            if digit:
                self._press(digit, "info")
        elif self._is_read:
            self._inbox.put(Asked(self, request, respond))
        else:
            respond(603)  # whoever serves the party has no ear for it (RFC 3515 §2.4.2)

    # -- inside ----------------------------------------------------------------------

    def _address(self) -> str | None:
        """Where its messages come from; None for one that never answered."""
        flow = self.session.flow
        return None if flow is None else f"{bracketed(flow.remote[0])}:{flow.remote[1]}"

    def _tell_fate(self, status: int) -> None:
        if self.on_fate is not None:
            self.on_fate(status)

    def _is_waiting(self) -> bool:
        """Whether a caller waits for our answer."""
        return self.incoming and not self.answered and not self.ended

    def _answer_sdp(self, prefer: Codec | None) -> bytes:
        if self.sound.agreement is not None and self.session.local_sdp is not None:
            return self.session.local_sdp  # what 183 said must not change (RFC 3261 §13.2.1)
        try:
            body = self.sound.answer(prefer=(prefer,) if prefer else ())
        except SdpError as error:
            raise Refused(NOT_ACCEPTABLE, str(error)) from error
        self._agreed()
        return body

    def _conclude(self, sdp: bytes) -> bool:
        """Take the answer to our offer; a leg whose sound cannot be agreed is over."""
        try:
            self.sound.conclude(sdp)
        except SdpError:
            self.hang_up(NOT_ACCEPTABLE)
            return False
        self._agreed()
        return True

    def _agreed(self) -> None:
        """Tell the feature when hold begins or ends."""
        held = self.sound.held
        if self.answered:
            self.sound.watch()
        if held == self.held:
            return
        self.held = held
        self.times.hold(held)
        self._board.on_leg(self)
        self._inbox.put(Held(self) if held else Resumed(self))

    def _press(self, digit: str, by: KeyForm) -> None:
        self.digits.put(digit)
        self._inbox.put(Digit(self, digit, by))

    def _lost(self) -> None:
        """Neither a packet nor a BYE: the peer is gone, or the engine is."""
        self.hang_up(SILENT)

    def _over(self, *, by_peer: bool, quiet: bool = False) -> None:
        if self.ended:
            return
        self.ended, self.ended_by_peer = True, by_peer
        self.times.end()
        if self._played is not None:
            self._played.put(None)
        self.sound.close()
        self._board.on_leg(self)
        if not quiet:
            self._inbox.put(Ended(self, by_peer, self.cause.word))
        if self.on_end is not None:
            self.on_end(self)


_DEAF: Inbox[Event] = Deaf()


def ignore(_: object) -> None:
    """Whatever it is."""
