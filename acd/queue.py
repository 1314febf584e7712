"""One queue: who sits at it, who stands in it, and its counts.  Keeps order, decides nothing."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from acd.agent import Seat
from acd.ledger import STEPS
from acd.pool import Needs, Pool
from acd.predict import Predictor
from acd.settings import QueueSettings, Staffing
from acd.skills import both
from acd.strategies import Strategy, strategies
from acd.types import Instant, Seconds, VisitOutcome

if TYPE_CHECKING:
    from acd.call import Call, Entry, Row

ALL_TIERS = 1 << 30
MANY_POOLS = 64
SMOOTHING = 0.05


class Norm(NamedTuple):
    """Mean work of the queue's agents per ready second, within the window."""

    calls: float = 0.0
    talk: float = 0.0
    occupied: float = 0.0


class Queue:
    """`line` holds everybody who waits, being rung or not, in order of service."""

    __slots__ = (
        "conversion",
        "dialling",
        "ended",
        "entered",
        "epoch",
        "free",
        "handled",
        "hold",
        "level",
        "limits",
        "line",
        "logged_in",
        "name",
        "norm",
        "open",
        "pointer",
        "pools",
        "predictor",
        "rule",
        "seats",
        "settings",
        "shadow",
        "shadow_pointer",
        "shadowed",
        "staff",
        "steps",
        "timed",
        "window",
    )

    def __init__(self, name: str, settings: QueueSettings, window: Seconds) -> None:
        self.name = name
        self.window = window
        self.open = True
        self.seats: dict[str, Seat] = {}
        self.line: list[Row] = []
        self.pools: dict[Needs, Pool] = {}
        self.pointer = -1  # order of the agent who was asked last
        self.staff = 0  # members ready and reachable, busy or not
        self.logged_in = 0
        self.free: set[str] = set()  # members who may be offered a call, where there is a reserve
        self.dialling = 0  # callbacks whose customers are being rung
        self.entered = 0
        self.ended: dict[str, int] = dict.fromkeys(VisitOutcome, 0)
        self.handled: Seconds = 180.0  # smoothed mean of talk and wrap-up
        self.level = 1.0  # smoothed share answered within the target
        self.norm = Norm()
        self.epoch = -1.0
        self.conversion = 0.5
        self.predictor = Predictor()
        self.shadow_pointer = -1
        self.shadowed = [0, 0]  # decisions, of them different
        self.configure(settings)

    def configure(self, settings: QueueSettings) -> None:
        """Take new settings; seats and pools are the floor's to redo."""
        self.settings = settings
        self.rule: Strategy = strategies()[settings.strategy]
        self.shadow: Strategy | None = strategies().get(settings.shadow)
        self.steps = [(0.0, Needs(settings.skills, ALL_TIERS))]
        for step in sorted(settings.steps, key=lambda step: step.after):
            skills, tier, *_ = self.steps[-1][1]
            skills = skills if step.skills is None else step.skills
            tier = tier if step.tier is None else step.tier
            self.steps.append((step.after, Needs(skills, tier)))
        self.hold = settings.longest_hold()
        self.limits = [rule.waited for rule in settings.overflow if rule.waited is not None]
        self.timed = (
            self.hold is not None
            or len(self.steps) > 1
            or bool(self.limits or settings.announcements)
            or not self.rule.single
        )

    def needs(self, entry: Entry) -> Needs:
        """What this caller asks for at this moment."""
        plain = bool(self.settings.reserve) and not self._reserves_for(entry.call)
        if entry.sticky_until is not None:
            return Needs("", ALL_TIERS, entry.call.preferred, plain)
        needs = self.steps[entry.step][1]
        if not entry.call.skills and not plain:
            return needs
        return Needs(both(needs.skills, entry.call.skills), needs.tier, "", plain)

    def position(self, entry: Entry) -> int:
        """1 is next."""
        return bisect_left(self.line, entry.row) + 1

    def longest_wait(self, now: Instant) -> Seconds:
        """How long the first in line has waited, or 0."""
        return self.line[0][3].waited(now) if self.line else 0.0

    def _reserves_for(self, call: Call) -> bool:
        """The agents in reserve are kept for callers like this one."""
        least = self.settings.reserve_priority
        return least is None or call.priority + self.settings.priority >= least

    def staffed(self, staffing: Staffing) -> bool:
        """Whether agents enough are there for callers to join or stay."""
        if staffing is Staffing.ANY:
            return True
        if staffing is Staffing.FREE:
            return any(seat.agent.available for seat in self.seats.values())
        return (self.staff if staffing is Staffing.READY else self.logged_in) > 0

    def turn_window(self, now: Instant) -> float:
        """The step of the rolling window; at a new one the agents' means are taken anew."""
        epoch = now // (self.window / STEPS)
        if epoch != self.epoch:
            self.epoch = epoch
            totals = [seat.agent.ledger.totals(now) for seat in self.seats.values()]
            ready = sum(t.ready for t in totals) or 1.0
            self.norm = Norm(
                sum(t.calls for t in totals) / ready,
                sum(t.talk for t in totals) / ready,
                sum(t.occupied for t in totals) / ready,
            )
        return epoch

    def score(self) -> None:
        """Take the mean conversion of the members anew."""
        won = sum(seat.agent.won for seat in self.seats.values())
        tried = sum(seat.agent.tried for seat in self.seats.values())
        self.conversion = (won + 1) / (tried + 2)

    def drop_idle_pools(self) -> list[Pool]:
        """Forget pools that nobody needs now, once there are many; returns them."""
        if len(self.pools) < MANY_POOLS:
            return []
        idle = [pool for pool in self.pools.values() if not pool.busy()]
        for pool in idle:
            del self.pools[pool.needs]
        return idle
