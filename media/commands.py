"""What the switch may ask of an engine.  Requests only: no behaviour, no sockets.

Legs, players, rooms and recorders are named by numbers that the client draws from one
sequence, so every number names one thing for ever and a late command harms no successor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from media.items import Item
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Seconds


@dataclass(frozen=True, slots=True)
class Configure:
    """First of all: bind the ports and say what came of it."""

    settings: MediaSettings
    worker: int


@dataclass(frozen=True, slots=True)
class Open:
    """Take port pair `row` for leg `leg`."""

    leg: int
    row: int


@dataclass(frozen=True, slots=True)
class Connect:
    leg: int
    stream: Stream


@dataclass(frozen=True, slots=True)
class Hear:
    """From now on `listener`, a leg or a room, hears exactly these, each at its gain."""

    listener: int
    sources: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class SendDtmf:
    leg: int
    digits: str
    ms: int


@dataclass(frozen=True, slots=True)
class Detect:
    """What to listen for on a leg, and nothing else from now on."""

    leg: int
    dtmf_inband: bool = False
    silence: Seconds | None = None
    """How long nobody may speak."""
    starved: Seconds | None = None
    """How long no believed packet may come."""
    voice: bool = False
    signals: bool = False
    """Fax tones and beeps."""
    features: bool = False
    """What a classifier needs: one vector a frame."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A leg's statistics, answered by `Told(question, …)`."""

    question: int
    leg: int


@dataclass(frozen=True, slots=True)
class AskEngine:
    """The engine's own statistics, answered by `EngineTold(question, …)`."""

    question: int


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a leg, player, room or recorder."""

    thing: int


@dataclass(frozen=True, slots=True)
class Play:
    """A player of `items`; one with `loop` never ends by itself."""

    player: int
    items: tuple[Item, ...]
    loop: bool
    shared: bool
    """One clock for all listeners, which goes on while nobody hears it."""


@dataclass(frozen=True, slots=True)
class MakeRoom:
    """A room whose members hear all others; `rate` 0: the highest its members use."""

    room: int
    rate: int
    loudest: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """Write what `left` (and `right`) say to `path`."""

    recorder: int
    path: str
    left: int
    right: int | None
    rate: int
    stereo: bool
    format: Literal["wav", "ogg"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause or resume a recorder or a player."""

    thing: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to a place of a player, in seconds from its beginning."""

    player: int
    seconds: Seconds


Command: TypeAlias = (
    Configure
    | Open
    | Connect
    | Hear
    | SendDtmf
    | Detect
    | Ask
    | AskEngine
    | Close
    | Play
    | MakeRoom
    | Record
    | Pause
    | Seek
)
