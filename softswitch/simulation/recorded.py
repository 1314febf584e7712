"""A recorded day from where the switch keeps it, and what other strategies make of it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acd.codec import CodecError
from acd.engine import Engine
from acd.events import Event
from acd.journal import decode
from acd.metrics.logbook import Logbook
from acd.settings import Settings
from acd.simulate.figures import day_figures
from acd.simulate.reenact import reenact
from acd.simulate.replay import RecordedDay, replay, share_changed
from acd.simulate.study import with_strategy
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

    The engine begins with the folder's snapshot, else with the settings in `config`.  Raises
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
    state, events = log.load()
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


def tell(day: RecordedDay, strategies: Sequence[str], queues: Sequence[str]) -> list[Json]:
    """The day as it was, and under each strategy: figures, and how many calls change hands."""
    rows = [_row("as recorded", day.log, day.settings, queues, 0.0)]
    rows[0]["shadow_differed"] = len(day.shadow)
    for strategy in strategies:
        settings = with_strategy(day.settings, strategy, queues)
        other = reenact(day, settings)
        changed = share_changed(day.assignments, other.assignments)
        rows.append(_row(strategy, other.log, settings, queues, changed))
    return rows


def _row(
    name: str, log: Logbook, settings: Settings, queues: Sequence[str], changed: float | None
) -> Json:
    figures = day_figures(log, settings, queues)
    return {"rules": name, "calls_with_another_agent": changed, **figures}
