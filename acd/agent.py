"""One agent, who exists once, whatever queues refer to them.  Facts and what follows from them.

Nothing here decides and nothing here is set from outside but the facts: status, registration, legs,
offers, conversations.  State and availability are computed from those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from acd.ledger import Ledger
from acd.settings import AgentSettings, Member
from acd.types import CallId, Instant, OfferId, Seconds, State, Status, record

if TYPE_CHECKING:
    from acd.pool import Pool
    from acd.queue import Queue

HISTORY = 32
"""State changes remembered for `explain`."""
NOVICE = 180.0
"""Handle time assumed before an agent's first call, in seconds."""

# Compared at every event, and a member looked up in its Enum costs five times as much.
OFFLINE, PAUSED, UNREACHABLE, DND, RESTING, IDLE, RINGING, TALKING, BUSY, WRAP_UP = State
READY = Status.READY


Told: TypeAlias = tuple[State, str, Instant | None]
"""State, detail, and until when."""


@record
class Change:
    """`state` holds from event number `event` at `at` on."""

    event: int
    at: Instant
    state: State
    detail: str


@dataclass(slots=True)
class Seat:
    """An agent in one queue: what `strategy` key functions are given.

    `order` is the place in the list (0 first), `tier` and `weight` are as configured, `served`
    counts answered calls divided by weight, since the seat was taken or the shares were changed.
    """

    agent: Agent
    queue: Queue
    order: int
    member: Member
    served: float = 0.0

    @property
    def tier(self) -> int:
        return self.member.tier

    @property
    def weight(self) -> float:
        return self.member.weight


@dataclass(slots=True)
class Talk:
    """A conversation with a caller of a queue; the caller may have gone already (`over`).

    `held` is how long the caller was on hold in all, before the hold since `held_since`, if any.
    `hold_due`: when the agent is to be reminded of it, or, once `reminded`, the caller reclaimed.
    """

    call: CallId
    queue: str
    leg: str
    since: Instant
    lease: Instant
    over: bool = False
    held: Seconds = 0.0
    held_since: Instant | None = None
    hold_due: Instant | None = None
    reminded: bool = False
    transferred: bool = False


class Agent:
    """Facts, clocks and counts of one agent."""

    __slots__ = (
        "answered_at",
        "available",
        "detail",
        "dnd",
        "due",
        "guarded",
        "handled",
        "history",
        "idle_since",
        "idle_total",
        "ledger",
        "legs",
        "manned",
        "misses",
        "name",
        "offered_at",
        "offers",
        "phone",
        "pooled",
        "pools",
        "reason",
        "registered",
        "rest_until",
        "seats",
        "settings",
        "since",
        "stamp",
        "state",
        "status",
        "talks",
        "told",
        "tried",
        "until",
        "won",
        "wrap_demand",
        "wrap_until",
        "wrapping",
    )

    def __init__(self, name: str, settings: AgentSettings, window: Seconds) -> None:
        self.name = name
        self.settings = settings
        self.status = Status.LOGGED_OUT
        self.reason = ""
        self.phone = ""
        self.registered = False
        self.dnd = False
        self.rest_until: Instant | None = None
        self.wrapping = False
        self.wrap_until: Instant | None = None  # None while wrapping: until the agent ends it
        self.wrap_demand: Seconds = 0.0
        self.legs: dict[str, Instant] = {}  # other legs, each with the end of its lease
        self.offers: dict[OfferId, CallId] = {}
        self.talks: dict[str, Talk] = {}  # by leg
        self.misses: dict[str, list[Instant]] = {}
        # clocks: offered and answered are apart, and idleness is not reset by either
        self.idle_since: Instant = 0.0
        self.idle_total: Seconds = 0.0
        self.offered_at: Instant = 0.0
        self.answered_at: Instant = 0.0
        self.handled: Seconds = NOVICE  # smoothed mean of talk and wrap-up
        self.won = 0
        self.tried = 0
        self.ledger = Ledger(window)
        # derived
        self.state: State = OFFLINE
        self.detail = ""
        self.until: Instant | None = None
        self.since: Instant = 0.0
        self.available = False
        self.pooled = False
        self.due: Instant | None = None  # the deadline that is armed for this agent
        self.manned = 0
        self.stamp = 0  # counts comings and goings, so that a heap knows its stale rows
        self.seats: dict[str, Seat] = {}
        self.pools: list[Pool] = []
        self.guarded: list[Queue] = []  # queues with a reserve where the agent has a seat
        self.history: deque[Change] = deque(maxlen=HISTORY)
        self.told: Told = (OFFLINE, "", None)  # what was last reported

    def load(self) -> int:
        """Calls at this moment: any leg counts, and so does an offer."""
        return len(self.offers) + len(self.talks) + len(self.legs)

    def derive_state(self) -> State:
        """What the agent is doing: work first, then what was chosen, then what hinders."""
        if self.talks:
            return TALKING
        if self.legs:
            return BUSY
        if self.offers:
            return RINGING
        if self.wrapping:
            return WRAP_UP
        if self.status is not READY:
            return PAUSED if self.status is Status.PAUSED else OFFLINE
        if not self.registered:
            return UNREACHABLE
        if self.dnd:
            return DND
        return IDLE if self.rest_until is None else RESTING

    def derive_available(self) -> bool:
        """May be offered a call: eligibility, which comes before any order."""
        return (
            self.status is READY
            and self.registered
            and not self.dnd
            and not self.wrapping
            and self.rest_until is None
            and self.load() < self.settings.capacity
        )

    def derive_manned(self) -> int:
        """What the agent is worth to a queue's staffing: 2 ready, 1 logged in only, 0 absent."""
        if self.status is Status.LOGGED_OUT:
            return 0
        return 2 if self.status is READY and self.registered and not self.dnd else 1

    def next_due(self) -> Instant | None:
        """The earliest end of wrap-up, of rest and of patience with a caller on hold."""
        due = self.wrap_until if self.wrapping else None
        if self.rest_until is not None and (due is None or self.rest_until < due):
            due = self.rest_until
        for talk in self.talks.values():
            if talk.hold_due is not None and (due is None or talk.hold_due < due):
                due = talk.hold_due
        return due

    def leases(self) -> Iterator[Instant]:
        """When each leg that is not confirmed again will be taken for lost."""
        yield from self.legs.values()
        for talk in self.talks.values():
            yield talk.lease
