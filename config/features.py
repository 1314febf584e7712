"""`[park]`, `[recording]`, `[emergency]`, `[transfer]`, `[doors.NAME]`: smaller features."""

import re
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from config.addresses import Network
from config.base import (
    FilePath,
    Name,
    Names,
    Number,
    Numbers,
    Positive,
    Prompt,
    Seconds,
    Table,
    Words,
    matching,
)
from config.passwords import Secret
from config.targets import Targets


class Slots(NamedTuple):
    """A range of numbers, both ends included: `71-79`."""

    low: int
    high: int

    @classmethod
    def parse(cls, text: object) -> Self:
        found = re.fullmatch(r"(\d{1,6})-(\d{1,6})", str(text))
        if not found or len(found[1]) != len(found[2]) or int(found[1]) > int(found[2]):
            raise ValueError(f'"{text}" is no range of numbers; write it as 71-79')
        if int(found[2]) - int(found[1]) >= 1000:
            raise ValueError(f'"{text}" has over 1000 slots')
        return cls(int(found[1]), int(found[2]))

    def numbers(self) -> tuple[str, ...]:
        return tuple(str(slot) for slot in range(self.low, self.high + 1))

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.to_string_ser_schema(),
        )


class ParkTable(Table):
    """`[park]`: calls that wait to be fetched from any phone."""

    slots: Slots = Slots(71, 79)
    """Numbers that fetch a parked call."""
    recall: Positive = 120.0
    """After so long the one who parked it is rung."""
    then: Targets = ()
    """Where it goes when he does not answer; absent: it rings on."""
    music: Name | None = None
    announce: bool = True
    """Tell the slot to the one who parks."""
    page: Name | None = None
    """Paging group in which a parked call is announced."""


class RecordingTable(Table):
    """`[recording]`: of extensions, lines, queues, conferences, and on demand."""

    folder: FilePath | None = None
    """Absent: `recordings` in the data folder."""
    format: Literal["wav", "ogg"] = "wav"
    stereo: bool = True
    """The two sides apart."""
    notice: Prompt | None = "recording-notice"
    """Told to the caller before recording begins."""
    keep_days: Annotated[int, Field(gt=0)] | None = None
    tone_every: Annotated[Seconds, Field(ge=0)] = 0.0
    """Interval of a reminding tone; 0: none."""


class EmergencyTable(Table):
    """`[emergency]`: numbers that always pass, whoever dials, whatever is full."""

    numbers: Numbers = ("112",)
    trunks: Names = ()
    """Tried in order; absent: all that may go out."""
    caller_id: dict[Name, Number] = {}
    """Number shown, by site, so that help finds the place."""
    notify: Names = ()
    """Extensions told that somebody called."""
    open_to: tuple[Network, ...] = ()
    """Networks from which phones reach these numbers even if they cannot prove who they are."""


class TransferTable(Table):
    """`[transfer]`: what becomes of a call that was handed on."""

    recall: Annotated[Seconds, Field(ge=0)] = 30.0
    """An unanswered blind transfer returns after so long; 0: never."""
    outside: bool = True
    """Whether a call may be transferred to an outside number."""
    outside_to_outside: bool = False
    """Whether two outside parties may be joined with nobody of ours left in the call."""
    digits: Annotated[int, Field(ge=1, le=24)] = 20
    digit_time: Positive = 3.0


class Unlock(Table):
    """`[doors.NAME.unlock]`: what opens the lock."""

    http: str | None = None
    """URL that is fetched."""
    password: Secret | None = None
    """`user:password` of that URL."""
    dtmf: str | None = None
    """Digits sent to the door phone."""
    info: str | None = None
    """Body of a SIP INFO sent to the door phone."""
    content_type: str = "application/dtmf-relay"

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(action is not None for action in (self.http, self.dtmf, self.info)) != 1:
            raise ValueError("a lock opens by one action: http, dtmf or info")
        return self


class Door(Table):
    """`[doors.NAME]`: a door phone."""

    extension: str
    """Its own account."""
    name: Words = ""
    """Shown on the phones that it rings."""
    to: Targets
    """Whom it rings."""
    digit: Annotated[str, matching(r"[0-9*#]{1,4}", "1 to 4 keys")] = "9"
    """What is pressed to open."""
    unlock: Unlock
    allowed: Names = ()
    """Extensions that may open; absent: all that it rings."""
    number: Number | None = None
    """What is dialled to speak at the door."""
    ring_time: Positive = 30.0
