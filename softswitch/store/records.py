"""Call records: one row a call, one a leg, one an event; begun in the journal before the 100.

A record takes facts by column name and keeps any other as details, so that a feature can tell
what it knows without asking.  Facts are JSON values; times are wall-clock epoch seconds, kept to
the millisecond.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from softswitch.store.errors import JournalFullError
from softswitch.store.shape import SHAPES, Row
from softswitch.store.writer import Writer

INTERRUPTED: Final = "interrupted"

OnEvent: TypeAlias = Callable[[str, dict[str, Any]], None]

_COLUMNS: Final = {
    table: {name: at for at, name in enumerate(SHAPES[table].columns) if name != "details"}
    for table in ("calls", "legs", "call_events")
}
_ANSWERED: Final = _COLUMNS["calls"]["answered_at"]
_ANSWERED_BY: Final = _COLUMNS["calls"]["answered_by"]
_LEG_ANSWERED: Final = _COLUMNS["legs"]["answered_at"]
_LEG_ROLE: Final = _COLUMNS["legs"]["role"]
_LEG_PARTY: Final = _COLUMNS["legs"]["party"]


class _Draft:
    """A row in the making; its last column takes what has no column of its own."""

    __slots__ = ("_details", "changed", "table", "values")

    def __init__(self, table: str, *key: Any) -> None:
        self.table = table
        self.values: list[Any] = [*key, *(None,) * (len(SHAPES[table].columns) - len(key))]
        self._details: dict[str, Any] = {}
        self.changed = True

    def learn(self, facts: dict[str, Any]) -> None:
        """Take facts; a later one of the same name replaces the earlier."""
        columns, values = _COLUMNS[self.table], self.values
        for name, value in facts.items():
            if type(value) is float:
                value = round(value, 3)
            if name in columns:
                values[columns[name]] = value
            else:
                self._details[name] = value
        self.changed = True

    def row(self) -> tuple[str, list[Any]]:
        """The row as it stands, for the writer; nulls at its end are left out."""
        self.changed = False
        if self._details:
            return self.table, [*self.values[:-1], self._details.copy()]
        width = len(self.values)
        while self.values[width - 1] is None:
            width -= 1
        return self.table, self.values[:width]


class Records:
    """Where call records begin.  `unsaved` counts rows that a full disk keeps us from writing.

    `on_event(kind, data)` hears what is journaled as it happens: `began`, `answered`, `ended`,
    and each event; `data` names the `call`.
    """

    def __init__(self, writer: Writer, clock: Callable[[], float] = time.time) -> None:
        self._writer, self.clock = writer, clock
        self.on_event: OnEvent = _nobody
        self._unsaved: dict[tuple[Any, ...], tuple[str, list[Any]]] = {}

    def begin(self, call_id: str, *, urgent: bool = False, **facts: Any) -> "CallRecord":
        """The record of a call that begins now: `caller`, `dialled`, `direction`, `line`, ...

        Raises `JournalFullError` where nothing can be kept: refuse the call then.  The record of
        an `urgent` one waits for the next write instead, as all that follows does.
        """
        record = CallRecord(self, call_id, facts)
        if urgent:
            self.save([record.call])
        else:
            self._writer.put(record.call.row())
        self.on_event("began", {"call": call_id, **facts})
        return record

    @property
    def unsaved(self) -> int:
        return len(self._unsaved)

    def save(self, drafts: list[_Draft]) -> None:
        """Journal rows in one write; while that fails they are kept for the next time."""
        rows = [draft.row() for draft in drafts]
        if self._unsaved:
            rows = [*self._unsaved.values(), *rows]
        try:
            self._writer.put(*rows)
        except JournalFullError:
            self._unsaved |= {(table, *row[:2]): (table, row) for table, row in rows}
        else:
            self._unsaved.clear()


class CallRecord:
    """What is known of one call.  All methods are cheap and, once it has begun, never raise.

    What costs money or explains the call (an answer, an event, the end) is journaled at once,
    and with it what was learnt since; that a leg rings can wait.
    """

    __slots__ = ("_events", "_legs", "_records", "call", "ended")

    def __init__(self, records: Records, call_id: str, facts: dict[str, Any]) -> None:
        self._records = records
        self._legs: dict[str, _Draft] = {}
        self._events: list[_Draft] = []
        self.ended = False
        self.call = _Draft("calls", call_id)
        self.call.learn({"began_at": records.clock(), **facts})

    def learn(self, **facts: Any) -> None:
        """Facts of the whole call: `route`, `queue`, `agent`, `waited`, `recording`, ..."""
        self.call.learn(facts)

    def leg(self, leg: str, **facts: Any) -> None:
        """Something became known of a leg: `party`, `ringing_at`, `answered_at`, `codec`, ...

        The first leg named is the caller's; when it is answered, so is the call.
        """
        draft = self._legs.get(leg)
        if draft is None:
            call_id, number = self.call.values[0], len(self._legs)
            draft = self._legs[leg] = _Draft("legs", call_id, number)
            draft.learn({"began_at": self._records.clock()})
        before = draft.values[_LEG_ANSWERED]
        draft.learn(facts)
        if before is None and draft.values[_LEG_ANSWERED] is not None:
            self._answered(draft)

    def event(self, kind: str, **facts: Any) -> None:
        """Something happened: routed, forwarded, transferred, held, queued; `leg` names whose."""
        self._records.on_event(kind, {**facts, "call": self.call.values[0]})
        draft = _Draft("call_events", self.call.values[0], len(self._events))
        if (leg := self._legs.get(facts.pop("leg", ""))) is not None:
            facts["leg"] = leg.values[1]
        draft.learn({"at": self._records.clock(), "kind": kind, **facts})
        self._events.append(draft)
        self._save()

    def end(self, cause: str, **facts: Any) -> None:
        """The call is over; `by` is the leg that ended it, if one did.  A second end is ignored."""
        if self.ended:
            return
        self.ended = True
        if (leg := self._legs.get(facts.pop("by", ""))) is not None:
            facts["ended_by"] = leg.values[_LEG_ROLE] or leg.values[_LEG_PARTY]
        self.call.learn({"ended_at": self._records.clock(), "cause": cause, **facts})
        self._save()
        self._records.on_event("ended", {**facts, "call": self.call.values[0], "cause": cause})

    def _answered(self, leg: _Draft) -> None:
        """Journal the answer; a callee's waits for the caller's, which follows at once."""
        call = self.call.values
        if leg.values[1] == 0:
            call[_ANSWERED] = leg.values[_LEG_ANSWERED]
        else:
            call[_ANSWERED_BY] = leg.values[_LEG_PARTY]
        self.call.changed = True
        if call[_ANSWERED] is not None:
            self._save()
            by = call[_ANSWERED_BY]
            self._records.on_event("answered", {"call": call[0], "by": by})

    def _save(self) -> None:
        drafts = (self.call, *self._legs.values(), *self._events)
        if changed := [draft for draft in drafts if draft.changed]:
            self._records.save(changed)


def _nobody(kind: str, data: dict[str, Any]) -> None:
    """Until somebody listens."""


def interrupted(table: str, row: Row, at: float) -> tuple[str, list[Any]]:
    """The row of an open call or leg, ended at `at`: when the switch was last seen alive."""
    columns, values = _COLUMNS[table], list(row)
    values[columns["ended_at"]] = round(max(at, values[columns["began_at"]]), 3)
    values[columns["cause"]] = INTERRUPTED
    return table, values
