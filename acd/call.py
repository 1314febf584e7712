"""One call, its entries in queues, and the offers made for it.  Records, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from acd.types import CallId, Instant, OfferId, Seconds

if TYPE_CHECKING:
    from acd.agent import Agent
    from acd.pool import Pool
    from acd.predict import Forecast
    from acd.queue import Queue

Row: TypeAlias = "tuple[float, int, str, Entry]"
"""(rank, number of the call, queue, entry): the order in which callers are served."""


class Phase(IntEnum):
    """Where a call stands.  `DIALLING`: a callback whose customer is being rung."""

    WAITING, CONNECTING, DIALLING = range(3)


@dataclass(slots=True)
class Callback:
    """A promise: `number` is dialled when the turn comes, at most so often, until the deadline."""

    number: str
    deadline: Instant
    attempt: int = 0
    not_before: Instant = 0.0
    rings_until: Instant = 0.0
    through: str = ""  # the queue whose agents the customer is being dialled for


@dataclass(slots=True, eq=False)
class Offered:
    """An offer that is open.  `leg` is set once the agent has answered."""

    id: OfferId
    call: Call
    entry: Entry
    agent: Agent
    made: Instant
    ends: Instant
    leg: str = ""


class Call:
    """A call from its arrival in the system until it is answered or gone.

    `number` orders calls of one rank; `live` is False while nobody is on the line (a callback).
    """

    __slots__ = (
        "arrived",
        "asked",
        "callback",
        "customer",
        "entries",
        "excluded",
        "hops",
        "id",
        "live",
        "number",
        "offers",
        "phase",
        "preferred",
        "priority",
        "served_by",
        "shown",
        "skills",
    )

    def __init__(self, call: CallId, number: int, arrived: Instant, priority: int) -> None:
        self.id = call
        self.number = number
        self.arrived = arrived
        self.priority = priority
        self.customer = ""
        self.shown = ""
        self.preferred = ""
        self.skills = ""
        self.live = True
        self.phase = Phase.WAITING
        self.served_by: OfferId | None = None
        self.hops = 0
        self.entries: dict[str, Entry] = {}
        self.offers: dict[OfferId, Offered] = {}
        self.asked: set[str] = set()  # agents who are being rung for it now
        self.excluded: dict[str, Instant] = {}  # agents not to be asked again before then
        self.callback: Callback | None = None


class Entry:
    """A call in one queue.

    `row` is its place in every ordered list; `shelf` the list of the pool it stands in, if any.
    `step` is how many relaxation steps have been taken; `announced` up to which second of waiting
    the schedule has been followed; `told` what position was last announced, at `told_at`, and
    `told_wait` what wait; `why` and `moved_at` explain a place that is not the end of the line.
    """

    __slots__ = (
        "announced",
        "call",
        "callback",
        "forecast",
        "joined",
        "moved_at",
        "pool",
        "queue",
        "row",
        "rung_at",
        "shelf",
        "step",
        "sticky_until",
        "told",
        "told_at",
        "told_wait",
        "told_wait_at",
        "why",
    )

    def __init__(self, call: Call, queue: Queue, joined: Instant, rank: float, why: str) -> None:
        self.call = call
        self.queue = queue
        self.joined = joined
        self.row: Row = (rank, call.number, queue.name, self)
        self.why = why
        self.callback = False
        self.step = 0
        self.sticky_until: Instant | None = None
        self.pool: Pool | None = None
        self.shelf: list[Row] | None = None
        self.rung_at: Instant | None = None
        self.announced: Seconds = -1.0
        self.told = 0
        self.told_at: Instant = 0.0
        self.told_wait: Seconds | None = None
        self.told_wait_at: Instant = 0.0
        self.moved_at: Instant = joined
        self.forecast: Forecast | None = None

    def take_rank(self, rank: float) -> None:
        """Another place; the entry must stand in no list meanwhile."""
        self.row = (rank, self.call.number, self.queue.name, self)

    def waited(self, now: Instant) -> Seconds:
        """Seconds in this queue."""
        return now - self.joined
