"""Runs of the suite as they might have been."""

from bench.figure import Raw, read
from bench.growth import exponents
from bench.run import Run, Taken

PEERLESS: Raw = {"calls": 600, "io_uring_us_per_packet": 3.0, "rtpengine": "is not installed"}
BESIDE: Raw = {"calls": 600, "io_uring_us_per_packet": 3.0, "rtpengine_us_per_packet": 6.0}


def taken(measurement: str, *rounds: Raw, yardstick: float = 0.05) -> Taken:
    figures, remarks = read(measurement, list(rounds))
    figures += exponents(figures)
    return Taken(measurement, 1.0, tuple(figures), yardstick, tuple(remarks))


def run(*all_taken: Taken) -> Run:
    return Run({"processor": "of 1999"}, "2026-03-02T12:30:00+00:00", True, 1, all_taken)
