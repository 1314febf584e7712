"""What may be set about queues and agents: plain frozen data, the unit in the type.

Whoever reads a configuration file builds these; `problems` says everything that is wrong with
them at once.  A *target* (`voicemail:sales`, or several: `queue:b, voicemail:b`) is opaque here
unless it is one queue, `queue:NAME`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from acd.skills import SkillError, parse
from acd.types import OfferOutcome, Seconds


@dataclass(frozen=True, slots=True)
class Member:
    """An agent's seat in a queue; seats are ordered as they stand in `QueueSettings.members`."""

    agent: str
    tier: int = 1
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked of an agent once a caller has waited `after`; None keeps what held before.

    `skills` relaxes the queue's requirement (`""` asks nothing); `tier` opens tiers up to it.
    """

    after: Seconds
    skills: str | None = None
    tier: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One line of the schedule: first at `first` seconds of waiting, then each `every` seconds.

    `what`: "position", "wait", or names of prompts, taken in turn.  `times` limits it.
    """

    what: tuple[str, ...]
    first: Seconds
    every: Seconds | None = None
    times: int | None = None


class Staffing(StrEnum):
    """How many agents a queue must have for callers to join or stay."""

    ANY = "any"  # nobody needed
    LOGGED_IN = "logged-in"  # somebody logged in, even paused
    READY = "ready"  # somebody ready and reachable, even busy
    FREE = "free"  # somebody who could be offered a call at this moment; to join only


@dataclass(frozen=True, slots=True)
class Overflow:
    """Send callers on when the queue is this long, or they would wait or have waited this long."""

    target: str
    length: int | None = None
    expected: Seconds | None = None
    waited: Seconds | None = None


class Callback(StrEnum):
    AGENT_FIRST = "agent-first"
    CUSTOMER_FIRST = "customer-first"


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    mode: Callback = Callback.AGENT_FIRST
    attempts: int = 3
    retry: Seconds = 300.0
    deadline: Seconds = 4 * 3600.0
    """After the request, unless the request names one."""
    lead: Seconds = 20.0
    """Customer first: dial when the predicted wait is no longer than this."""
    ring_time: Seconds = 45.0


@dataclass(frozen=True, slots=True)
class Miss:
    """What follows from an offer that ended so.

    The agent is not asked for the same call again for `skip` seconds and for no call at all for
    `rest`; `pause_after` such outcomes within `window` pause the agent (0: never).
    `lose_turn`: the idle clock starts anew.
    """

    skip: Seconds = 60.0
    rest: Seconds = 0.0
    pause_after: int = 0
    window: Seconds = 600.0
    lose_turn: bool = False


MISSES: dict[str, Miss] = {
    OfferOutcome.REJECTED: Miss(skip=60.0, lose_turn=True),
    OfferOutcome.NO_ANSWER: Miss(skip=60.0, pause_after=3, lose_turn=True),
    OfferOutcome.BUSY: Miss(skip=15.0, rest=5.0),
    OfferOutcome.UNREACHABLE: Miss(skip=10.0, rest=5.0, pause_after=2, window=120.0),
    OfferOutcome.CANCELLED_BY_CALLER: Miss(skip=0.0),
    OfferOutcome.LOST_RACE: Miss(skip=0.0),
    OfferOutcome.WITHDRAWN: Miss(skip=0.0),
}
"""The defaults; a network failure is not a no-answer: it is tried once more, then pauses."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    members: tuple[Member, ...] = ()
    strategy: str = "longest-idle"
    shadow: str = ""
    """A strategy that decides in parallel, is not obeyed, and is reported where it differs."""
    priority: int = 0
    """Added to the priority of every call that waits here."""
    ageing: Seconds | None = None
    """As `Settings.ageing`, for callers of this queue."""
    skills: str = ""
    """What an agent must be able to do: `sales >= 5 and english`."""
    steps: tuple[Step, ...] = ()
    reserve: int = 0
    """This many free members are kept back from callers of other queues…"""
    reserve_priority: int | None = None
    """…and from callers of this one whose priority is less."""

    ring_time: Seconds = 20.0
    connect_time: Seconds = 30.0
    """From answer to both-way sound, whisper included; then the offer has failed."""
    cancel_on_answer: bool = False
    """Ring-all: losers stop at the first answer, not only once caller and winner are joined."""
    wrap_up: Seconds = 0.0
    max_hold: Seconds | None = None
    """An agent who has the caller on hold for so long is reminded…"""
    hold_grace: Seconds = 15.0
    """…and after this the call is reclaimed…"""
    hold_recall: bool = True
    """…by ringing the agent; False: it goes back into the queue."""
    sticky: Seconds = 0.0
    """How long a known caller waits for the agent of last time before anybody else is asked."""
    misses: dict[str, Miss] = field(default_factory=lambda: dict(MISSES))

    also: tuple[str, ...] = ()
    """Queues in which its callers wait at the same time; whichever has an agent first serves."""
    hold: bool = True
    """False: to an agent at once, or on to `next` at once."""
    max_length: int | None = None
    max_wait: Seconds | None = None
    join_when: Staffing = Staffing.ANY
    stay_when: Staffing = Staffing.ANY
    overflow: tuple[Overflow, ...] = ()
    next: str = ""
    """Where callers go who may not join or wait any longer."""
    empty: str = ""
    """Where they go for want of agents, and…"""
    closed: str = ""
    """…while the queue is closed; absent, to `next`."""
    hold_cost: float = 0.0
    """Money per minute that a waiting caller costs us."""
    hold_cost_cap: float | None = None
    keep_place: Seconds = 0.0
    """How long the place of a caller who dropped is kept for their return."""
    announcements: tuple[Announcement, ...] = ()
    callback: CallbackSettings = CallbackSettings()

    fairness: Seconds = 300.0
    """`fastest-first`: nobody idles longer than this while others work."""
    ring_step: Seconds = 10.0
    """`ring-progressive`: how often one more agent rings."""
    cost: float = 1.0
    """`cost`: what a second of a caller's waiting is worth here."""
    target: Seconds = 20.0
    """`service-level`: within which callers should be answered…"""
    goal: float = 0.8
    """…and for which share of them."""
    short_abandon: Seconds = 5.0
    """Whoever gives up within this is counted apart."""

    def longest_hold(self) -> Seconds | None:
        """How long anybody is held: `max_wait` or what `hold_cost_cap` pays for, if less."""
        limits = [] if self.max_wait is None else [self.max_wait]
        if self.hold_cost_cap is not None and self.hold_cost > 0:
            limits.append(60.0 * self.hold_cost_cap / self.hold_cost)
        return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    skills: dict[str, int] = field(default_factory=dict)
    """Levels, 1 (least) to 10."""
    capacity: int = 1
    """How many calls at once; any leg counts."""
    wrap_up: Seconds | None = None
    """The agent's own wrap-up; the longest demand wins."""
    external: str = ""
    """A number outside: needs no registration, and every offer must be confirmed by a key."""
    performance: float | None = None
    """`performance`: the conversion to assume before there are results; absent: the queue's."""
    cost: float = 1.0
    """`cost`: what a minute of this agent costs."""
    trainee: bool = False
    """`training`: comes before everybody else."""


@dataclass(frozen=True, slots=True)
class Settings:
    queues: dict[str, QueueSettings] = field(default_factory=dict)
    agents: dict[str, AgentSettings] = field(default_factory=dict)
    ageing: Seconds = 60.0
    """Seconds of waiting that weigh as much as one level of priority.

    Nobody who arrives later than `ageing * (p - q)` after a caller of priority q is served before
    that caller, whatever their priority p: that is the worst case for the lowest class.
    """
    priorities: tuple[int, int] = (-10, 10)
    """Least and greatest priority; others are brought into this range."""
    wrap_up_ceiling: Seconds = 900.0
    leg_lease: Seconds = 4 * 3600.0
    """A leg that nobody has confirmed for so long is taken for lost."""
    leg_grace: Seconds = 30.0
    """How soon an agent's leg must end after the caller's has."""
    window: Seconds = 3600.0
    """Over which calls, talk and occupancy of agents are counted, in twelve steps."""
    memory: int = 100_000
    """How many customers' last agents are remembered."""
    seed: int = 1
    audit_every: int = 10_000
    """Events between two full checks of the invariants; 0 is never.

    In a large centre as many as ten times its agents and calls, lest an event cost much.
    """


def queue_of(target: str) -> str | None:
    """The queue that a target is, if it is one queue and nothing else."""
    kind, _, name = target.partition(":")
    return name if kind == "queue" and "," not in name else None


def problems(settings: Settings, strategies: set[str]) -> Iterator[tuple[str, str]]:
    """(dotted key, sentence) of everything that is wrong."""
    for name, queue in settings.queues.items():
        yield from _queue_problems(f"queues.{name}", queue, settings, strategies)
    for name, agent in settings.agents.items():
        if agent.capacity < 1:
            yield f"agents.{name}.capacity", "must be at least 1"
        for skill, level in agent.skills.items():
            if not 1 <= level <= 10:
                yield f"agents.{name}.skills.{skill}", "levels go from 1 to 10"
    if settings.ageing <= 0:
        yield "ageing", "must be more than 0 seconds; a great number makes priority strict"


def _queue_problems(
    key: str, queue: QueueSettings, settings: Settings, strategies: set[str]
) -> Iterator[tuple[str, str]]:
    for member in queue.members:
        if member.agent not in settings.agents:
            yield f"{key}.agents", f"there is no agent {member.agent!r}"
        if member.weight <= 0:
            yield f"{key}.agents.{member.agent}.weight", "must be more than 0"
    for name, chosen in (("strategy", queue.strategy), ("shadow", queue.shadow)):
        if (chosen or name == "strategy") and chosen not in strategies:
            yield f"{key}.{name}", f"there is no strategy {chosen!r}"
    for text in (queue.skills, *(step.skills or "" for step in queue.steps)):
        yield from _skill_problems(f"{key}.skills", text, settings)
    ways = (queue.next, queue.empty, queue.closed, *(o.target for o in queue.overflow))
    named = [("next", queue_of(target)) for target in ways]
    for field_name, other in named + [("also", name) for name in queue.also]:
        if other is not None and other not in settings.queues:
            yield f"{key}.{field_name}", f"there is no queue {other!r}"
    if queue.stay_when is Staffing.FREE:
        yield f"{key}.stay_when", "whoever waits does so because nobody is free; set hold = false"


def _skill_problems(key: str, text: str, settings: Settings) -> Iterator[tuple[str, str]]:
    known = {skill for agent in settings.agents.values() for skill in agent.skills}
    try:
        unknown = set(parse(text).names) - known
    except SkillError as error:
        yield key, str(error)
    else:
        if unknown:
            yield key, f"no agent has the skill {sorted(unknown)[0]!r}"
