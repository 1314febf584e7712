"""Shares of few: conversion, resolution at first contact, and what is certain about them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import inf, sqrt
from statistics import NormalDist
from typing import NamedTuple

from acd.metrics.logbook import Logbook
from acd.types import CallId, Instant, Seconds, VisitOutcome

WEEK: Seconds = 7 * 86400.0
NORMAL = NormalDist()


class Share(NamedTuple):
    """`part` of `whole`, and Wilson's interval: it stays within 0 and 1, and is good for few."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None


def share(part: int, whole: int, confidence: float = 0.95) -> Share:
    """Conversion, for one: `part` sales of `whole` answered calls."""
    if not whole:
        return Share(part, whole, 0.0, 1.0)
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    p, weight = part / whole, z * z / whole
    middle = (p + weight / 2) / (1 + weight)
    half = z * sqrt(p * (1 - p) / whole + weight / whole / 4) / (1 + weight)
    return Share(part, whole, middle - half, middle + half)


def distinguish(one: Share, other: Share) -> tuple[float, float]:
    """(z, p) of the two-sided test that both come from one rate; p above 0.05 shows nothing."""
    if not one.whole or not other.whole:
        return 0.0, 1.0
    pooled = (one.part + other.part) / (one.whole + other.whole)
    spread = sqrt(pooled * (1 - pooled) * (1 / one.whole + 1 / other.whole))
    if not spread:
        return 0.0, 1.0
    z = (one.part / one.whole - other.part / other.whole) / spread
    return z, 2 * (1 - NORMAL.cdf(abs(z)))


def first_contact_resolution(
    log: Logbook,
    queue: str,
    customers: Mapping[CallId, str],
    start: Instant = -inf,
    end: Instant = inf,
    *,
    within: Seconds = WEEK,
) -> Share:
    """Answered visits whose customer did not come to this queue again within so long.

    The queue stands for the reason of the call.  Visits of the last `within` seconds are left out,
    since nobody can know yet, and so are those of unknown customers.
    """
    line = log.visits.get(queue, [])
    came: dict[str, list[Instant]] = {}
    for visit in line:
        came.setdefault(customers.get(visit.call, ""), []).append(visit.joined)
    resolved = measured = 0
    for visit in log.joined(queue, start, min(end, log.now - within)):
        customer = customers.get(visit.call, "")
        if customer and visit.outcome is VisitOutcome.ANSWERED:
            times = came[customer]
            later = bisect_right(times, visit.joined)
            measured += 1
            resolved += later == len(times) or times[later] > visit.joined + within
    return share(resolved, measured)
