"""`[queues.NAME]`: callers who wait, the agents who serve them, and every rule between.

Which strategies there are and what a requirement may say is asked of the engine, which obeys them.
"""

from functools import cache
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from acd import skills
from acd.strategies import strategies
from config.agents import Level
from config.base import Digit, Name, Names, Number, Positive, Prompt, Prompts, Seconds, Table, Words
from config.problems import did_you_mean
from config.switch import Language
from config.targets import Kind, Targets


@cache
def strategy_names() -> frozenset[str]:
    """Every strategy there is, those of installed packages included."""
    return frozenset(strategies())


def _known_strategy(name: str) -> str:
    if name not in strategy_names():
        raise ValueError(f'there is no strategy "{name}"{did_you_mean(name, strategy_names())}')
    return name


def _understood(text: str) -> str:
    try:
        return skills.parse(text).text
    except skills.SkillError as error:
        raise ValueError(str(error)) from None


Requirement: TypeAlias = Annotated[str, AfterValidator(_understood)]
"""Skills that an agent must have: `sales >= 5 and (english or german)`."""
Strategy: TypeAlias = Annotated[str, AfterValidator(_known_strategy)]
AgentStates: TypeAlias = Literal["always", "logged-in", "ready", "free"]
"""Which agents a caller needs: none, one logged in, one not paused, one free."""


class Tier(Table):
    """`[[queues.NAME.tiers]]`: agents who join in once a caller has waited."""

    agents: Names
    after: Annotated[Seconds, Field(ge=0)] = 0.0


class Relax(Table):
    """`[[queues.NAME.relax]]`: what is required of an agent once a caller has waited."""

    after: Positive
    skills: dict[Name, Level] = {}
    requires: Requirement | None = None


class Sticky(Table):
    """`[queues.NAME.sticky]`: prefer the agent whom the caller spoke to last."""

    by: Literal["number", "customer"] = "number"
    wait: Annotated[Seconds, Field(ge=0)] = 30.0
    """How long to wait for him before the queue's strategy takes over."""


class Ageing(Table):
    """`[queues.NAME.ageing]`: priority grows with waiting, so that nobody waits for ever."""

    every: Positive = 60.0
    """Seconds of waiting that count for `step` levels of priority."""
    step: Annotated[int, Field(ge=1)] = 1


class NoAnswer(Table):
    """`[queues.NAME.no_answer]`: what becomes of an agent who lets it ring, rejects or is busy."""

    back_off: Annotated[Seconds, Field(ge=0)] = 10.0
    """Not offered the next call for so long."""
    busy_back_off: Annotated[Seconds, Field(ge=0)] = 20.0
    reject_back_off: Annotated[Seconds, Field(ge=0)] = 30.0
    unreachable_back_off: Annotated[Seconds, Field(ge=0)] = 60.0
    pause_after: Annotated[int, Field(ge=0)] = 3
    """So many unanswered offers within the window pause him; 0: never."""
    window: Positive = 600.0


class Announce(Table):
    """`[queues.NAME.announce]`: what waiting callers are told; never delays their turn."""

    first: Annotated[Seconds, Field(ge=0)] = 15.0
    every: Annotated[Seconds, Field(ge=0)] = 60.0
    """0: not again."""
    position: bool = True
    wait: bool = True
    """The expected wait, where one can be told."""
    wait_limit: Positive = 900.0
    """An expected wait beyond this is told as "more than"."""


class Periodic(Table):
    """`[[queues.NAME.periodic]]`: a message between the music."""

    prompts: Prompts
    """Told by turns."""
    first: Annotated[Seconds, Field(ge=0)] = 30.0
    every: Positive = 60.0


class Callback(Table):
    """`[queues.NAME.callback]`: the caller hangs up, keeps the place, and is called in time."""

    retries: Annotated[int, Field(ge=0)] = 2
    retry_every: Positive = 300.0
    deadline: Positive = 4 * 3600.0
    """Age at which a callback is given up."""
    mode: Literal["agent-first", "customer-first"] = "agent-first"
    """Who is rung first."""
    lead: Annotated[Seconds, Field(ge=0)] = 20.0
    """`customer-first`: dial once the expected wait is no longer than this."""
    ring_time: Positive = 45.0
    """How long the customer is rung."""
    class_: Name | None = Field(None, alias="class")
    """Class of service that it is dialled with."""
    prompt: Prompt | None = None
    """What the called back hear first."""
    offer_after: Annotated[Seconds, Field(ge=0)] | None = None
    """Offer it aloud once the expected wait exceeds this."""


class Overflow(Table):
    """`[queues.NAME.overflow]`: where callers go who should not wait here."""

    to: Targets
    length: Annotated[int, Field(ge=0)] | None = None
    """With so many waiting already."""
    predicted: Positive | None = None
    """With an expected wait above this."""


class Forgotten(Table):
    """`[queues.NAME.forgotten]`: a caller whom the agent leaves on hold for too long."""

    after: Positive = 120.0
    """On hold for so long: the agent gets a message on his phone, supervisors an alarm."""
    grace: Annotated[Seconds, Field(ge=0)] = 15.0
    """Time that the agent has then to take the caller back…"""
    then: Literal["recall", "return"] = "recall"
    """…before his phone rings with the caller, or the caller returns to his place in the queue.

    A recall that nobody takes within `ring_time` returns him, too."""


class ServiceLevel(Table):
    """`[queues.NAME.service_level]`: the promise that reports measure."""

    seconds: Positive = 20.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.8


class Alarms(Table):
    """`[queues.NAME.alarms]`: thresholds that raise an alarm, with hysteresis."""

    longest_wait: Positive | None = None
    waiting: Annotated[int, Field(gt=0)] | None = None
    agents_below: Annotated[int, Field(gt=0)] | None = None
    clear_after: Annotated[Seconds, Field(ge=0)] = 30.0


class Queue(Table):
    """`[queues.NAME]`"""

    number: Number | None = None
    """What is dialled to wait here."""
    name: Words = ""
    """Shown on agents' phones; absent: the table's name."""
    strategy: Strategy = "longest-idle"
    agents: Names = ()
    """Who serves; their order counts for `linear`, `round-robin` and `ring-progressive`."""
    tiers: tuple[Tier, ...] = ()
    skills: dict[Name, Level] = {}
    """Least level that serves."""
    requires: Requirement | None = None
    """The same as an expression: `sales >= 5 and english`."""
    relax: tuple[Relax, ...] = ()
    weights: dict[Name, Positive] = {}
    """Shares of the `weighted` strategy, by agent."""
    forgotten: Forgotten | None = None
    """Absent: a caller is on hold for as long as the agent likes."""
    sticky: Sticky | None = None
    priority: int = 0
    """Higher is served first; equal ones by arrival in the switch."""
    ageing: Ageing | None = None
    """Absent: priority is strict, and low ones may wait for ever."""
    reserve: Annotated[int, Field(ge=0)] = 0
    """Free agents that are kept for this queue's calls of `reserve_priority` and above."""
    reserve_priority: int = 1
    ring_time: Positive = 20.0
    """How long one agent rings before the call is offered to another."""
    no_answer: NoAnswer = NoAnswer()
    lease: Positive = 60.0
    """Longest time from an agent's answer until the call is joined; then the offer has failed."""
    wrap_up: Annotated[Seconds, Field(ge=0)] = 0.0
    """After-call work, in which the agent is free in no queue."""
    window: Positive = 3600.0
    """What "recent" means to fewest-calls, least-talk-time and least-loaded.

    Agents exist once: the longest window of all queues counts."""
    fairness: Positive = 300.0
    """`fastest-first`: nobody idles longer than this while others work."""
    cost: Positive = 1.0
    """`cost`: what a second of a caller's waiting is worth here, beside other queues."""
    step: Positive = 10.0
    """`ring-progressive`: seconds until one more agent rings."""
    max_length: Annotated[int, Field(gt=0)] | None = None
    max_wait: Positive | None = None
    """How long a caller waits before `overflow`; absent is for ever."""
    max_cost: Positive | None = None
    """How much a caller's waiting may cost before `overflow`."""
    cost_per_minute: Annotated[float, Field(ge=0)] = 0.0
    overflow: Overflow | None = None
    """Absent: a caller for whom there is no room is told so and let go."""
    join: AgentStates = "always"
    """Which agents there must be for a caller to enter."""
    stay: Literal["always", "logged-in", "ready"] = "always"
    """Which agents there must be for a caller to remain."""
    empty: Targets = ()
    """Where those go whom `join` or `stay` turns away; absent: `overflow`."""
    also: Names = ()
    """Queues in which its callers wait at the same time; whichever has an agent first serves."""
    hold: bool = True
    """False: to a free agent at once, or to `overflow`."""
    open: Names = ()
    """Modes in which it serves; absent: all."""
    closed: Targets = ()
    """Where callers go in other modes; absent: `overflow`."""
    exit_keys: dict[Digit, Targets] = {}
    """Keys that a waiting caller may press: `{ 1 = "voicemail:sales", 2 = "callback" }`."""
    keep_place: Annotated[Seconds, Field(ge=0)] = 0.0
    """A caller who drops and calls again within this gets the old place back."""
    music: Name | None = None
    greeting: Prompt | None = None
    whisper: Prompt | None = None
    """Told to the agent before he is joined; `name-and-wait` says the queue and the waited time."""
    announce: Announce | None = None
    periodic: tuple[Periodic, ...] = ()
    playlist: Prompts = ()
    """News and offers, played by turns between stretches of music…"""
    playlist_every: Positive = 45.0
    """…of so many seconds."""
    callback: Callback | None = None
    record: bool = False
    record_notice: Prompt | None = None
    """Told to the caller before recording begins; absent: `[recording] notice`."""
    language: Language | None = None
    service_level: ServiceLevel = ServiceLevel()
    short_abandon: Annotated[Seconds, Field(ge=0)] = 5.0
    """Callers gone within this are counted apart."""
    alarms: Alarms = Alarms()
    shadow: Strategy | None = None
    """A strategy that only reports where it would have decided otherwise."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_length is not None and self.overflow and self.overflow.length is not None:
            raise ValueError("max_length and overflow.length say the same; keep one")
        if self.weights and self.strategy != "weighted":
            raise ValueError('weights count only with strategy = "weighted"')
        offered = {target.kind for targets in self.exit_keys.values() for target in targets}
        if Kind.CALLBACK in offered and self.callback is None:
            raise ValueError("exit_keys offers a callback; add [queues.NAME.callback]")
        return self
