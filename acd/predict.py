"""How long a caller will wait: three estimators, each judged by what then happened.

* *queue length*: the callers ahead leave by service or by giving up (Erlang-A, Whitt 1999): the sum
  over i = 0…ahead of 1 / (services per second + i · abandonments per waiting second);
* *last to enter service*: as long as the caller who was served last;
* *head of line*: as long as the first in line has waited so far (Ibrahim and Whitt 2009).

Each forecast is compared with the wait that followed.  The estimator with the least mean absolute
error speaks; the interval comes from its own residuals and its coverage is measured too.
Callers who give up are not scored, so waits longer than patience are under-represented.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from math import log
from typing import Any, NamedTuple

from acd.types import Instant, Seconds

ESTIMATORS = ("queue-length", "last-to-enter", "head-of-line")
MEMORY = 0.05
"""Weight of the newest observation in every smoothed mean."""
RESIDUALS = 100
ENOUGH = 10
"""Forecasts judged before an interval is given, or an estimator preferred to the first."""
MEASURED = (
    "interval", "last_served", "last_wait", "patience", "judged", "judged_at", "hits", "tails",
)  # fmt: skip
PACE: Seconds = 1.0
"""Forecasts are judged at most so often: who serves ten a second learns little from each."""
LEARNING = 0.02
NOMINAL = 0.8
"""Share of waits that the interval is meant to hold."""


class Forecast(NamedTuple):
    """`values` of all estimators, and `chosen` among them, with its interval, in seconds."""

    values: tuple[Seconds, Seconds, Seconds]
    chosen: int
    low: Seconds
    high: Seconds

    @property
    def value(self) -> Seconds:
        return self.values[self.chosen]


class Accuracy(NamedTuple):
    """What a queue publishes: `error` is the mean absolute one of each estimator."""

    chosen: str
    judged: int
    error: dict[str, Seconds]
    coverage: float | None
    nominal: float


class Residuals:
    """The latest errors of one estimator (actual minus predicted), also in order of size."""

    __slots__ = ("error", "latest", "ordered")

    def __init__(self) -> None:
        self.error: Seconds = 0.0
        self.latest: list[Seconds] = []
        self.ordered: list[Seconds] = []

    def add(self, residual: Seconds) -> None:
        first = not self.latest
        self.error = abs(residual) if first else self.error + MEMORY * (abs(residual) - self.error)
        self.latest.append(residual)
        insort(self.ordered, residual)
        if len(self.latest) > RESIDUALS:
            del self.ordered[bisect_left(self.ordered, self.latest.pop(0))]

    def quantile(self, share: float) -> Seconds:
        return self.ordered[min(int(share * len(self.ordered)), len(self.ordered) - 1)]


class Predictor:
    """One queue's forecasts.  Every method costs O(log `RESIDUALS`) or less."""

    __slots__ = (
        "chosen",
        "hits",
        "interval",
        "judged",
        "judged_at",
        "last_served",
        "last_wait",
        "patience",
        "residuals",
        "tails",
    )

    def __init__(self) -> None:
        self.interval: Seconds = 0.0  # smoothed time between services while callers wait
        self.last_served: Instant | None = None
        self.last_wait: Seconds = 0.0
        self.patience: Seconds = 0.0  # smoothed waiting seconds per abandonment; 0 is endless
        self.judged = 0
        self.judged_at: Instant = -PACE
        self.chosen = 0
        self.hits = 0
        self.tails = 1 - NOMINAL  # share of residuals that the interval leaves out
        self.residuals = tuple(Residuals() for _ in ESTIMATORS)

    def choose(self) -> None:
        """Which estimator speaks from now on."""
        if self.judged >= ENOUGH:
            errors = [residuals.error for residuals in self.residuals]
            self.chosen = errors.index(min(errors))

    def forecast(self, ahead: int, staff: int, handled: Seconds, head: Seconds) -> Forecast:
        """For a caller who joins behind `ahead` others, the first of whom has waited `head`.

        `staff` agents are on duty and `handled` is their mean time per call, for as long as too
        few services were seen to measure their pace.
        """
        values = (self.by_length(ahead, staff, handled), self.last_wait, head)
        chosen = self.chosen
        low, high = self._interval(values[chosen], chosen)
        return Forecast(values, chosen, low, high)

    def by_length(self, ahead: int, staff: int, handled: Seconds) -> Seconds:
        """The queue-length estimate, in closed form: the sum is taken for an integral."""
        pace = self.interval or handled / max(staff, 1)
        if not self.patience:
            return (ahead + 1) * pace
        rate, leaving = 1 / pace, 1 / self.patience
        if rate <= leaving:
            return pace + log((rate + (ahead + 0.5) * leaving) / (rate + 0.5 * leaving)) / leaving
        return log((rate + (ahead + 0.5) * leaving) / (rate - 0.5 * leaving)) / leaving

    def remaining(
        self, forecast: Forecast, ahead: int, waited: Seconds, staff: int, handled: Seconds
    ) -> tuple[Seconds, Seconds]:
        """(expected, upper end) of what is left for a caller who has waited already."""
        left = forecast.value - waited
        if ESTIMATORS[forecast.chosen] == "queue-length" or left <= 0:
            left = self.by_length(ahead, staff, handled)
        return left, self._interval(left, forecast.chosen)[1]

    def served(self, forecast: Forecast | None, waited: Seconds, now: Instant) -> None:
        """A caller was connected; with a forecast, judge it."""
        if forecast is None:  # did not have to wait: tells nothing about the pace of the line
            self.last_served = None
            return
        if self.last_served is not None:
            gap = now - self.last_served
            self.interval += (gap - self.interval) * (MEMORY if self.interval else 1.0)
        self.last_served, self.last_wait = now, waited
        if self.patience:
            self.patience += waited * MEMORY
        if now - self.judged_at < PACE:
            return
        self.judged_at = now
        for residuals, value in zip(self.residuals, forecast.values, strict=True):
            residuals.add(waited - value)
        if self.judged >= ENOUGH:
            self._learn(forecast.low <= waited <= forecast.high)
        self.judged += 1
        self.choose()

    def _learn(self, hit: bool) -> None:
        """Narrow the interval a little after a hit, widen it after a miss.

        The steps balance where the share of hits is `NOMINAL`, whatever the waits do (adaptive
        conformal inference, Gibbs and Candès 2021).
        """
        self.hits += hit
        self.tails += LEARNING * ((1 - NOMINAL) - (not hit))

    def abandoned(self, waited: Seconds) -> None:
        """A caller gave up after so long."""
        if self.patience:
            self.patience += MEMORY * (waited - self.patience)
        else:
            self.patience = max(waited, 1.0)

    def accuracy(self) -> Accuracy:
        error = {name: r.error for name, r in zip(ESTIMATORS, self.residuals, strict=True)}
        scored = self.judged - ENOUGH
        coverage = self.hits / scored if scored > 0 else None
        return Accuracy(ESTIMATORS[self.chosen], self.judged, error, coverage, NOMINAL)

    def _interval(self, value: Seconds, chosen: int) -> tuple[Seconds, Seconds]:
        residuals = self.residuals[chosen]
        if len(residuals.ordered) < ENOUGH:
            return 0.0, 2 * value
        tail = min(max(self.tails, 0.0), 0.9) / 2
        margin = max(0.0, -self.tails) * value  # beyond the worst error remembered
        return (
            max(0.0, value + residuals.quantile(tail) - margin),
            max(0.0, value + residuals.quantile(1 - tail) + margin),
        )

    # --- snapshots ---------------------------------------------------------------------------

    def dump(self) -> list[Any]:
        errors = [[r.error, list(r.latest)] for r in self.residuals]
        return [*(getattr(self, name) for name in MEASURED), errors]

    @classmethod
    def load(cls, data: list[Any]) -> Predictor:
        predictor = cls()
        *measured, errors = data
        for name, value in zip(MEASURED, measured, strict=True):
            setattr(predictor, name, value)
        for residuals, (error, latest) in zip(predictor.residuals, errors, strict=True):
            residuals.error, residuals.latest = error, list(latest)
            residuals.ordered = sorted(latest)
        predictor.choose()
        return predictor
