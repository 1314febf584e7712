"""What the API says of the attendant's desk."""

from typing import Literal

from pydantic import ConfigDict, Field

from softswitch.api.models import Model

ExtensionState = Literal["free", "ringing", "talking", "held", "away", "outside"]
ExtensionVerb = Literal["dnd-on", "dnd-off", "forward", "forward-off"]
GroupVerb = Literal["join", "leave"]
RecordingVerb = Literal["start", "stop", "pause", "resume"]
RoomVerb = Literal["lock", "unlock", "mute", "unmute", "record", "stop-recording", "invite", "end"]


class Extension(Model):
    """A colleague, and what he does."""

    number: str
    name: str = ""
    state: ExtensionState
    phones: int
    """How many are registered."""
    do_not_disturb: bool = False
    forward: list[str]
    """Where all his calls go."""
    calls: list[str]


class Where(Model):
    """The number that a command needs."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(None, min_length=1, max_length=255)


class GroupMember(Model):
    number: str
    joined: bool
    """False for one who has left by `*48` or by command."""
    state: ExtensionState


class HuntGroup(Model):
    name: str
    number: str | None = None
    ring: str
    members: list[GroupMember]


class Ringing(Model):
    """How a member treats the group's calls (D7)."""

    member: str
    offered: int
    answered: int
    ignored: int
    """Rang to the end of his turn."""
    declined: int
    elsewhere: int
    """A colleague was quicker, or the caller gave up."""
    share: float
    """Of all answers of the group, 0 to 1."""


class Transfer(Model):
    """Hand somebody's party on."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1, max_length=255)
    by: str | None = None
    """Extension whose party it is; absent: the one who was called."""


class Recall(Model):
    """Somebody waits to be rung back."""

    extension: str
    number: str
    waits_for: Literal["trunk", "colleague"]
    since: float
    until: float
    """Forgotten then.  Both in epoch seconds."""


class ErrandWish(Model):
    """A callback to be made."""

    model_config = ConfigDict(extra="forbid")

    owner: str = Field(min_length=1, max_length=32)
    number: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=1000)
    by: str = Field("", max_length=64)
    due: float | None = None
    """Epoch seconds."""


class Errand(ErrandWish):
    """A callback that somebody promised."""

    id: str
    made_at: float
    closed_at: float | None = None
    call: str | None = None
