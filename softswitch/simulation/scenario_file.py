"""A scenario file: who calls when, for how long, and who is there.  TOML, checked as settings are.

Its `[queues.NAME]` and `[agents.NAME]` are those of the settings file; where it has none they are
taken from there.  See `docs/simulator.md`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from acd.settings import AgentSettings, Member, QueueSettings, Settings
from acd.simulate.laws import AT_ONCE, FOR_EVER, Constant, Exponential, Law, Lognormal, Recorded
from acd.simulate.scenario import HOUR, Period, Scenario, Shift, Stream
from acd.skills import parse
from acd.types import Instant
from config import ConfigError, Problem
from config.base import Name, Names, Positive, Table
from config.explain import explain
from config.loader import read
from config.problems import did_you_mean, dotted
from softswitch.pbx.acd_settings import settings_of

_CLOCK = re.compile(r"(\d\d?):(\d\d)")


def _clock(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    if not found or int(found[1]) * 60 + int(found[2]) > 24 * 60 or int(found[2]) > 59:
        raise ValueError(f'"{text}" is no time of day; write it as 09:30')
    return text


def _span(text: str) -> str:
    begin, dash, end = text.partition("-")
    if not dash or instant(_clock(begin.strip())) >= instant(_clock(end.strip())):
        raise ValueError(f'"{text}" is no span of a day; write it as 13:00-13:30')
    return text


Clock: TypeAlias = Annotated[str, AfterValidator(_clock)]
"""A time of day: `09:30`."""
Span: TypeAlias = Annotated[str, AfterValidator(_span)]
"""From one time of day to a later one: `13:00-13:30`."""


def instant(clock: str) -> Instant:
    """Seconds since midnight."""
    hours, minutes = clock.split(":")
    return int(hours) * HOUR + int(minutes) * 60.0


def seconds(span: str) -> tuple[Instant, Instant]:
    """Begin and end of a span of the day."""
    begin, _, end = span.partition("-")
    return instant(begin.strip()), instant(end.strip())


class Times(Table):
    """How long something takes; a bare number is the mean of an exponential law."""

    mean: Positive | None = None
    cv: Positive | None = None
    """Standard deviation over mean: the law is lognormal then."""
    samples: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """Measured times, drawn at random."""
    fit: bool = False
    """A lognormal law fitted to `samples` instead."""

    @model_validator(mode="after")
    def _one_law(self) -> Self:
        if (self.mean is None) is (self.samples is None):
            raise ValueError("give either mean or samples")
        return self

    def law(self) -> Law:
        if self.samples is not None:
            return Lognormal.fit(self.samples) if self.fit else Recorded(self.samples)
        assert self.mean is not None
        return Exponential(self.mean) if self.cv is None else Lognormal(self.mean, self.cv)


def _times(value: Any) -> Any:
    return {"mean": value} if isinstance(value, int | float) else value


Lasting: TypeAlias = Annotated[Times, BeforeValidator(_times)]
"""`180`, or `{ mean = 180, cv = 0.8 }`, or `{ samples = [30, 200, 95] }`."""


class Calls(Table):
    """`[[calls]]`: callers of one kind."""

    queue: Name
    hours: Span = "09:00-17:00"
    per_hour: Annotated[float, Field(ge=0)] | None = None
    profile: dict[Clock, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Calls an hour from each time of day on, until the next one: `{ "09:00" = 40 }`."""
    talk: Lasting = Times(mean=180.0)
    patience: Lasting | None = None
    """Absent: nobody gives up."""
    ring: Annotated[float, Field(ge=0)] = 0.0
    """How long an agent's phone rings, in seconds."""
    customers: Annotated[int, Field(ge=0)] = 0
    """They are so many people, who call again; 0: everybody calls once."""
    priority: int = 0
    skills: str = ""

    @model_validator(mode="after")
    def _some_rate(self) -> Self:
        if (self.per_hour is None) is (not self.profile):
            raise ValueError("give either per_hour or profile")
        return self

    def stream(self) -> Stream:
        return Stream(
            self.queue,
            tuple(self._periods()),
            self.talk.law(),
            self.patience.law() if self.patience else FOR_EVER,
            Constant(self.ring) if self.ring else AT_ONCE,
            self.customers,
            self.priority,
            self.skills,
        )

    def _periods(self) -> list[Period]:
        start, end = seconds(self.hours)
        if self.per_hour is not None:
            return [Period(start, end, self.per_hour)]
        steps = sorted((instant(clock), rate) for clock, rate in self.profile.items())
        ends = [at for at, _ in steps[1:]] + [max(end, steps[-1][0])]
        return [Period(at, until, rate) for (at, rate), until in zip(steps, ends, strict=True)]


class Duty(Table):
    """`[[shifts]]`: who is there; agents of no shift are there all day."""

    agents: Names
    hours: Span
    breaks: tuple[Span, ...] = ()

    def shifts(self) -> list[Shift]:
        start, end = seconds(self.hours)
        breaks = tuple(seconds(span) for span in self.breaks)
        return [Shift(agent, start, end, breaks) for agent in self.agents]


class ScenarioFile(Table):
    """The file as a whole; everything else in it is read as settings."""

    calls: Annotated[tuple[Calls, ...], Field(min_length=1)]
    shifts: tuple[Duty, ...] = ()
    staff: Annotated[int, Field(gt=0)] | None = None
    """So many equal agents serve every queue, in place of those who are named."""
    miss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability that an agent lets it ring."""
    speed: dict[Name, Positive] = Field(default_factory=dict)
    """How much faster than others an agent talks."""


def load_scenario(path: Path, settings: Settings | None = None) -> Scenario:
    """The scenario in `path`; raises ConfigError with all mistakes.

    `settings` are used where the file has no queues of its own.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem("", f"{path} cannot be read ({error.strerror})")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([Problem("", f"{path} is no TOML: {error}")]) from None
    own = {key: document.pop(key) for key in ScenarioFile.model_fields if key in document}
    try:
        file = ScenarioFile.model_validate(own)
    except ValidationError as error:
        raise ConfigError(explain(error, own, ScenarioFile)) from None
    if document.get("queues") or settings is None:
        settings = _own_settings(document, path)
    return scenario_of(file, settings)


def _own_settings(document: dict[str, Any], path: Path) -> Settings:
    found, problems = read(document, path.resolve().parent)
    if found is None:
        raise ConfigError(problem for problem in problems if not problem.warning)
    return settings_of(found)


def scenario_of(file: ScenarioFile, settings: Settings) -> Scenario:
    """The scenario that the file describes under these rules."""
    if file.staff is not None:
        settings = staffed(settings, file.staff)
    _check_names(file, settings)
    streams = tuple(calls.stream() for calls in file.calls)
    shifts = [shift for duty in file.shifts for shift in duty.shifts()]
    named = {shift.agent for shift in shifts}
    start = min(period.start for stream in streams for period in stream.periods)
    end = max(period.end for stream in streams for period in stream.periods)
    shifts += [Shift(name, start, end) for name in settings.agents if name not in named]
    return Scenario(settings, streams, tuple(shifts), miss=file.miss, speed=dict(file.speed))


def _check_names(file: ScenarioFile, settings: Settings) -> None:
    wanted = [
        *((f"calls[{n}].queue", "queue", c.queue) for n, c in enumerate(file.calls)),
        *(
            (f"shifts[{n}].agents", "agent", name)
            for n, duty in enumerate(file.shifts)
            for name in duty.agents
        ),
        *((dotted("speed", name), "agent", name) for name in file.speed),
    ]
    known: dict[str, Mapping[str, object]] = {
        "queue": settings.queues,
        "agent": settings.agents,
    }
    problems = [
        Problem(key, f'there is no {what} "{name}"{did_you_mean(name, known[what])}')
        for key, what, name in wanted
        if name not in known[what]
    ]
    if problems:
        raise ConfigError(problems)


def staffed(settings: Settings, agents: int) -> Settings:
    """The same rules with so many equal agents at every queue, who can do everything asked for."""
    rules = settings.queues.values()
    texts = [text for q in rules for text in (q.skills, *(s.skills or "" for s in q.steps))]
    skills = {name: 10 for text in texts for name in parse(text).names}
    names = [f"agent{number:0{len(str(agents))}}" for number in range(1, agents + 1)]
    members = tuple(Member(name) for name in names)
    return replace(
        settings,
        queues={n: replace(q, members=members) for n, q in settings.queues.items()},
        agents={name: AgentSettings(skills=dict(skills)) for name in names},
    )


def plain_settings(queue: str, agents: int) -> Settings:
    """One queue with nothing but its default rules."""
    return staffed(Settings(queues={queue: QueueSettings()}, audit_every=0), agents)
