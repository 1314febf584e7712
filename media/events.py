"""What an engine tells: facts in the past tense, in the order in which they came to pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from media.types import Address, Seconds


@dataclass(frozen=True, slots=True)
class LegStats:
    """One leg's counters since it was opened, and its quality by RTCP and our own ears."""

    packets_received: int = 0
    octets_received: int = 0
    packets_sent: int = 0
    octets_sent: int = 0
    lost: int = 0
    """Packets that the sequence numbers promised and that never came (RFC 3550 §6.4.1)."""
    duplicate: int = 0
    reordered: int = 0
    late: int = 0
    """Came after their moment to be played."""
    absurd: int = 0
    """Bore a time so far ahead that no jitter explains it, and were dropped."""
    invalid: int = 0
    """Not RTP, or of a payload type that was not agreed."""
    bleed: int = 0
    """Came from an address that this leg does not believe."""
    unauthentic: int = 0
    """Failed SRTP authentication or were replayed."""
    jitter: Seconds = 0.0
    """Interarrival jitter (RFC 3550 §6.4.1)."""
    remote_lost: int | None = None
    """Packets of ours that the peer missed; None: it never reported."""
    remote_fraction_lost: float | None = None
    remote_jitter: Seconds | None = None
    round_trip: Seconds | None = None
    mos: float | None = None
    """Listening quality of what we received, 1.0 to 4.5 (ITU-T G.107); None before any sound."""
    codec: str = ""
    remote: Address | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """An engine bound its ports: the RTP port of each row, in order; `backend` runs them."""

    worker: int
    backend: str
    ports: tuple[int, ...]
    ports6: tuple[int, ...] = ()
    note: str = ""
    """Why it is not the backend that was asked for first; empty when it is."""


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key was pressed, told once however it was sent."""

    leg: int
    digit: str
    ms: int
    by: Literal["event", "inband"]


@dataclass(frozen=True, slots=True)
class Played:
    """A player came to its end; `error` says why when it could not play all."""

    player: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording ended: `seconds` of sound lie in `path`; `error` when the disk refused more.

    Of one that died with its engine `seconds` is 0, whatever lies there.
    """

    recorder: int
    path: str
    seconds: Seconds
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """No voice was heard from the leg for as long as `Detect` allowed."""

    leg: int
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Starved:
    """No packet came from the leg's peer for as long as `Detect` allowed."""

    leg: int
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Signal:
    """A machine was heard: "cng" or "ced" of a fax, or a "beep"."""

    leg: int
    name: str
    ms: int


@dataclass(frozen=True, slots=True)
class Features:
    """How the leg sounded, for whoever is to tell a person from a machine.

    One vector for each 20 ms frame, the oldest first; `media.detection.FEATURES` names its
    numbers.  Told ten frames at a time, and what is left before `Closed` or another `Detect`.
    """

    leg: int
    vectors: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Spoke:
    """Voice began or ended on a leg that is watched for it."""

    leg: int
    voice: bool


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """The leg's sound now comes from, and goes to, `address`."""

    leg: int
    address: Address


@dataclass(frozen=True, slots=True)
class Quality:
    """How the leg fares, told at intervals."""

    leg: int
    stats: LegStats


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How one engine fares since it started."""

    legs: int
    ticks: int
    late_ticks: int
    """Ticks that came a whole frame or more after their time."""
    skipped_frames: int
    """Frames never made, because the engine was held up for longer than it makes up for."""
    worst_lateness: Seconds
    oversize: int
    """Packets too long for us."""
    refused: int
    """Sends that the kernel refused."""
    cpu: Seconds
    """Processor time of the engine."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to `Ask`."""

    question: int
    stats: LegStats


@dataclass(frozen=True, slots=True)
class EngineTold:
    """The answer to `AskEngine`."""

    question: int
    stats: EngineStats


@dataclass(frozen=True, slots=True)
class Closed:
    """The leg is gone and its ports are free again."""

    leg: int
    stats: LegStats = field(default_factory=LegStats)


@dataclass(frozen=True, slots=True)
class EngineDied:
    """An engine process ended unasked; its legs are told `Closed` one by one after this."""

    worker: int


Event: TypeAlias = (
    Ready
    | Dtmf
    | Played
    | Recorded
    | Silent
    | Starved
    | Signal
    | Features
    | Spoke
    | SourceChanged
    | Quality
    | Told
    | EngineTold
    | Closed
    | EngineDied
)
