"""How a cost grows with the load: the exponent b of cost ~ load ** b, fitted by least squares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.figure import Figure


@dataclass(frozen=True, slots=True)
class Curve:
    """One cost under several loads."""

    stem: str
    """`measurement.cost`"""
    things: str
    """What the load is of: calls, agents."""
    unit: str
    points: tuple[tuple[int, float], ...]
    """(load, cost), the least load first."""

    @property
    def exponent(self) -> float:
        """0: the cost does not grow; 1: it doubles with the load; log n is about 0.15 of 100×."""
        return fit(self.points)


def fit(points: Sequence[tuple[int, float]]) -> float:
    """Slope of log cost over log load; at least two loads, all costs above 0."""
    xs = [math.log(load) for load, _ in points]
    ys = [math.log(cost) for _, cost in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return covariance / sum((x - mean_x) ** 2 for x in xs)


def curves(figures: Iterable[Figure]) -> list[Curve]:
    """Every cost that was measured under two loads or more."""
    found: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for figure in figures:
        if figure.point and figure.unit and figure.value > 0:
            stem, load, things = figure.point
            found.setdefault((stem, things, figure.unit), []).append((load, figure.value))
    return [Curve(*key, tuple(sorted(points))) for key, points in found.items() if len(points) > 1]


def exponents(figures: Iterable[Figure]) -> list[Figure]:
    """A figure for each curve: `stem_exponent_of_things`."""
    return [
        Figure(f"{curve.stem}_by_{curve.things or 'load'}_exponent", (curve.exponent,), "exponent")
        for curve in curves(figures)
    ]
