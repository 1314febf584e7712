"""A run as Markdown: what was aimed at, every figure with its command, how costs grow.

The report is written into a page below a mark; what people wrote above it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.aims import AIMS, Aim
from bench.catalogue import BY_NAME
from bench.figure import Figure
from bench.growth import Curve, curves
from bench.run import Line, Run, Taken

MARK = "<!-- Below this line `make bench` writes. -->"
HEAD = "# Benchmarks\n"
VERDICTS = {True: "met", False: "**missed**", None: "no peer to compare with"}


def write(run: Run, page: Path, plots: Iterable[Path] = ()) -> None:
    """Put the report into the page, in place of the one before; `plots` lie beside it."""
    text = page.read_text(encoding="utf-8") if page.exists() else HEAD
    above = text.partition(MARK)[0].rstrip()
    images = [path.relative_to(page.parent) for path in plots]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{above}\n\n{MARK}\n\n{markdown(run, images)}", encoding="utf-8")


def markdown(run: Run, images: Iterable[Path] = ()) -> str:
    parts = [_machine(run), _failures(run), _aims(run), _plots(images), _beside(run), _growth(run)]
    parts += [_measurement(run, taken) for taken in run.taken]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(run: Run) -> str:
    kind = "A quick run" if run.quick else "A whole run"
    rounds = f"medians of {run.rounds} rounds" if run.rounds > 1 else "one round"
    seconds = sum(taken.seconds for taken in run.taken)
    said = [f"| {name} | {text} |" for name, text in run.machine.items()]
    return "\n".join(
        [
            "## Machine",
            "",
            f"{kind} of {seconds:.0f} s, {rounds}, begun at {run.began_at}.",
            "",
            *_table("| | |", said),
        ]
    )


def _failures(run: Run) -> str:
    told = ", ".join(f"{each.name} {each.value:g}" for each in run.failures())
    return f"**Loads that failed in part:** {told}." if told else ""


def _aims(run: Run) -> str:
    lines = [line for taken in run.taken for line in run.lines(taken) if line.aim is not None]
    if not lines:
        return ""
    rows = [
        f"| {line.figure.name} | {_value(line.figure)} | {_ratio(line)} "
        f"| {_limit(line.aim, line)} | {VERDICTS[line.met]} |"
        for line in lines
        if line.aim is not None
    ]
    met = sum(line.met is True for line in lines)
    here = {taken.measurement for taken in run.taken}
    absent = {name for name in AIMS if name.partition(".")[0] in here}
    absent -= {line.figure.name for line in lines}
    said = [f"{met} of {len(lines) + len(absent)} aims are met."]
    if absent:
        said.append("Not measured in this run: " + ", ".join(sorted(absent)) + ".")
    table = _table("| figure | measured | ratio | aim | |", rows)
    return "\n".join(["## Aims", "", " ".join(said), "", *table])


def _plots(images: Iterable[Path]) -> str:
    shown = "\n\n".join(f"![{path.stem.replace('-', ' ')}]({path})" for path in images)
    return f"## Plots\n\n{shown}" if shown else ""


def _beside(run: Run) -> str:
    rows = [
        f"| {line.figure.name} | {_value(line.figure)} "
        f"| {_number(line.figure.value / line.ratio)} {line.figure.unit} | {_ratio(line)} |"
        for line in run.beside_peers()
        if line.ratio
    ]
    table = _table("| figure | this switch | the peer | ratio |", rows)
    return "\n".join(["## Beside peers", "", *table]) if rows else ""


def _growth(run: Run) -> str:
    found = curves(figure for taken in run.taken for figure in taken.figures)
    if not found:
        return ""
    intro = "Cost per unit as the load grows; *b* of cost ~ load^b is fitted: 0 is no growth."
    rows = [
        f"| {curve.stem} | {curve.things} | {_points(curve)} | {curve.exponent:+.2f} |"
        for curve in found
    ]
    table = _table("| cost | load of | load: cost | b |", rows)
    return "\n".join(["## Growth", "", intro, "", *table])


def _points(curve: Curve) -> str:
    return ", ".join(f"{load:,}: {_number(cost)} {curve.unit}" for load, cost in curve.points)


def _measurement(run: Run, taken: Taken) -> str:
    measurement = BY_NAME[taken.measurement]
    said = [f"## {measurement.title}", "", f"`{measurement.command}`, {taken.seconds:.0f} s"]
    if taken.error:
        return "\n".join([*said, "", f"**Failed:** {taken.error}"])
    said += [f"* {remark}" if n else f"\n* {remark}" for n, remark in enumerate(taken.remarks)]
    facts = [line.figure for line in run.lines(taken) if not line.figure.unit]
    if facts:
        told = ", ".join(f"{_short(fact)} {fact.value:g}" for fact in facts)
        said += ["", f"Load: {told}."]
    rows = [
        f"| {_short(line.figure)} | {_value(line.figure)} | {_noise(line.figure)} "
        f"| {_ratio(line)} | {_verdict(line)} |"
        for line in run.lines(taken)
        if line.figure.unit not in ("", "exponent")  # those are told under Growth
    ]
    table = _table("| figure | measured | ± | ratio | aim |", rows) if rows else ()
    return "\n".join([*said, "", *table]).rstrip()


def _table(head: str, rows: Iterable[str]) -> Iterator[str]:
    yield head
    yield "|" + "---|" * (head.count("|") - 1)
    yield from rows


def _short(figure: Figure) -> str:
    return figure.name.partition(".")[2].replace("_", " ")


def _value(figure: Figure) -> str:
    if figure.unit == "exponent":
        return f"{figure.value:+.2f}"
    return f"{_number(figure.value)} {figure.unit}".rstrip()


def _number(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.3g} million"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _noise(figure: Figure) -> str:
    return f"{figure.noise:.0%}" if len(figure.values) > 1 else ""


def _ratio(line: Line) -> str:
    return f"{_number(line.ratio)} × {line.baseline}" if line.ratio is not None else ""


def _limit(aim: Aim, line: Line) -> str:
    return f"{'≥' if aim.at_least else '≤'} {aim.limit:g}{f' × {line.baseline}' if aim.of else ''}"


def _verdict(line: Line) -> str:
    if line.aim is None:
        return ""
    return f"{_limit(line.aim, line)}: {VERDICTS[line.met]}"
