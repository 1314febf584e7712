"""The call centre's history: visits to queues, and what agents did from when to when.

Statistics are queries over these rows, for any past interval; nothing is ever reset.
"""

from contextlib import suppress
from dataclasses import dataclass, field, fields
from operator import attrgetter
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

    Rows are gathered until `flush`, since most are put again soon.  Whoever puts them keeps what
    they are made of (the queues' own journal), and so can put them again after a crash.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._gathered: dict[tuple[Any, ...], tuple[str, tuple[Any, ...]]] = {}

    @property
    def gathered(self) -> int:
        """Rows that are not written yet."""
        return len(self._gathered)

    def visit(self, visit: Visit) -> None:
        self._gathered[_VISITS, visit.id] = _VISITS, _visit_row(visit)

    def interval(self, interval: Interval) -> None:
        key = _INTERVALS, interval.agent, interval.began_at, interval.state
        self._gathered[key] = _INTERVALS, _interval_row(interval)

    def flush(self) -> None:
        """Write all of it; never raises: what a full disk keeps out waits for the next time."""
        if self._gathered:
            with suppress(JournalFullError):
                self._writer.put(*self._gathered.values())
                self._gathered = {}


_visit_row = attrgetter(*(field.name for field in fields(Visit)))
_interval_row = attrgetter(*(field.name for field in fields(Interval)))
