"""`softswitch simulate`: what it prints, and what it says where it cannot."""

from pathlib import Path

from acd.simulate.study import Candidate
from acd.types import AcdError
from config import ConfigError
from softswitch.cli.client import fail
from softswitch.cli.output import show
from softswitch.simulation import report
from softswitch.simulation.command import Wish, check_strategies, simulate
from softswitch.simulation.recorded import read_day, tell


def simulate_days(wish: Wish, plot: Path | None, *, as_json: bool) -> None:
    """Simulate, print, and draw if asked to."""
    try:
        candidates = simulate(wish)
    except ConfigError as error:
        fail(str(error), code=2)
    if as_json:
        show(report.as_json(candidates), as_json=True)
    else:
        report.print_table(candidates)
    if plot is not None:
        _draw(candidates, plot)


def _draw(candidates: list[Candidate], path: Path) -> None:
    try:
        report.plot(candidates, path)
    except ImportError:
        fail('plots need matplotlib: pip install "softswitch[plots]"')
    except (OSError, ValueError) as error:
        fail(f"{path} cannot be drawn ({error})")


def replay_day(
    path: Path,
    config: Path | None,
    strategies: tuple[str, ...],
    queue: str,
    seeds: int,
    *,
    as_json: bool,
) -> None:
    """The recorded day, and what other strategies would have made of it."""
    try:
        check_strategies(strategies)
        rows = tell(read_day(path, config), strategies, (queue,) if queue else (), seeds)
    except ConfigError as error:
        fail(str(error), code=2)
    except AcdError as error:
        fail(f"{path}: {error}")
    if as_json:
        show({"rules": rows}, as_json=True)
        return
    report.print_rows(rows)
