"""Takes measurements one after another, each in a process of its own, and shows how far it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.catalogue import Measurement
from bench.figure import Raw, read
from bench.growth import exponents
from bench.machine import describe
from bench.run import Run, Taken

ROOT = Path(__file__).parent.parent
PATIENCE = 10.0
"""A measurement may take this many times its usual time, and a minute."""
INTERRUPTED = "interrupted"
Tick = Callable[[float], None]
"""Told how many seconds a measurement has taken so far."""


def take(wanted: Sequence[Measurement], *, quick: bool, rounds: int) -> Run:
    """Every one of them, in order; what fails has an error and no figures.

    Ctrl-C ends it with what has been measured so far.
    """
    began_at = datetime.now(UTC).isoformat(timespec="seconds")
    taken: list[Taken] = []
    with _progress(wanted, quick, rounds) as start:
        for measurement in wanted:
            taken.append(_take(measurement, quick, rounds, start))
            if taken[-1].error == INTERRUPTED:
                break
    return Run(describe(), began_at, quick, rounds, tuple(taken))


def _take(
    measurement: Measurement, quick: bool, rounds: int, start: Callable[[Measurement], Tick]
) -> Taken:
    begun = time.monotonic()
    found: list[Raw] = []
    yardsticks: list[float] = []
    for _ in range(rounds):
        try:
            told = _child(measurement, quick, start(measurement))
        except (RuntimeError, TimeoutError, KeyboardInterrupt) as error:
            why = str(error) or INTERRUPTED
            return Taken(measurement.name, time.monotonic() - begun, error=why)
        found.append(told["figures"])
        yardsticks.append(told["yardsticks"][measurement.yardstick])
    figures, remarks = read(measurement.name, found, measurement.unit)
    figures += exponents(figures)
    yardstick = sum(yardsticks) / len(yardsticks)
    spent = time.monotonic() - begun
    return Taken(measurement.name, spent, tuple(figures), yardstick, tuple(remarks))


def _child(measurement: Measurement, quick: bool, tick: Tick) -> dict[str, dict[str, float]]:
    """What `bench.child` prints; RuntimeError says why it prints nothing."""
    words = [sys.executable, "-m", "bench.child", measurement.name, *(["--quick"] * quick)]
    begun = time.monotonic()
    with subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that all that it started can be ended with it
    ) as child:
        try:
            while True:
                try:
                    out, err = child.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    spent = time.monotonic() - begun
                    tick(spent)
                    if spent > 60 + PATIENCE * measurement.seconds[not quick]:
                        raise TimeoutError(f"not done after {spent:.0f} s") from None
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise
    if child.returncode:
        print(err, file=sys.stderr)
        last = (out.splitlines() or ["{}"])[-1]
        raise RuntimeError(json.loads(last).get("error", f"exit code {child.returncode}"))
    found: dict[str, dict[str, float]] = json.loads(out.splitlines()[-1])
    return found


@contextmanager
def _progress(
    wanted: Sequence[Measurement], quick: bool, rounds: int
) -> Iterator[Callable[[Measurement], Tick]]:
    """On stderr: a bar on a terminal, a line for each measurement elsewhere."""
    usual = {each.name: each.seconds[not quick] for each in wanted}
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal,
    )  # fmt: skip
    task = bar.add_task("", total=rounds * sum(usual.values()))
    before = 0.0

    def start(measurement: Measurement) -> Tick:
        nonlocal before
        begun, before = before, before + usual[measurement.name]
        bar.update(task, completed=begun, description=measurement.title)
        if bar.disable:
            print(f"{measurement.title} …", file=sys.stderr, flush=True)
        return lambda spent: bar.update(task, completed=begun + min(spent, usual[measurement.name]))

    with bar:
        yield start
        bar.update(task, completed=before)
