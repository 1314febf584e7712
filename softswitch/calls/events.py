"""What can happen to a leg, in the words of call control.

SIP ends below this line: a feature sees that a phone rings, answers or holds, never a message.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from softswitch.calls.leg import Leg
    from softswitch.sip.message import Request

KeyForm: TypeAlias = Literal["event", "inband", "info"]
"""How a key came: as an RFC 4733 event, as tones in the sound, in SIP INFO."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far phone rings; `early` tells that it sends sound already (183 or 180 with SDP)."""

    leg: "Leg"
    status: int
    early: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The far side took the call; sound may flow both ways."""

    leg: "Leg"


@dataclass(frozen=True, slots=True)
class Failed:
    """An outgoing leg came to nothing: its final status, and where a 3xx sends us instead."""

    leg: "Leg"
    status: int
    reason: str
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A leg that was up (or ringing here) is over; `cause` is the Q.850 or SIP word for why."""

    leg: "Leg"
    by_peer: bool
    cause: str


@dataclass(frozen=True, slots=True)
class Held:
    """The party put us on hold: it no longer listens."""

    leg: "Leg"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The party took us back from hold."""

    leg: "Leg"


@dataclass(frozen=True, slots=True)
class Digit:
    """The party pressed a key: one of `0-9*#A-D`, once, however it was sent."""

    leg: "Leg"
    digit: str
    by: KeyForm = "event"


@dataclass(frozen=True, slots=True)
class Asked:
    """The party sent an in-dialog request that a feature has to answer (REFER, MESSAGE, …).

    `respond(status, reason=None, headers=())` must be called exactly once.
    """

    leg: "Leg"
    request: "Request"
    respond: Callable[..., None]


@dataclass(frozen=True, slots=True)
class Taken:
    """Another call took this leg over (transfer, pickup, park): let go of it without a word."""

    leg: "Leg"


@dataclass(frozen=True, slots=True)
class Replaced:
    """`by`, answered, takes the place of this leg, ringing or in a conversation (pickup)."""

    leg: "Leg"
    by: "Leg"


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody outside the call wants something done; `do(conversation, leg)` does it.

    It returns True where the conversation is over by it.
    """

    leg: "Leg"
    do: Callable[[Any, "Leg"], Awaitable[bool]]


Event: TypeAlias = (
    Ringing
    | Answered
    | Failed
    | Ended
    | Held
    | Resumed
    | Digit
    | Asked
    | Taken
    | Replaced
    | Commanded
)
