"""`[groups.NAME]`, `[pickup.NAME]`, `[paging.NAME]`: several extensions under one number."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import HostPort
from config.base import Names, Number, Positive, Prompt, Table
from config.targets import Targets


class Group(Table):
    """`[groups.NAME]`: a hunt group."""

    number: Number | None = None
    name: str = ""
    """Prefix of the caller's name on members' phones."""
    members: Names = ()
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
