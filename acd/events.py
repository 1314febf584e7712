"""What the engine is told: the whole input, and the only one.  Facts, in the past tense.

Every event is journaled with its instant before the actions that follow from it are carried out.
Nothing here is checked: the engine answers an event that makes no sense with `Refused` and
changes nothing.  The life of an offer as its carrier sees it:

    Offer ──► OfferAnswered ──► (Connect) ──► Connected ──► AgentLegEnded
       └────► OfferFailed(outcome)    └─────► OfferFailed (the agent left during the whisper)

A late word about an offer that is over is answered with `Withdraw`, so that a phone which picked up
too late is always let go.
"""

from __future__ import annotations

from typing import TypeAlias

from acd.settings import Settings
from acd.types import CallId, Instant, OfferId, OfferOutcome, Seconds, VisitOutcome, record


@record
class Tick:
    """Time has passed: whatever is due is to be done.  Early, late or twice is harmless."""


@record
class Reconfigured:
    """New settings, whole.  Nobody is logged out and nobody loses a place."""

    settings: Settings


# --- callers ---------------------------------------------------------------------------------


@record
class CallJoined:
    """A caller enters one queue, or several at once.

    A call known already only adds the queues it does not wait in.  `arrived` is when the call came
    to the switch (default: now) and is kept for its life.  `customer` (a number or an account)
    finds a kept place and the agent of last time; `preferred` names that agent outright.
    `skills` is a requirement beyond the queue's own.  `avoid` is an agent from whom the call was
    taken away: not asked for it again for a while, and preferred no longer.  `shown` stands for the
    caller in reports; absent: `customer`.
    """

    call: CallId
    queues: tuple[str, ...]
    customer: str = ""
    priority: int = 0
    arrived: Instant | None = None
    skills: str = ""
    preferred: str = ""
    avoid: str = ""
    shown: str = ""


@record
class CallEnded:
    """The caller's own leg is over, in whatever state the call is."""

    call: CallId


@record
class CallLeft:
    """The caller leaves a queue (`""`: all of them) alive: by a key, or withdrawn by command."""

    call: CallId
    queue: str = ""
    outcome: VisitOutcome = VisitOutcome.EXIT
    target: str = ""


@record
class CallMoved:
    """The caller waits in these queues from now on; arrival and priority stay."""

    call: CallId
    queues: tuple[str, ...]


@record
class PriorityChanged:
    call: CallId
    priority: int


@record
class CallbackRequested:
    """The caller hangs up and keeps the place; `number` is dialled when the turn comes.

    One callback a (queue, number): a second request is refused while the first is open.
    """

    call: CallId
    number: str
    deadline: Instant | None = None


@record
class CallbackAnswered:
    """The customer picked up attempt `attempt` of a `DialCallback`."""

    call: CallId
    attempt: int


@record
class CallbackFailed:
    """The customer did not pick up attempt `attempt`, be it of `DialCallback` or of `Connect`."""

    call: CallId
    attempt: int


@record
class CallbackCancelled:
    call: CallId


# --- agents ----------------------------------------------------------------------------------


@record
class AgentLoggedIn:
    """At any phone (hot desk).  Again: the agent moves.  `paused` is a reason; none is ready."""

    agent: str
    phone: str = ""
    paused: str = ""
    registered: bool = True


@record
class AgentLoggedOut:
    agent: str


@record
class AgentPaused:
    agent: str
    reason: str = ""


@record
class AgentResumed:
    agent: str


@record
class AgentRegistered:
    """The agent's phone has a binding (True) or none any more."""

    agent: str
    registered: bool


@record
class AgentDnd:
    agent: str
    on: bool


@record
class AgentLegStarted:
    """A leg of this agent began, in or out, whatever for; telling twice renews its lease.

    `offer` is set when the leg exists because of that offer, and then it is not counted again.
    """

    agent: str
    leg: str
    offer: OfferId | None = None


@record
class AgentLegEnded:
    agent: str
    leg: str


@record
class AgentHeld:
    """The agent has put the caller on hold, or (`on` False) taken them back."""

    agent: str
    leg: str
    on: bool


@record
class AgentLegReplaced:
    """The agent goes on with the same caller on leg `by`, in place of `leg`; nobody holds now."""

    agent: str
    leg: str
    by: str


@record
class AgentTransferred:
    """The agent hands the caller on to somebody else, or to another queue."""

    agent: str
    leg: str


@record
class AgentLegsCounted:
    """Reconciliation: these are all the legs that really exist; renews the lease of each."""

    agent: str
    legs: tuple[str, ...]


@record
class WrapUpExtended:
    """More time after a call; `seconds` None is until `WrapUpEnded`."""

    agent: str
    seconds: Seconds | None = None


@record
class WrapUpEnded:
    agent: str


@record
class AgentFreed:
    """A supervisor declares the agent free: offers, calls, legs and wrap-up are forgotten."""

    agent: str


@record
class AgentScored:
    """Results of this agent's calls so far, for `performance`: `won` of `tried`."""

    agent: str
    won: int
    tried: int


# --- offers ----------------------------------------------------------------------------------


@record
class OfferAnswered:
    """The agent's phone picked up (and confirmed, where that is asked).  `leg`: the agent's leg."""

    offer: OfferId
    leg: str = ""


@record
class Connected:
    """Caller and agent hear each other."""

    offer: OfferId


@record
class OfferFailed:
    offer: OfferId
    outcome: OfferOutcome


# --- queues ----------------------------------------------------------------------------------


@record
class QueueOpened:
    queue: str


@record
class QueueClosed:
    """Out of service hours (decided outside): nobody joins; those who wait stay unless `leave`.

    Callbacks stay in any case: they were promised.
    """

    queue: str
    leave: bool = False


@record
class StrategyChanged:
    """Holds at once, also for callers who wait already."""

    queue: str
    strategy: str


Event: TypeAlias = (
    Tick
    | Reconfigured
    | CallJoined
    | CallEnded
    | CallLeft
    | CallMoved
    | PriorityChanged
    | CallbackRequested
    | CallbackAnswered
    | CallbackFailed
    | CallbackCancelled
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentPaused
    | AgentResumed
    | AgentRegistered
    | AgentDnd
    | AgentLegStarted
    | AgentLegEnded
    | AgentHeld
    | AgentLegReplaced
    | AgentTransferred
    | AgentLegsCounted
    | WrapUpExtended
    | WrapUpEnded
    | AgentFreed
    | AgentScored
    | OfferAnswered
    | Connected
    | OfferFailed
    | QueueOpened
    | QueueClosed
    | StrategyChanged
)
