"""`[agents.NAME]`: those who serve queues.  An agent exists once, whatever phone he sits at."""

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from config.base import Name, Number, Seconds, Table, Words, matching
from config.passwords import Secret

Level: TypeAlias = Annotated[int, Field(ge=1, le=10)]
"""How well a skill is mastered: 1 (least) to 10."""


class Agent(Table):
    """`[agents.NAME]`"""

    name: Words = ""
    """Shown on screens and in reports; absent: the table's name."""
    extension: str | None = None
    """His desk; absent: he logs in at any phone (hot desk)."""
    number: Number | None = None
    """An outside number that is his phone, answered by pressing `1`."""
    class_: Name | None = Field(None, alias="class")
    """Class of service that the outside number is dialled with."""
    code: Annotated[str, matching(r"[0-9]{1,8}", "a code: 1 to 8 digits")] | None = None
    """What he types to log in at any phone (`*45`)."""
    pin: Secret | None = None
    """Asked for after the code."""
    skills: dict[Name, Level] = {}
    wrap_up: Annotated[Seconds, Field(ge=0)] | None = None
    """After-call work; absent: the queue's."""
    max_calls: Annotated[int, Field(ge=1, le=10)] = 1
    """Queue calls at once."""
    logged_in: bool = False
    """Logged in from the first start on, as in a small office where nobody types codes."""
    performance: Annotated[float, Field(ge=0, le=1)] | None = None
    """Conversion to assume before results are in, for `performance`; absent: the queue's mean."""
    cost: Annotated[float, Field(ge=0)] = 1.0
    """Cost of his minute, for the `cost` strategy."""
    trainee: bool = False
    """First of all with the `training` strategy."""
    record: bool = False
    """Whether all his queue calls are recorded."""

    @model_validator(mode="after")
    def _one_phone(self) -> Self:
        if self.extension and self.number:
            raise ValueError(
                "extension and number are both given; an agent has one phone, keep one"
            )
        return self
