"""Which of the free agents a caller gets: each strategy is a key function, and the least key wins.

Interface, version 1.  A strategy is a class with a `name`, made without arguments, and

* `key(seat, pool, now)` — a tuple of numbers for an agent who is free.  It is taken once, when the
  agent becomes free, and again at each step of the window if `windowed`; so it may look at the
  agent and at the clock but not at the caller.  `pool.level(agent)` is the proficiency for what
  the caller needs.  Ties go to the earlier seat.
* `shape` — how the free agents are kept: a heap by key (the rule), a circle that goes on after the
  last one asked, dice, or `LIVE`: all keys anew for each caller, which costs O(free agents).
* `fan(settings, rung)` — how many agents ring at once for a caller, `rung` seconds after the first.
* `rank(entry, now)` — only where callers of different queues are *not* taken by priority and
  arrival: the caller's place in line in seconds; smaller is served first.  `neutral` is then False.

It must not keep anything itself: what it needs is in seat, agent and queue.  Others come from the
entry-point group `softswitch.strategies`; `python -m acd.conformance NAME` is what each must pass.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from acd.types import AcdError, Instant, Seconds

if TYPE_CHECKING:
    from acd.agent import Seat
    from acd.call import Entry
    from acd.pool import Pool
    from acd.settings import QueueSettings

Key: TypeAlias = tuple[float, ...]

INTERFACE = 1
EVERYBODY = 1 << 30
PRIOR = 600.0
"""Seconds of average work that every agent's record starts with: a newcomer is not flooded."""
TRIALS = 20
"""Imagined average calls added to a sales record, so that 3 of 4 does not beat 44 of 118."""


class Shape(Enum):
    HEAP, CIRCLE, DICE, LIVE = range(4)


class Strategy:
    """What every strategy starts from: one agent at a time, callers by priority and arrival."""

    name: ClassVar[str]
    interface: ClassVar[int] = INTERFACE
    shape: ClassVar[Shape] = Shape.HEAP
    windowed: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    neutral: ClassVar[bool] = True
    single: ClassVar[bool] = True

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        raise NotImplementedError

    def fan(self, settings: QueueSettings, rung: Seconds) -> int:
        return 1

    def rank(self, entry: Entry, now: Instant) -> float:
        return entry.row[0]


class LongestIdle(Strategy):
    """Who has been idle longest.  A pause is not idleness, and a missed offer ends it."""

    name = "longest-idle"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.agent.idle_since,)


class Linear(Strategy):
    """Always from the top: tier, then the order of the list."""

    name = "linear"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.tier, seat.order)


class RoundRobin(Strategy):
    """In a circle; the pointer is the queue's own, so other queues do not move it."""

    name = "round-robin"
    shape = Shape.CIRCLE

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        size = len(pool.queue.seats) or 1
        return ((seat.order - pool.queue.pointer - 1) % size,)


class Random(Strategy):
    """Each free agent equally likely."""

    name = "random"
    shape = Shape.DICE

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (0,)


class RingAll(LongestIdle):
    """Everybody who is free, at once; who becomes free meanwhile rings too.  First answer wins."""

    name = "ring-all"
    single = False

    def fan(self, settings: QueueSettings, rung: Seconds) -> int:
        return EVERYBODY


class RingProgressive(Linear):
    """From the top, one more agent each `ring_step` seconds, while the first ring on."""

    name = "ring-progressive"
    single = False

    def fan(self, settings: QueueSettings, rung: Seconds) -> int:
        # a timer may come a rounding error early, and must not come in vain
        return 1 + int(rung / settings.ring_step + 1e-6)


class Fair(Strategy):
    """Longest cumulative idleness (Atar, Shaki and Shwartz 2011): idle shares become equal.

    While idle, everybody's idleness grows at one rate, so the order does not change.
    """

    name = "fair"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.agent.since - seat.agent.idle_total,)


class FewestCalls(Strategy):
    """Fewest answered calls per ready time within the window."""

    name = "fewest-calls"
    windowed = True

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        totals = seat.agent.ledger.totals(now)
        mean = pool.queue.norm.calls
        return ((totals.calls + mean * PRIOR) / (totals.ready + PRIOR), seat.agent.idle_since)


class LeastTalk(Strategy):
    """Least talk time per ready time within the window."""

    name = "least-talk-time"
    windowed = True

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        totals = seat.agent.ledger.totals(now)
        mean = pool.queue.norm.talk
        return ((totals.talk + mean * PRIOR) / (totals.ready + PRIOR), seat.agent.idle_since)


class LeastLoaded(Strategy):
    """Lowest occupancy, ringing and wrap-up included, within the window."""

    name = "least-loaded"
    windowed = True

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        totals = seat.agent.ledger.totals(now)
        mean = pool.queue.norm.occupied
        return ((totals.occupied + mean * PRIOR) / (totals.ready + PRIOR), seat.agent.idle_since)


class Weighted(Strategy):
    """Shares of the answered calls by weight: who is furthest behind theirs (stride scheduling)."""

    name = "weighted"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.served + 1 / seat.weight,)


class Skilled(Strategy):
    """The most proficient in what this caller needs."""

    name = "skill"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (-pool.level(seat.agent), seat.agent.idle_since)


class Training(Strategy):
    """Trainees first, then the least proficient who will do: training on quiet hours."""

    name = "training"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        agent = seat.agent
        return (not agent.settings.trainee, pool.level(agent), agent.idle_since)


class Performance(Strategy):
    """The best measured conversion first, drawn towards the mean where there is little data."""

    name = "performance"

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        agent, mean = seat.agent, seat.agent.settings.performance
        if mean is None:
            mean = pool.queue.conversion
        rate = (agent.won + mean * TRIALS) / (agent.tried + TRIALS)
        return (-rate, agent.idle_since)


class FastestFirst(Strategy):
    """Shortest handle time first (Armony 2005), but nobody idles beyond `fairness` seconds."""

    name = "fastest-first"
    bounded = True

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.agent.handled, seat.agent.idle_since)


class Cost(LongestIdle):
    """The cμ rule: a caller's waiting counts as much as it costs, times how fast it is ended.

    A free agent takes the queue with the greatest c·μ·wait; μ is the queue's measured rate.  Of
    several agents the one whose minute costs least is taken, then the longest idle.
    """

    name = "cost"
    neutral = False

    def key(self, seat: Seat, pool: Pool, now: Instant) -> Key:
        return (seat.agent.settings.cost, seat.agent.idle_since)

    def rank(self, entry: Entry, now: Instant) -> float:
        queue = entry.queue
        return now - (now - entry.row[0]) * queue.settings.cost * 180.0 / queue.handled


class ServiceLevel(LongestIdle):
    """Waiting is counted in the queue's own targets, and more where its goal is missed."""

    name = "service-level"
    neutral = False

    def rank(self, entry: Entry, now: Instant) -> float:
        queue = entry.queue
        pressure = (1 + max(0.0, queue.settings.goal - queue.level)) ** 2
        return now - (now - entry.row[0]) * pressure * 20.0 / queue.settings.target


BUILT_IN: tuple[type[Strategy], ...] = (
    LongestIdle,
    Linear,
    RoundRobin,
    Random,
    RingAll,
    RingProgressive,
    Fair,
    FewestCalls,
    LeastTalk,
    LeastLoaded,
    Weighted,
    Skilled,
    Training,
    Performance,
    FastestFirst,
    Cost,
    ServiceLevel,
)


@lru_cache(maxsize=1)
def strategies() -> dict[str, Strategy]:
    """Every strategy that can be named, those of installed packages included."""
    found: dict[str, Strategy] = {kind.name: kind() for kind in BUILT_IN}
    for point in entry_points(group="softswitch.strategies"):
        kind = point.load()
        if getattr(kind, "interface", None) != INTERFACE:
            raise AcdError(f"strategy {point.value} is not of interface version {INTERFACE}")
        found[kind.name] = kind()
    return found
