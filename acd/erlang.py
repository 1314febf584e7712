"""Staffing by formula: Erlang B, C and A, and the square-root rule.  A first answer.

They know one queue, equal agents, Poisson arrivals, exponential times and nothing else; the
simulator knows the rest.  Rates are per second, times in seconds, loads in erlangs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil, exp, expm1, inf, sqrt
from statistics import NormalDist

from acd.types import Seconds

STEPS = 1000
"""Of Simpson's rule, over the time a service level is promised for."""
NEGLIGIBLE = 1e-16
NORMAL = NormalDist()


def erlang_b(servers: int, load: float) -> float:
    """Share of calls that are lost where nobody waits."""
    inverse = 1.0
    for n in range(1, servers + 1):
        inverse = 1 + inverse * n / load
        if inverse == inf:
            return 0.0
    return 1 / inverse


def erlang_c(agents: int, load: float) -> float:
    """Share of callers who wait where everybody waits for ever; 1 where the load is too much."""
    if load >= agents:
        return 1.0
    lost = erlang_b(agents, load)
    return agents * lost / (agents - load * (1 - lost))


@dataclass(frozen=True)
class Erlang:
    """`agents` serve `rate` calls a second of `handle` seconds each; callers wait `patience`.

    With endless patience this is Erlang C (M/M/n), else Erlang A (M/M/n+M; Palm 1946, formulas
    after Mandelbaum and Zeltyn 2005).  Times are means.
    """

    agents: int
    rate: float
    handle: Seconds
    patience: Seconds = inf

    @property
    def load(self) -> float:
        return self.rate * self.handle

    @cached_property
    def wait_probability(self) -> float:
        """Share of callers who are not answered at once."""
        if self.patience == inf:
            return erlang_c(self.agents, self.load)
        waiting = self.rate * self._service_integral
        return waiting / (self._free_weight + waiting)

    @cached_property
    def abandoned(self) -> float:
        """Share of callers who give up."""
        if self.patience == inf:
            return 0.0
        surplus = self.rate - self.agents / self.handle
        both = self._free_weight + self.rate * self._service_integral
        return (1 + surplus * self._service_integral) / both

    @property
    def mean_wait(self) -> Seconds:
        """Of all callers, those who give up included."""
        if self.patience < inf:
            return self.abandoned * self.patience
        spare = self.agents - self.load
        return self.wait_probability * self.handle / spare if spare > 0 else inf

    @property
    def occupancy(self) -> float:
        return min(self.load * (1 - self.abandoned) / self.agents, 1.0)

    def answered_within(self, target: Seconds) -> float:
        """Share of all callers who are answered by then: SL-C+ of the metrics."""
        at_once = 1 - self.wait_probability
        if self.patience == inf:
            spare = (self.agents - self.load) / self.handle
            return at_once + self.wait_probability * -expm1(-max(spare, 0.0) * target)
        both = self._free_weight + self.rate * self._service_integral
        return at_once + self.rate * _simpson(self._answered_at, target) / both

    @cached_property
    def _service_integral(self) -> float:
        """J: the sum of rate**k / (mu n)(mu n + theta)…(mu n + k theta) over k = 0, 1, …"""
        pace, leaving = self.agents / self.handle, 1 / self.patience
        term = total = 1 / pace
        k = 0
        while term > NEGLIGIBLE * total:
            k += 1
            term *= self.rate / (pace + k * leaving)
            total += term
        return total

    @cached_property
    def _free_weight(self) -> float:
        """E: states with a free agent, relative to the one with all but one busy."""
        term = total = 1.0
        for n in range(self.agents - 1, 0, -1):
            term *= n / self.load
            total += term
        return total

    def _answered_at(self, waited: Seconds) -> float:
        """Density of being answered after so long, up to a constant factor."""
        leaving = 1 / self.patience
        ahead = self.rate * -expm1(-leaving * waited) / leaving
        return exp(ahead - (self.agents / self.handle + leaving) * waited)


def _simpson(density: Callable[[float], float], end: float) -> float:
    width = end / STEPS
    inner = sum((4 if n % 2 else 2) * density(n * width) for n in range(1, STEPS))
    return width / 3 * (density(0.0) + inner + density(end))


def agents_needed(
    rate: float, handle: Seconds, target: Seconds, share: float, patience: Seconds = inf
) -> int:
    """Fewest agents with whom `share` of all callers are answered within `target`."""
    agents = 1
    while Erlang(agents, rate, handle, patience).answered_within(target) < share:
        agents += 1
    return agents


def delay_probability(beta: float) -> float:
    """Share of callers who wait with R + beta√R agents, R large (Halfin and Whitt 1981)."""
    return 1 / (1 + beta * NORMAL.cdf(beta) / NORMAL.pdf(beta))


def square_root_staffing(load: float, waiting: float) -> int:
    """Agents for whom the share `waiting` of callers waits: R + beta√R, rounded up.

    `waiting` lies between 0 and 1; without giving up, beta is positive.
    """
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if delay_probability(middle) > waiting else (low, middle)
    return ceil(load + high * sqrt(load))
