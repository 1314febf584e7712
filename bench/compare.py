"""Two runs side by side: what has become worse, and by more than both runs' noise.

Figures are compared as ratios to their baselines where both runs have the same, so that two
machines, or two moods of one, can be compared; else as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.run import Line, Run

THRESHOLD = 0.10
"""Changes below a tenth are no news on a machine that others use."""
ONE_ROUND_NOISE, TAIL_NOISE = 0.10, 0.50
"""What is taken for the noise of a figure of which there is one round only: of sums and medians,
and of the rare worst, by the words below."""
TAILS = ("p99", "p999", "longest", "jitter", "spacing")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both runs."""

    name: str
    before: float
    after: float
    baseline: str
    """What both are ratios to; empty: they are absolute."""
    worse: float
    """By which part it became worse; negative: better."""
    bound: float
    """What `worse` must exceed to count."""

    @property
    def is_regression(self) -> bool:
        return self.worse > self.bound

    @property
    def is_gain(self) -> bool:
        return -self.worse > self.bound


def changes(before: Run, after: Run, threshold: float = THRESHOLD) -> Iterator[Change]:
    """Every figure that both have and that can be better or worse; the worst first."""
    old = {line.figure.name: line for taken in before.taken for line in before.lines(taken)}
    new = {line.figure.name: line for taken in after.taken for line in after.lines(taken)}
    found = [_change(old[name], new[name], threshold) for name in old if name in new]
    known = [change for change in found if change is not None]
    return iter(sorted(known, key=lambda change: -change.worse))


def _change(old: Line, new: Line, threshold: float) -> Change | None:
    figure = new.figure
    if not figure.unit:
        return None
    if figure.unit == "exponent":  # near 0, where parts of it mean nothing
        worse = figure.value - old.figure.value
        return Change(figure.name, old.figure.value, figure.value, "", worse, threshold)
    bound = max(threshold, _noise(old) + _noise(new))
    if old.baseline == new.baseline and old.ratio is not None and new.ratio is not None:
        values = old.ratio, new.ratio, new.baseline
    else:
        values = old.figure.value, figure.value, ""
    return Change(figure.name, *values, _worse(*values[:2], figure.more_is_better), bound)


def _noise(line: Line) -> float:
    if len(line.figure.values) > 1:
        return line.figure.noise
    return TAIL_NOISE if any(word in line.figure.name for word in TAILS) else ONE_ROUND_NOISE


def _worse(before: float, after: float, more_is_better: bool) -> float:
    """0.5: half as much again is spent, or half as much more was done before."""
    if more_is_better:
        before, after = after, before
    if before == after:
        return 0.0
    return after / before - 1 if before > 0 else float("inf")


def table(found: list[Change]) -> str:
    """What changed, a line each, and the verdict."""
    told = [change for change in found if change.is_regression or change.is_gain]
    lines = [
        f"{'WORSE ' if change.is_regression else 'better'} {change.name:48} "
        f"{change.before:10.4g} → {change.after:10.4g} {_to(change.baseline):16} "
        f"{-change.worse:+.0%} (bound {change.bound:.0%})"
        for change in told
    ]
    worse = sum(change.is_regression for change in found)
    gains = len(told) - worse
    lines.append(f"{len(found)} figures compared: {worse} worse, {gains} better")
    return "\n".join(lines)


def _to(baseline: str) -> str:
    return f"× {baseline}" if baseline else ""
