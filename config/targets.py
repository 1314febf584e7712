"""Where a call goes: `queue:sales`, `extension:101`, `hangup:busy`, written the same everywhere."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Kind(StrEnum):
    """What a target is.  The last ones stand alone, without a name."""

    EXTENSION = "extension"
    GROUP = "group"
    QUEUE = "queue"
    MENU = "menu"
    VOICEMAIL = "voicemail"
    CONFERENCE = "conference"
    AGENT = "agent"
    PAGE = "page"
    DOOR = "door"
    NUMBER = "number"
    PLAY = "play"
    HANGUP = "hangup"
    RULES = "rules"
    LANGUAGE = "language"
    REPEAT = "repeat"
    BACK = "back"
    DIAL = "dial"
    CALLBACK = "callback"


ALONE = {Kind.RULES, Kind.REPEAT, Kind.BACK, Kind.DIAL, Kind.CALLBACK}
IN_MENUS = {Kind.REPEAT, Kind.BACK, Kind.DIAL, Kind.LANGUAGE}
"""Meaningful only as a menu's key or branch."""
IN_QUEUES = {Kind.CALLBACK}
"""Meaningful only as an exit of a queue."""

HANGUPS = {
    "busy": 486,
    "declined": 603,
    "unavailable": 480,
    "not-found": 404,
    "forbidden": 403,
    "congestion": 503,
    "gone": 410,
    "normal": 480,
}
"""SIP status of each `hangup:` cause, where the call was not yet answered."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place a call may go to.  `str()` gives back what the administrator writes."""

    kind: Kind
    name: str = ""

    @classmethod
    def parse(cls, text: object) -> "Target":
        """Read `kind:name`; raises ValueError with the repair."""
        if not isinstance(text, str):
            raise ValueError('a target is text, such as "queue:sales" or "extension:101"')
        word, colon, name = text.strip().partition(":")
        try:
            kind = Kind(word)
        except ValueError:
            raise ValueError(_unknown(text, word)) from None
        if kind in ALONE and colon:
            raise ValueError(f'"{word}" stands alone; write "{word}"')
        if kind not in ALONE and not name:
            raise ValueError(f'"{text}" lacks a name; write "{word}:…"')
        if kind is Kind.HANGUP and name not in HANGUPS:
            raise ValueError(f'"{text}" has no such cause; choose from {", ".join(HANGUPS)}')
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind.value

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.to_string_ser_schema(),
        )


NUMBERED = {
    "queues": Kind.QUEUE,
    "groups": Kind.GROUP,
    "conferences": Kind.CONFERENCE,
    "menus": Kind.MENU,
    "paging": Kind.PAGE,
    "doors": Kind.DOOR,
}
"""Tables whose entries may have a number to dial, and what it then reaches."""


def _unknown(text: str, word: str) -> str:
    if text.isdigit():
        return f'"{text}" is no target; did you mean "extension:{text}"?'
    close = get_close_matches(word, list(Kind), n=1, cutoff=0.7)
    hint = f'; did you mean "{close[0]}"?' if close else f"; kinds are {', '.join(Kind)}"
    return f'"{text}" is no target{hint}'


def _as_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Targets: TypeAlias = Annotated[tuple[Target, ...], BeforeValidator(_as_list)]
"""One target or a list; those of a list are tried in order."""
