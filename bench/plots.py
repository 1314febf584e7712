"""Plots of a run as PNG.  Needs matplotlib, the extra `plots`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.growth import curves
from bench.run import Line, Run

GREEN, RED, GREY = "#4c9f70", "#c8553d", "#8d99ae"


def draw(run: Run, folder: Path) -> list[Path]:
    """Write what there is to see into the folder; ImportError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"aims": _aims, "beside-peers": _beside, "growth": _growth}
    drawn = [part(run, folder / f"{name}.png") for name, part in parts.items()]
    return [path for path in drawn if path is not None]


def _aims(run: Run, path: Path) -> Path | None:
    """Every aim as a bar: how much of its limit is used."""
    bars = list(_used(run))
    if not bars:
        return None
    figure, axes = _page(0.32 * len(bars) + 1.2)
    names = [line.figure.name for line, _ in bars]
    colours = [GREEN if line.met else RED for line, _ in bars]
    axes.barh(names, [used for _, used in bars], color=colours)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("part of the aim's limit that is used (left of 1: met)")
    return _save(figure, path)


def _used(run: Run) -> Iterator[tuple[Line, float]]:
    for taken in run.taken:
        for line in run.lines(taken):
            if line.aim is None or line.met is None:
                continue
            value = line.ratio if line.aim.of and line.ratio else line.figure.value
            used = line.aim.limit / value if line.aim.at_least and value else value / line.aim.limit
            if used > 0:
                yield line, used


def _beside(run: Run, path: Path) -> Path | None:
    """Every figure that a peer has as well: how many times the peer's ours is."""
    lines = run.beside_peers()
    if not lines:
        return None
    figure, axes = _page(0.32 * len(lines) + 1.2)
    names = [f"{line.figure.name} : {line.baseline}" for line in lines]
    bars = axes.barh(names, [line.ratio for line in lines], color=GREY)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("ours as a multiple of the peer's (left of 1: cheaper, or sooner)")
    return _save(figure, path)


def _growth(run: Run, path: Path) -> Path | None:
    """Every curve, its least load and cost taken as 1."""
    found = curves(figure for taken in run.taken for figure in taken.figures)
    if not found:
        return None
    figure, axes = _page(5.0)
    for curve in found:
        load, cost = curve.points[0]
        xs, ys = [n / load for n, _ in curve.points], [each / cost for _, each in curve.points]
        label = f"{curve.stem} by {curve.things}, b = {curve.exponent:+.2f}"
        axes.plot(xs, ys, marker="o", label=label)
    axes.axhline(1.0, color=GREY, linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("load, as a multiple of the least")
    axes.set_ylabel("cost per unit, as a multiple of that at the least load")
    axes.legend(fontsize="small")
    return _save(figure, path)


def _page(height: float) -> tuple[Any, Any]:
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(9, height), layout="constrained")


def _save(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path
