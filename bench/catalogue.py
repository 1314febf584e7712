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
    taken: Literal["always", "whole", "asked"] = "always"
    """In every run, in runs that are not quick, or only where it is named."""

    @property
    def command(self) -> str:
        return f"softswitch bench {self.name}"


MEASUREMENTS = (
    Measurement("signalling", "Registrations and calls", (21, 210), "empty call"),
    Measurement("dialling", "Waiting for ringing", (6, 22), "empty call", taken="whole"),
    Measurement("held", "Calls that stand", (20, 100), "empty call", taken="whole"),
    Measurement("registered", "Many registrations", (20, 60), "empty call", taken="whole"),
    Measurement("b2bua", "Calls through other B2BUAs", (30, 110), "empty call", taken="whole"),
    Measurement("relay", "Relay of sound", (8, 140)),
    Measurement("limits", "Most calls that can be relayed", (40, 200), taken="whole"),
    Measurement("rooms", "Conferences", (6, 75)),
    Measurement("hold", "Music on hold", (3, 35)),
    Measurement("transcode", "Calls between two codecs", (3, 35)),
    Measurement("recording", "Recorded calls", (3, 11)),
    Measurement("asterisk", "Sound through Asterisk", (30, 180), taken="whole"),
    Measurement("opening", "Opening a leg, changing whom it hears", (3, 11)),
    Measurement("scaling", "Growth of sound", (30, 55), taken="whole"),
    Measurement("engine", "The call centre's engine", (9, 150), "empty call", alone=True),
    Measurement("sip", "SIP without sockets", (4, 15), "empty call", "µs", alone=True),
    Measurement("sound", "Sound without sockets", (3, 8), "empty call", "µs", alone=True),
    Measurement("profile", "Where the time goes", (25, 75), taken="whole"),
    Measurement("calls_soak", "Many phones and calls for long", (60, 240), taken="asked"),
    Measurement("media_hour", "An hour of sound in virtual time", (20, 400), taken="asked"),
    Measurement("media_soak", "Sound for long", (24, 600), taken="asked"),
)

BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}
