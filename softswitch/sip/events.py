"""What a session tells its owner, in the past tense.

Each session ends with exactly one of `Failed`, `Cancelled` and `Ended`; nothing follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol, TypeAlias

from softswitch.sip.draft import HeaderLines
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Request, Response


class EndCause(Enum):
    """Why a session ended that did not come to nothing by itself."""

    BYE = "bye"
    """One side hung up."""
    EXPIRED = "session timer expired"
    """RFC 4028 §10: no refresh came, or ours was not answered."""
    NO_ACK = "no ACK"
    """RFC 3261 §13.3.1.4: our 2xx was never acknowledged."""
    NO_PRACK = "no PRACK"
    """RFC 3262 §3: our reliable provisional response was never acknowledged."""
    REJECTED = "rejected"
    """We refused the call by `reject`, or by `hangup` before answering."""
    GONE = "peer does not know the dialog"
    """RFC 3261 §12.2.1.2: a request inside the dialog got 408, 481 or no answer."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response came, except 100.  Each early dialog may bring its own."""

    status: int
    reason: str
    sdp: bytes | None
    response: Response


@dataclass(frozen=True, slots=True)
class Answered:
    """The callee answered; the ACK is sent.  If we offered nothing, `sdp` is the peer's
    offer, and the ACK waits for `Session.answer`."""

    sdp: bytes | None
    response: Response


@dataclass(frozen=True, slots=True)
class Failed:
    """Our INVITE came to nothing.  `response` is None where nobody answered: 408, or 503
    if the transport failed.  `contacts` are where a 3xx points to, best first."""

    status: int
    reason: str
    response: Response | None
    contacts: tuple[NameAddr, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK for a 2xx of ours came, first or in a re-INVITE.  `sdp` is the answer, if that
    2xx carried our offer."""

    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """The peer wants to change the session: call `answer` or `refuse_offer`.

    `sdp` is None where the peer asks us to offer (INVITE only): then the argument of
    `answer` is our offer, and `Confirmed` brings the peer's answer.
    """

    sdp: bytes | None
    via: Literal["INVITE", "UPDATE", "PRACK"]


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The peer accepted what `offer` proposed."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """The peer refused what `offer` proposed; the session stays as it was."""

    status: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller gave up before we answered.  `reasons` are the values of Reason headers."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """An established session is over.  `request` is the peer's BYE, if that ended it."""

    by_peer: bool
    cause: EndCause
    request: Request | None = None


class Respond(Protocol):
    """Answers one request; the second time without effect."""

    def __call__(
        self,
        status: int,
        reason: str | None = None,
        headers: HeaderLines = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """Another request inside the dialog came (INFO, REFER, NOTIFY, MESSAGE): answer it."""

    request: Request
    respond: Respond


Event: TypeAlias = (
    Progress
    | Answered
    | Failed
    | Confirmed
    | OfferReceived
    | OfferAnswered
    | OfferRefused
    | Cancelled
    | Ended
    | RequestReceived
)
