"""The measurements that there are, in the order of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Yardstick: TypeAlias = Literal["empty call", "datagram"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One module of this package."""

    name: str
    title: str
    seconds: tuple[float, float]
    """About how long it takes: quick, and whole.  Only the progress bar believes it."""
    yardstick: Yardstick = "datagram"
    """What its figures are compared with where they have no peer: interpreter, or kernel."""
    unit: str = ""
    """Unit of its figures whose name tells none."""
    alone: bool = False
    """It is one process, and has the measured core to itself."""
    usual: bool = True
    """Taken unless others are named."""

    @property
    def command(self) -> str:
        return f"softswitch bench {self.name}"


MEASUREMENTS = (
    Measurement("signalling", "Registrations and calls", (20, 90), "empty call"),
    Measurement("relay", "Relay of sound", (8, 140)),
    Measurement("rooms", "Conferences", (6, 25)),
    Measurement("hold", "Music on hold", (3, 11)),
    Measurement("transcode", "Calls between two codecs", (3, 11)),
    Measurement("recording", "Recorded calls", (3, 11)),
    Measurement("opening", "Opening a leg, changing whom it hears", (3, 11)),
    Measurement("engine", "The call centre's engine", (6, 30), "empty call", alone=True),
    Measurement("sip", "SIP without sockets", (4, 15), "empty call", "µs", alone=True),
    Measurement("sound", "Sound without sockets", (3, 8), "empty call", "µs", alone=True),
    Measurement("media_soak", "Sound for long", (24, 600), usual=False),
)

BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}
