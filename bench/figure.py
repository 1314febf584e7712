"""What a measurement hands back, and how it is read.

A measurement is a module of this package with `figures(quick) -> Raw`: numbers by name, sentences
for what could not be measured.  The name says the rest:

* a word of it is the unit: `us_per_packet`, `delay_p99_ms`, `decisions_per_s`, `kb_per_call`;
* `…_of_X` without one is a ratio to X;
* `…_failed` and `…_lost` count parts of the load that failed, and must be 0;
* `STEM_at_N_THINGS` is one point of a curve: the cost STEM under a load of N things.

Any other number is a fact of the load (calls, agents, how late the crowd was) and has no better or
worse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Raw: TypeAlias = Mapping[str, float | int | str]

UNITS = {
    "ns": "ns", "us": "µs", "ms": "ms", "s": "s", "kb": "KB", "megabytes": "MB",
    "loss": "part", "load": "cores", "exponent": "exponent", "ratio": "×",
}  # fmt: skip
"""Units by the word that names them; for all of them less is better."""
RATES = {"per_s": "1/s", "calls_on_a_core": "calls", "most_calls": "calls"}
"""Units of which more is better, by a part of the name."""
FAILURES = ("failed", "lost")
"""Ends of names of what must be 0."""
_POINT = re.compile(r"(?P<stem>.+)_at_(?P<load>\d+)(?:_(?P<things>\w+))?")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one measurement, over all rounds of a run."""

    name: str
    """`measurement.figure`"""
    values: tuple[float, ...]
    """One a round, at least one."""
    unit: str = ""
    """Empty for a fact of the load."""
    more_is_better: bool = False

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def noise(self) -> float:
        """Half the spread of the rounds as a part of their median; 0 of one round."""
        spread = max(self.values) - min(self.values)
        return spread / 2 / abs(self.value) if self.value else 0.0

    @property
    def counts_failures(self) -> bool:
        return self.unit in FAILURES

    @property
    def point(self) -> tuple[str, int, str] | None:
        """(stem, load, what the load is of) if this is a point of a curve."""
        match = _POINT.fullmatch(self.name)
        return match and (match["stem"], int(match["load"]), match["things"] or "")


def unit_of(name: str, default: str = "") -> tuple[str, bool]:
    """The unit that a figure's name tells, and whether more of it is better."""
    for part, unit in RATES.items():
        if part in name:
            return "×" if "_of_" in name else unit, True
    if "crowd" in name:
        return "", False
    if name.endswith(tuple(f"_{end}" for end in FAILURES)):
        return name.rpartition("_")[2], False
    words = [word for word in re.split(r"[_ .]", name) if word in UNITS]
    if not words and "_of_" in name:
        return "×", False
    return UNITS[words[0]] if words else default, False


def read(measurement: str, rounds: list[Raw], default: str = "") -> tuple[list[Figure], list[str]]:
    """The figures of all rounds together, and what was said in words, each sentence once.

    `default` is the unit of figures whose name tells none.
    """
    figures: list[Figure] = []
    for key in dict.fromkeys(key for found in rounds for key in found):
        values = [found[key] for found in rounds if key in found]
        numbers = tuple(float(value) for value in values if not isinstance(value, str))
        if numbers:
            figures.append(Figure(f"{measurement}.{key}", numbers, *unit_of(key, default)))
    said = (
        f"{key.replace('_', ' ')}: {value}"
        for found in rounds
        for key, value in found.items()
        if isinstance(value, str)
    )
    return figures, list(dict.fromkeys(said))
