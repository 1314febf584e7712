"""What a player can be asked to play.  Plain values that cross the process boundary."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class File:
    """A sound file of any kind that soundfile or FFmpeg reads."""

    path: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A recorded sentence of the sets that ship with the switch, by name."""

    name: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Say:
    """A number, time or the like, spoken: kinds as in `media.prompts.say`."""

    kind: str
    value: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Tone:
    """A signal by name as its country sounds it, or plain frequencies in Hz.

    Names: those of `media.tones` ("ringback", "busy", "congestion", "dial", "waiting",
    "unobtainable", "beep", "dtmf-5", …).  Without `ms` a cadence goes on for ever; what is short
    by nature (a beep) sounds once.
    """

    what: str | tuple[float, ...]
    country: str = "us"
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing, for a while."""

    ms: int


Item: TypeAlias = File | Prompt | Say | Tone | Silence
