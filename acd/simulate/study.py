"""The same days under several rules: means with intervals, and differences of pairs.

Every candidate is given the same callers (common random numbers), so a difference of two is known
better than either of them: its interval comes from the pairs, day by day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt, tan
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

from acd.settings import Settings
from acd.simulate.day import simulate
from acd.simulate.figures import answered_waits, day_figures
from acd.simulate.scenario import Scenario
from acd.types import Seconds

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A mean over days, and half the width of its interval; one day has none."""

    mean: float
    margin: float | None

    @property
    def certain(self) -> bool:
        """The interval leaves 0 out."""
        return self.margin is not None and abs(self.mean) > self.margin


@dataclass(frozen=True)
class Candidate:
    """One set of rules after all its days.  `days` and `waits` are by seed, in order."""

    name: str
    scenario: Scenario
    days: tuple[dict[str, float], ...]
    waits: tuple[tuple[Seconds, ...], ...]
    events: int

    def estimate(self, figure: str) -> Estimate | None:
        """None where the figure did not exist on every day."""
        values = [day.get(figure) for day in self.days]
        return estimate([v for v in values if v is not None]) if None not in values else None

    def against(self, other: Candidate, figure: str) -> Estimate | None:
        """This one less the other, by pairs of days."""
        pairs = list(zip(self.days, other.days, strict=True))
        if any(figure not in a or figure not in b for a, b in pairs):
            return None
        return estimate([a[figure] - b[figure] for a, b in pairs])


def compare(
    scenarios: Mapping[str, Scenario],
    seeds: Sequence[int],
    *,
    queues: Sequence[str] = (),
    told: Callable[[int], None] = lambda done: None,
) -> list[Candidate]:
    """Every scenario over the days of all `seeds`; `told` hears how many days are done."""
    found, done = [], 0
    for name, scenario in scenarios.items():
        days, waits, events = [], [], 0
        for seed in seeds:
            day = simulate(scenario, seed)
            days.append(day_figures(day.log, scenario.settings, queues))
            names = queues or tuple(scenario.settings.queues)
            waits.append(tuple(answered_waits(day.log, names)))
            events += day.events
            done += 1
            told(done)
        found.append(Candidate(name, scenario, tuple(days), tuple(waits), events))
    return found


def with_strategy(settings: Settings, strategy: str, queues: Sequence[str] = ()) -> Settings:
    """The same rules, but for the strategy of these queues (none named: all)."""
    changed = {
        name: replace(rules, strategy=strategy) if not queues or name in queues else rules
        for name, rules in settings.queues.items()
    }
    return replace(settings, queues=changed)


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and margin at `CONFIDENCE`, by Student's law."""
    mean = fmean(values)
    if len(values) < 2:
        return Estimate(mean, None)
    spread = stdev(values) / sqrt(len(values))
    return Estimate(mean, student(len(values) - 1) * spread)


def student(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Two-sided quantile of Student's t.

    Exact for 1 and 2 degrees of freedom, else Cornish and Fisher's expansion, within 1 %.
    """
    p = (1 + confidence) / 2
    if freedom == 2:
        return (2 * p - 1) * sqrt(0.5 / (p * (1 - p)))
    if freedom == 1:
        return tan(pi * (p - 0.5))
    z = NormalDist().inv_cdf(p)
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    for power, term in enumerate(terms, 1):
        z += term / float(freedom**power)
    return z
