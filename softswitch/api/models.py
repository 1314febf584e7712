"""What the API says and takes, typed, so that the OpenAPI page is right.

Times are UTC epoch seconds, lengths are seconds; what is unknown is null.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Base of all: immutable, and documented by the strings under its fields."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Health(Model):
    state: Literal["ready", "draining", "failing"]


class Done(Model):
    """A command was carried out."""

    detail: str = "done"


class Problem(Model):
    """Why a request was refused, in a sentence."""

    detail: str


class Usage(Model):
    """How much of a capacity is used (P34)."""

    used: int
    limit: int | None = None


class Trunk(Model):
    name: str
    state: str
    """`up`, `down`, or why it is neither."""
    channels: Usage
    registered_until: float | None = None


class Alarm(Model):
    name: str
    sentence: str
    since: float


class Suspect(Model):
    """A source that is slowed or refused, and why."""

    source: str
    state: str
    why: str
    failures: int
    dropped: int = 0
    until: float | None = None


class Line(Model):
    """A number that the world dials, and the calls that came in by it (P34, P39)."""

    number: str
    name: str = ""
    channels: Usage


class Status(Model):
    version: str
    state: Literal["ready", "draining", "failing"]
    domain: str
    started_at: float
    mode: str | None = None
    listening: list[str] = []
    media: str
    """How the engines move the sound: `io_uring` or `epoll`; empty while none is up."""
    usage: dict[str, Usage]
    """By name: calls, legs, extensions, registrations, channels, ports."""
    trunks: list[Trunk] = []
    lines: list[Line] = []
    suspects: list[Suspect] = []
    alarms: list[Alarm] = []


class EffectiveSettings(Model):
    """What the switch runs by, defaults included, by dotted key; secrets are hidden."""

    settings: dict[str, Any]


class Registration(Model):
    """One contact of an address of record (RFC 3261 §10)."""

    aor: str
    extension: str | None = None
    contact: str
    transport: str
    address: str
    expires_at: float
    user_agent: str | None = None
    path: list[str] = []


class Leg(Model):
    """One SIP dialog with its media."""

    id: str
    party: str
    state: str
    since: float
    address: str | None = None
    codec: str | None = None
    sip_call_id: str | None = None


class Call(Model):
    id: str
    state: str
    caller: str
    dialled: str
    caller_name: str | None = None
    began_at: float
    answered_at: float | None = None
    doing: str | None = None
    """Which feature has the call: a menu, a queue, a conversation."""
    legs: list[Leg] = []


class Originate(Model):
    """Ring `caller`; once that is answered, call `to` from there."""

    model_config = ConfigDict(extra="forbid")

    caller: str = Field(alias="from", min_length=1, max_length=255)
    to: str = Field(min_length=1, max_length=255)


class Started(Model):
    """The call that a command began."""

    call: str


class Reloaded(Model):
    """What a changed settings file did."""

    changes: list[str]


class RecordLeg(Model):
    number: int
    role: str | None = None
    party: str | None = None
    sip_call_id: str | None = None
    address: str | None = None
    began_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    cause: str | None = None
    status: int | None = None
    codec: str | None = None
    quality: Any = None
    details: dict[str, Any] | None = None


class RecordEvent(Model):
    number: int
    at: float
    kind: str
    leg: int | None = None
    details: dict[str, Any] | None = None


class Record(Model):
    """One call as it is remembered (R1)."""

    id: str
    began_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    direction: str | None = None
    caller: str | None = None
    caller_name: str | None = None
    dialled: str | None = None
    answered_by: str | None = None
    route: str | None = None
    line: str | None = None
    trunk: str | None = None
    queue: str | None = None
    agent: str | None = None
    waited: float | None = None
    cause: str | None = None
    status: int | None = None
    ended_by: str | None = None
    recording: str | None = None
    details: dict[str, Any] | None = None


class FullRecord(Record):
    """With its legs and what happened, in order (R11)."""

    legs: list[RecordLeg]
    events: list[RecordEvent]


class Records(Model):
    """One page, newest first."""

    total: int
    records: list[Record]


class Waiting(Model):
    """A caller in a queue."""

    call: str
    queue: str = ""
    caller: str
    position: int
    priority: int
    entered_at: float
    expected: float | None = None
    callback: bool = False


class Queue(Model):
    name: str
    number: str | None = None
    strategy: str
    open: bool = True
    waiting: int
    longest_wait: float | None = None
    agents: dict[str, int] = {}
    """How many are in which state."""
    answered: int = 0
    abandoned: int = 0
    service_level: float | None = None
    """Share answered in time, 0 to 1; null if nobody came."""
    callers: list[Waiting] = []


class Agent(Model):
    name: str
    status: str
    state: str
    phone: str | None = None
    reason: str | None = None
    since: float
    until: float | None = None
    """When a timer ends the state: wrap-up, a pause for missed calls."""
    queues: list[str] = []
    calls: list[str] = []


class WaitingWish(Model):
    """What is to be changed about a waiting call; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    priority: int | None = None
    queue: str | None = None
    """Wait there instead; the time of arrival is kept."""
    leave: str | None = None
    """Leave the queues for this target: `voicemail:sales`, `extension:101`, `hangup:busy`."""


class Figures(Model):
    """One queue's or agent's figures by name, as docs/figures.md defines them."""

    name: str
    figures: dict[str, float | None]
    explanations: dict[str, str] = {}
    """Of a queue's: the formula, the numbers in it, and what comes out."""


class Statistics(Model):
    """Figures of [since, until)."""

    since: float
    until: float
    queues: list[Figures]
    agents: list[Figures]


class Visit(Model):
    """One stay of a call in a queue."""

    id: str
    call_id: str
    queue: str
    caller: str
    entered_at: float
    connected_at: float | None = None
    left_at: float | None = None
    outcome: str | None = None
    agent: str | None = None
    details: dict[str, Any] | None = None


AgentVerb = Literal["login", "logout", "pause", "resume", "wrap-up", "end-wrap-up", "free", "score"]


class AgentWishes(Model):
    """What a command to an agent needs beside its verb."""

    model_config = ConfigDict(extra="forbid")

    phone: str | None = None
    """Where to log in; absent: the agent's own extension."""
    reason: str | None = None
    seconds: float | None = Field(default=None, ge=0)
    """How much longer the wrap-up may last; absent: until it is ended."""
    won: int | None = Field(default=None, ge=0)
    """With `score`: calls that were a success, …"""
    tried: int | None = Field(default=None, ge=0)
    """…of so many: what the `performance` strategy goes by."""


class Explanation(Model):
    """Why it is as it is: sentences for people, facts for programs."""

    subject: str
    sentences: list[str]
    facts: dict[str, Any] = {}


class Member(Model):
    leg: str
    party: str
    muted: bool = False
    moderator: bool = False
    since: float


class Conference(Model):
    name: str
    locked: bool = False
    limit: int | None = None
    members: list[Member] = []


MemberVerb = Literal["mute", "unmute", "kick"]


class Route(Model):
    """Where a number leads, and the steps of reasoning that lead there."""

    number: str
    targets: list[str]
    """In the order in which they would be tried; empty where the call would be refused."""
    steps: list[str]


class Parked(Model):
    slot: str
    call: str
    party: str
    parked_by: str | None = None
    since: float


class Mode(Model):
    """The mode of service in force, and whether someone set it by hand (P23)."""

    name: str | None
    by_hand: bool = False
    until: float | None = None


class ModeWish(Model):
    """Set a mode by hand; without `name` the calendar decides again."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    until: float | None = None
    """Epoch seconds; absent: as long as its `expires` says, else until the calendar changes."""


class Box(Model):
    box: str
    new: int
    old: int


class VoiceMessage(Model):
    id: str
    box: str
    left_at: float
    seconds: float
    caller: str
    caller_name: str | None = None
    heard_at: float | None = None
    call_id: str | None = None
