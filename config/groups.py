"""`[groups.NAME]`, `[pickup.NAME]`, `[paging.NAME]`: several extensions under one number."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.addresses import HostPort
from config.base import Names, Number, Positive, Prompt, Table, Words
from config.targets import Kind, Target, Targets


def _member(text: str) -> str:
    """An extension, or a target that can be rung."""
    if ":" not in text:
        return text
    target = Target.parse(text)
    if target.kind not in (Kind.EXTENSION, Kind.NUMBER, Kind.GROUP):
        raise ValueError(f'"{text}" cannot be rung; members are extensions, numbers and groups')
    return str(target)


def _as_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Member: TypeAlias = Annotated[str, AfterValidator(_member)]
Members: TypeAlias = Annotated[tuple[Member, ...], BeforeValidator(_as_list)]


class Group(Table):
    """`[groups.NAME]`: a hunt group."""

    number: Number | None = None
    name: Words = ""
    """Prefix of the caller's name on members' phones."""
    members: Members = ()
    """Extensions, or targets such as `number:+7…`; an empty group goes to `overflow` at once."""
    ring: Literal["all", "in-turn", "memory"] = "all"
    """`in-turn`: one after another; `memory`: first the first, then the first two, and so on."""
    ring_time: Positive = 20.0
    """How long one turn rings."""
    max_time: Positive = 120.0
    """How long the group rings in all."""
    skip_busy: bool = True
    """No member rings who is in a call."""
    overflow: Targets = ()
    """Where the call goes when nobody takes it."""
    greeting: Prompt | None = None
    music: str | None = None
    """What the caller hears; absent: ringing."""


class Pickup(Table):
    """`[pickup.NAME]`: extensions that may take one another's calls by `*8`."""

    members: Names = ()
    """Beside those whose own table names this group."""


class Page(Table):
    """`[paging.NAME]`: one voice to many loudspeakers."""

    number: Number | None = None
    members: Names = ()
    multicast: tuple[HostPort, ...] = ()
    """Multicast RTP speakers, `239.255.1.1:5004`."""
    interrupt: bool = False
    """Whether phones in a call are paged too."""
    two_way: bool = False
    """Whether members may speak back."""
    max_time: Positive = 60.0
    tone: bool = True
    allowed: Names = ()
    """Extensions that may page; absent: all."""
    ttl: Annotated[int, Field(ge=1, le=255)] = 1
    """How many routers a multicast packet may cross."""

    @model_validator(mode="after")
    def _someone_hears(self) -> Self:
        if not self.members and not self.multicast:
            raise ValueError("nobody would hear it; add members or multicast")
        return self
