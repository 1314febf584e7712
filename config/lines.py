"""`[lines."NUMBER"]`, `[classes.NAME]`, `[destinations]`: what comes in, and what may go out."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field

from config.base import Name, Names, Prompt, Table, Texts, Words, matching
from config.switch import Language
from config.targets import Targets

INTERNAL, EMERGENCY, ANYWHERE = "internal", "emergency", "anywhere"
BUILT_IN = (INTERNAL, EMERGENCY, ANYWHERE)
"""Destinations that need no table: our own numbers, `[emergency]`, and everything."""


class Line(Table):
    """`[lines."NUMBER"]`: a number that the world dials, its scenario by mode."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Targets]

    name: Words = ""
    """What agents and records call it."""
    class_: Name | None = Field(None, alias="class")
    """Only needed where a scenario goes out again through a trunk."""
    any: Targets = ()
    """Scenario of every mode that has none of its own here."""
    channels: Annotated[int, Field(gt=0)] | None = None
    """Calls at once; one more gets `full`."""
    full: Targets = ()
    """Where a call beyond `channels` goes; absent: busy."""
    greeting: Prompt | None = None
    priority: int = 0
    """Priority in queues."""
    language: Language | None = None
    music: Name | None = None
    record: bool = False
    trunks: Names = ()
    """Trunks it may come in by; absent: any."""
    tags: Texts = ()
    """Kept with the call: an advertisement's channel, a client."""

    @property
    def scenarios(self) -> dict[str, Targets]:
        """Targets by mode, as written."""
        return self.__pydantic_extra__

    def scenario(self, mode: str) -> Targets:
        """Where a call goes in `mode`; empty: nowhere, the number is out of service."""
        return self.scenarios.get(mode, self.any)


class ClassOfService(Table):
    """`[classes.NAME]`: what may be dialled and through which trunks."""

    dial: Names = (INTERNAL,)
    """Destinations of `[destinations]`; also `internal`, `emergency` and `anywhere`."""
    barred: Names = ()
    """Destinations that are refused though `dial` would allow them."""
    trunks: Names = ()
    """Trunks that may be seized, in order of preference."""
    balance: Literal["order", "even"] = "order"
    """`even`: spread over the trunks by weight."""
    override: Names = ()
    """Destinations that the extension's PIN opens although barred."""
    barred_notice: Prompt | None = None
    """What a caller hears who may not."""
    max_calls: Annotated[int, Field(gt=0)] | None = None
    """Outside calls at once of all who share the class."""
    camp_on: bool = True
    """Whether to offer waiting for a trunk when all are busy."""
    expensive: Names = ()
    """Destinations that the two limits below guard."""
    expensive_calls: Annotated[int, Field(gt=0)] = 2
    """Calls at once of one extension to expensive destinations."""
    expensive_daily: Annotated[int, Field(gt=0)] = 20
    """Calls a day of one extension to expensive destinations; beyond it an alarm is raised."""
    features: Names | None = None
    """Feature codes that may be used; absent: all."""


def _as_list(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Prefix: TypeAlias = Annotated[str, matching(r"\+?[0-9]{0,20}", "the first digits of a number")]
Destination: TypeAlias = Annotated[tuple[Prefix, ...], BeforeValidator(_as_list)]
"""First digits of the numbers that belong to it; the longest match decides."""
