"""What the engine says.  Orders are to be carried out; reports are facts for records and screens.

Orders: `Offer`, `Withdraw`, `Connect`, `Announce`, `DialCallback`, `Remind`, `Reclaim`, and `Left`
with a `target`.
Reports: `Joined`, `Left`, `OfferEnded`, `Held`, `TalkEnded`, `AgentChanged`, `Refused`,
`ShadowDiffered`, `Alarm`.
The same events give the same actions, so metrics may be folded live or from a journal.
"""

from __future__ import annotations

from typing import TypeAlias

from acd.types import CallId, Instant, OfferId, OfferOutcome, Seconds, State, VisitOutcome, record


@record
class Offer:
    """Ring this agent for this call.  The engine takes it back by itself after `ring_time`.

    `waited` is for the whisper; `callback` is the number to dial once the agent has answered;
    `confirm` asks the agent to press a key, so that a mobile's voicemail never answers.
    """

    offer: OfferId
    call: CallId
    queue: str
    agent: str
    phone: str
    ring_time: Seconds
    waited: Seconds
    callback: str = ""
    confirm: bool = False


@record
class Withdraw:
    """Stop ringing this agent; where the phone has picked up, let it go (ACK, then BYE).

    `answered_elsewhere`: tell the phone so, lest it lists a missed call.
    """

    offer: OfferId
    agent: str
    answered_elsewhere: bool = False


@record
class Connect:
    """Join caller and agent, then report `Connected`, or `OfferFailed` if the agent left first.

    For a callback, dial `callback` first, and report `CallbackFailed(call, attempt)` if in vain.
    """

    offer: OfferId
    call: CallId
    queue: str
    agent: str
    waited: Seconds
    callback: str = ""
    attempt: int = 0


@record
class Announce:
    """Let the caller hear `what` ("position", "wait" or a prompt's name), over the music.

    `value` is the position (1 is next) or the expected wait in seconds, `upper` its upper end.
    `because` says why a position, or an expected wait, is worse than what was last told.
    """

    call: CallId
    queue: str
    what: str
    value: float | None = None
    upper: float | None = None
    because: str = ""


@record
class DialCallback:
    """Dial the customer now: an agent is free or about to be.  Each attempt is asked for once."""

    call: CallId
    queue: str
    number: str
    attempt: int


@record
class Joined:
    """A visit began.  `position` 1 is next; `expected` is the predicted wait, if there is one."""

    call: CallId
    queue: str
    position: int
    priority: int
    expected: Seconds | None = None
    callback: bool = False


@record
class Left:
    """A visit ended.  With `last`, the call waits nowhere any more and goes on to `target`.

    `ringing`: an agent's phone rang at that moment (an abandoned visit is then a missed call).
    """

    call: CallId
    queue: str
    outcome: VisitOutcome
    waited: Seconds
    target: str = ""
    last: bool = True
    ringing: bool = False
    agent: str = ""
    callback: bool = False


@record
class OfferEnded:
    """An offer is over; `rang` is how long.  After `ANSWERED` the agent is talking."""

    offer: OfferId
    call: CallId
    queue: str
    agent: str
    outcome: OfferOutcome
    rang: Seconds


@record
class Held:
    """The caller was put on hold by this agent, or taken back."""

    call: CallId
    queue: str
    agent: str
    on: bool


@record
class Remind:
    """The agent seems to have forgotten the caller on hold: tell them, and whoever supervises.

    `held` is for how long by now.
    """

    call: CallId
    queue: str
    agent: str
    leg: str
    held: Seconds


@record
class Reclaim:
    """The agent has not taken the caller back in time.

    `recall`: ring the agent again, and report `AgentLegReplaced` once that leg has the caller.
    Otherwise, or if that is in vain, the agent's leg is to end and the caller to join `queue`
    again, with the old arrival.
    """

    call: CallId
    queue: str
    agent: str
    leg: str
    held: Seconds
    recall: bool = True


@record
class TalkEnded:
    """The agent's own leg of an answered visit is over, whatever became of the caller's.

    `talked` is from connection to the end, the `held` seconds of it included; `by` is who hung up,
    "caller" or "agent", or "nobody" where the leg was lost and its end only noticed.
    """

    call: CallId
    queue: str
    agent: str
    talked: Seconds
    held: Seconds = 0.0
    by: str = "agent"
    transferred: bool = False


@record
class AgentChanged:
    """A new state, status included; `until` where a timer ends it; `detail` is a pause's reason."""

    agent: str
    state: State
    detail: str = ""
    until: Instant | None = None


@record
class Refused:
    """The event made no sense as things are; nothing has changed."""

    event: str
    reason: str


@record
class ShadowDiffered:
    """The shadow strategy would have chosen another agent, or another `call` for this one.

    For information only.
    """

    offer: OfferId
    queue: str
    strategy: str
    agent: str
    instead: str
    call: CallId = ""


@record
class Alarm:
    """An invariant does not hold.  `trace`: the latest events, oldest first."""

    rule: str
    detail: str
    trace: tuple[str, ...]


Action: TypeAlias = (
    Offer
    | Withdraw
    | Connect
    | Announce
    | DialCallback
    | Joined
    | Left
    | OfferEnded
    | Held
    | Remind
    | Reclaim
    | TalkEnded
    | AgentChanged
    | Refused
    | ShadowDiffered
    | Alarm
)
