"""One run of the suite: what was taken, on which machine; to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.aims import AIMS, BASELINES, PEERS, Aim, peer_of
from bench.catalogue import BY_NAME
from bench.figure import Figure


@dataclass(frozen=True, slots=True)
class Taken:
    """One measurement."""

    measurement: str
    seconds: float
    figures: tuple[Figure, ...] = ()
    yardstick: float = 0.0
    """Microseconds of its yardstick beside it."""
    remarks: tuple[str, ...] = ()
    error: str = ""
    """Why there are no figures."""


@dataclass(frozen=True, slots=True)
class Line:
    """A figure with what it is compared with."""

    figure: Figure
    ratio: float | None
    baseline: str
    """Whom `ratio` is to: a peer, or the yardstick."""
    aim: Aim | None

    @property
    def met(self) -> bool | None:
        """None where there is no aim, or its peer is absent."""
        if self.aim is None or (self.aim.of and self.ratio is None):
            return None
        return self.aim.met(self.ratio if self.aim.of and self.ratio else self.figure.value)


@dataclass(frozen=True, slots=True)
class Run:
    machine: dict[str, str]
    began_at: str
    """Wall-clock time, ISO 8601."""
    quick: bool
    rounds: int
    taken: tuple[Taken, ...] = field(default=())

    def figures(self) -> dict[str, Figure]:
        return {figure.name: figure for taken in self.taken for figure in taken.figures}

    def lines(self, taken: Taken) -> Iterator[Line]:
        """The figures of one measurement, each beside its baseline."""
        known = self.figures()
        for figure in taken.figures:
            aim = AIMS.get(figure.name)
            wanted = (aim and aim.of) or BASELINES.get(figure.name, "")
            base = known.get(wanted)
            if base is not None and base.value:
                yield Line(figure, figure.value / base.value, peer_of(wanted), aim)
            elif aim is not None and aim.of:
                yield Line(figure, None, peer_of(wanted), aim)
            else:
                yield Line(figure, *_of_yardstick(figure, taken), aim)

    def beside_peers(self) -> list[Line]:
        """Our figures that have a peer's beside them."""
        lines = (line for taken in self.taken for line in self.lines(taken))
        return [line for line in lines if line.baseline in PEERS.values() and line.ratio]

    def failures(self) -> list[Figure]:
        """Loads that did not pass whole."""
        return [each for each in self.figures().values() if each.counts_failures and each.value]

    def to_json(self) -> str:
        tables = asdict(self)
        for table, taken in zip(tables["taken"], self.taken, strict=True):
            table["command"] = BY_NAME[taken.measurement].command
            for row, line in zip(table["figures"], self.lines(taken), strict=True):
                row |= {"value": line.figure.value, "ratio": line.ratio, "baseline": line.baseline}
                row |= {"aim": line.aim and line.aim.limit, "met": line.met}
        return json.dumps(tables, indent=1, ensure_ascii=False)


_MICROSECONDS = {"ns": 1e-3, "µs": 1.0, "ms": 1e3, "s": 1e6}


def _of_yardstick(figure: Figure, taken: Taken) -> tuple[float | None, str]:
    if figure.unit not in _MICROSECONDS or not taken.yardstick:
        return None, ""
    spent = figure.value * _MICROSECONDS[figure.unit]
    return spent / taken.yardstick, BY_NAME[taken.measurement].yardstick


def load(path: Path) -> Run:
    """A run from its JSON; ValueError says what is wrong with the file."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        taken = tuple(_taken(each) for each in table["taken"])
        return Run(table["machine"], table["began_at"], table["quick"], table["rounds"], taken)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no result of this suite ({error!r})") from error


def _taken(table: dict[str, Any]) -> Taken:
    figures = tuple(
        Figure(row["name"], tuple(row["values"]), row["unit"], row["more_is_better"])
        for row in table["figures"]
    )
    return Taken(
        table["measurement"],
        table["seconds"],
        figures,
        table["yardstick"],
        tuple(table["remarks"]),
        table["error"],
    )
