"""What happens on a simulated day: rules, callers, shifts.  Plain data; instants from 0 on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from acd.settings import AgentSettings, Member, QueueSettings, Settings
from acd.simulate.laws import AT_ONCE, FOR_EVER, THREE_MINUTES, Law
from acd.types import CallId, Instant, Seconds

HOUR: Seconds = 3600.0


@dataclass(frozen=True, slots=True)
class Caller:
    """One call that will come, whatever the rules: so each candidate is given the same callers.

    `talk` is what an agent of speed 1 needs; `answer` is how long their phone rings; `luck`, from
    0 to 1, decides who lets it ring in vain.
    """

    at: Instant
    call: CallId
    queue: str
    patience: Seconds
    talk: Seconds
    answer: Seconds
    luck: float = 0.5
    customer: str = ""
    priority: int = 0
    skills: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Poisson arrivals at `per_hour` from `start` to `end`."""

    start: Instant
    end: Instant
    per_hour: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Callers of one kind."""

    queue: str
    periods: tuple[Period, ...]
    talk: Law = THREE_MINUTES
    patience: Law = FOR_EVER
    answer: Law = AT_ONCE
    customers: int = 0
    """They are so many people, who call again and again; 0: everybody calls once."""
    priority: int = 0
    skills: str = ""

    def callers(self, seed: int, number: int) -> Iterator[Caller]:
        """The callers of one day; arrivals and what they are like come from dice of their own."""
        when, what = Random(f"{seed}.{number}.when"), Random(f"{seed}.{number}.what")
        count = 0
        for period in self.periods:
            at = period.start
            while period.per_hour > 0:
                at += when.expovariate(period.per_hour / HOUR)
                if at >= period.end:
                    break
                count += 1
                who = f"customer{what.randrange(self.customers)}" if self.customers else ""
                yield Caller(
                    at,
                    f"{number}-{count}",
                    self.queue,
                    self.patience.sample(what),
                    self.talk.sample(what),
                    self.answer.sample(what),
                    what.random(),
                    who,
                    self.priority,
                    self.skills,
                )


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent on duty from `start` to `end`, paused during `breaks`."""

    agent: str
    start: Instant
    end: Instant
    breaks: tuple[tuple[Instant, Instant], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A day.  `recorded` callers come besides those of the `streams`."""

    settings: Settings
    streams: tuple[Stream, ...] = ()
    shifts: tuple[Shift, ...] = ()
    recorded: tuple[Caller, ...] = ()
    miss: float = 0.0
    """Probability that an agent lets it ring."""
    speed: dict[str, float] = field(default_factory=dict)
    """How much faster than 1 an agent talks."""

    def callers(self, seed: int) -> list[Caller]:
        """Everybody who calls on this day, by time.  The rules have no part in it."""
        drawn = [c for n, stream in enumerate(self.streams) for c in stream.callers(seed, n)]
        return sorted([*drawn, *self.recorded], key=lambda caller: caller.at)


def one_queue(
    agents: int,
    per_hour: float,
    hours: float,
    queue: QueueSettings | None = None,
    *,
    talk: Law = THREE_MINUTES,
    patience: Law = FOR_EVER,
) -> Scenario:
    """The textbook's call centre: equal agents, one queue `q`, one rate."""
    names = [f"agent{n:02}" for n in range(1, agents + 1)]
    members = tuple(Member(name) for name in names)
    end = hours * HOUR
    return Scenario(
        Settings(
            queues={"q": replace(queue or QueueSettings(), members=members)},
            agents={name: AgentSettings() for name in names},
            audit_every=0,
        ),
        (Stream("q", (Period(0.0, end, per_hour),), talk, patience),),
        tuple(Shift(name, 0.0, end) for name in names),
    )
