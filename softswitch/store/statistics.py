"""The call centre's history: visits to queues, and what agents did from when to when.

Statistics are queries over these rows, for any past interval; nothing is ever reset.
"""

from dataclasses import astuple, dataclass, field
from typing import Any, Final

from softswitch.store.errors import JournalFullError
from softswitch.store.writer import Writer

_VISITS: Final = "visits"
_INTERVALS: Final = "agent_intervals"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of a call in a queue; fields in the order of the table, times in epoch seconds."""

    id: str
    call_id: str
    queue: str
    caller: str
    entered_at: float
    connected_at: float | None = None
    left_at: float | None = None
    outcome: str | None = None
    agent: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interval:
    """An agent in one state; without `ended_at` it lasts."""

    agent: str
    began_at: float
    state: str
    ended_at: float | None = None
    reason: str | None = None
    visit: str | None = None


class Statistics:
    """Where they are written; putting one again with more known replaces it.

    Never raises: rows that a full disk keeps out wait for the next that it takes.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._unsaved: dict[tuple[Any, ...], tuple[str, tuple[Any, ...]]] = {}

    def visit(self, visit: Visit) -> None:
        self._save((_VISITS, visit.id), (_VISITS, astuple(visit)))

    def interval(self, interval: Interval) -> None:
        key = _INTERVALS, interval.agent, interval.began_at, interval.state
        self._save(key, (_INTERVALS, astuple(interval)))

    def _save(self, key: tuple[Any, ...], row: tuple[str, tuple[Any, ...]]) -> None:
        rows = {**self._unsaved, key: row} if self._unsaved else {key: row}
        try:
            self._writer.put(*rows.values())
        except JournalFullError:
            self._unsaved = rows
        else:
            self._unsaved = {}
