"""Laws of random times: how long callers are patient, agents talk, phones ring.  In seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from random import Random
from statistics import NormalDist, fmean, pstdev
from typing import Protocol

from acd.types import Seconds


class Law(Protocol):
    """One random number for each sample, from one draw of the generator: see `compare`."""

    @property
    def mean(self) -> Seconds: ...

    def sample(self, rng: Random) -> Seconds: ...


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same; `inf` is for ever."""

    mean: Seconds

    def sample(self, rng: Random) -> Seconds:
        return self.mean


@dataclass(frozen=True, slots=True)
class Exponential:
    mean: Seconds

    def sample(self, rng: Random) -> Seconds:
        return rng.expovariate(1.0) * self.mean


@dataclass(frozen=True, slots=True)
class Lognormal:
    """What talk times look like (Brown et al. 2005); `cv` is standard deviation over mean."""

    mean: Seconds
    cv: float = 1.0

    def sample(self, rng: Random) -> Seconds:
        variance = log(1 + self.cv * self.cv)
        deviate = NormalDist().inv_cdf(rng.random() or 0.5)
        return self.mean * exp(sqrt(variance) * deviate - variance / 2)

    @classmethod
    def fit(cls, seconds: Sequence[Seconds]) -> Lognormal:
        """The law that most likely gave these; times of 0 are left out, and there must be others.

        Raises ValueError if there are none.
        """
        logs = [log(value) for value in seconds if value > 0]
        if not logs:
            raise ValueError("there are no times to fit a law to")
        variance = pstdev(logs) ** 2
        return cls(exp(fmean(logs) + variance / 2), sqrt(exp(variance) - 1))


THREE_MINUTES = Exponential(180.0)
FOR_EVER = Constant(inf)
AT_ONCE = Constant(0.0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Any of these times, equally likely."""

    seconds: tuple[Seconds, ...]

    @property
    def mean(self) -> Seconds:
        return fmean(self.seconds)

    def sample(self, rng: Random) -> Seconds:
        return self.seconds[int(rng.random() * len(self.seconds))]
