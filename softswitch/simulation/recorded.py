"""A recorded day from where the switch keeps it, and what other strategies make of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from acd.codec import CodecError
from acd.engine import Engine
from acd.events import Event
from acd.journal import decode
from acd.settings import Settings
from acd.simulate.figures import day_figures
from acd.simulate.reenact import reenact
from acd.simulate.replay import RecordedDay, replay, share_changed
from acd.simulate.scenario import Scenario
from acd.simulate.study import Candidate, with_strategy
from acd.types import AcdError, Instant
from config import load
from softswitch.pbx.acd_settings import settings_of
from softswitch.store.engine_log import EngineLog
from softswitch.store.errors import StoreError

Json = dict[str, Any]


class RecordError(AcdError):
    """What was recorded cannot be used; the text says why, and what to do."""


def read_day(path: Path, config: Path | None) -> RecordedDay:
    """Walk a journal again: a queue engine's folder, or a file with a record a line.

    The engine begins with the folder's oldest snapshot, else with the settings in `config`.  Raises
    `RecordError` where there is neither, for a folder that a running switch holds, and for a
    record that cannot be read, with its number; `ConfigError` for the settings.
    """
    if not path.exists():
        raise RecordError("there is no such journal")
    snapshot, records = _folder(path) if path.is_dir() else (None, _file(path))
    if snapshot is not None:
        return replay(Engine.restore(snapshot), records)
    if config is None or not config.exists():
        raise RecordError("no snapshot; name the settings of that day by --config")
    return replay(Engine(settings_of(load(config))), records)


def _folder(path: Path) -> tuple[Any, Iterator[tuple[Event, Instant]]]:
    try:
        log = EngineLog(path)
    except StoreError as error:
        raise RecordError(f"{error}; a copy of the folder will do") from None
    try:
        state, events = log.first()
    except StoreError as error:
        raise RecordError(str(error)) from None
    finally:
        log.close()
    return state and state["engine"], _records(events)


def _file(path: Path) -> Iterator[tuple[Event, Instant]]:
    return _records(line for line in path.read_bytes().splitlines() if line.strip())


def _records(lines: Iterable[bytes]) -> Iterator[tuple[Event, Instant]]:
    for number, line in enumerate(lines, 1):
        try:
            yield decode(line)
        except CodecError as error:
            raise RecordError(f"record {number}: {error}") from None


def tell(
    day: RecordedDay, strategies: Sequence[str], queues: Sequence[str], seeds: int = 5
) -> list[Json]:
    """The day as it was; with strategies, also made anew under its own rules and under each.

    What a record cannot know (how much longer would they have waited?) is drawn anew `seeds` times:
    `margins` are half the widths of the means' intervals, `surely` the figures that differ from
    those of the day made anew under its own rules, by pairs with the same draws.
    """
    shadow = len(day.shadow)
    figures = day_figures(day.log, day.settings, queues)
    rows = [_row("as recorded", figures, 0.0) | {"shadow_differed": shadow}]
    if not strategies:
        return rows
    own = _candidate(day, "its own rules", day.settings, queues, seeds)
    for found, changed in (own, *_others(day, strategies, queues, seeds)):
        estimates = {name: found.estimate(name) for name in found.days[0]}
        known = {name: each for name, each in estimates.items() if each is not None}
        gaps = {name: found.against(own[0], name) for name in known}
        rows.append(
            _row(found.name, {name: each.mean for name, each in known.items()}, changed)
            | {
                "margins": {name: each.margin for name, each in known.items()},
                "surely": [name for name, gap in gaps.items() if gap is not None and gap.certain],
            }
        )
    return rows


def _others(
    day: RecordedDay, strategies: Sequence[str], queues: Sequence[str], seeds: int
) -> Iterator[tuple[Candidate, float | None]]:
    for strategy in strategies:
        settings = with_strategy(day.settings, strategy, queues)
        yield _candidate(day, strategy, settings, queues, seeds)


def _candidate(
    day: RecordedDay, name: str, settings: Settings, queues: Sequence[str], seeds: int
) -> tuple[Candidate, float | None]:
    """The day made anew under these rules, and the share of calls that changed hands."""
    made = [reenact(day, settings, seed) for seed in range(1, seeds + 1)]
    changed = [share_changed(day.assignments, again.assignments) for again in made]
    figures = tuple(day_figures(again.log, settings, queues) for again in made)
    events = sum(again.events for again in made)
    found = Candidate(name, Scenario(settings), figures, (), events)
    return found, fmean(c or 0.0 for c in changed) if day.assignments else None


def _row(name: str, figures: Mapping[str, float], changed: float | None) -> Json:
    return {"rules": name, "calls_with_another_agent": changed, **figures}
