"""Rows of statistics are gathered, and none is lost to a full disk."""

from __future__ import annotations

from typing import Any, cast

from softswitch.store.errors import JournalFullError
from softswitch.store.statistics import Interval, Statistics, Visit
from softswitch.store.writer import Writer


class Disk:
    """Takes rows while it is not full."""

    def __init__(self) -> None:
        self.full, self.rows = False, list[Any]()

    def put(self, *rows: Any) -> None:
        if self.full:
            raise JournalFullError("no space")
        self.rows += rows


def test_what_a_full_disk_keeps_out_is_written_later_and_once() -> None:
    disk = Disk()
    statistics = Statistics(cast(Writer, disk))
    statistics.visit(Visit("v", "c", "sales", "101", 1.0))
    disk.full = True
    statistics.flush()
    statistics.visit(Visit("v", "c", "sales", "101", 1.0, left_at=2.0, outcome="abandoned"))
    statistics.interval(Interval("anna", 1.0, "idle"))
    assert statistics.gathered == 2 and not disk.rows
    disk.full = False
    statistics.flush()
    statistics.flush()
    assert [table for table, _ in disk.rows] == ["visits", "agent_intervals"]
    assert disk.rows[0][1][6:8] == (2.0, "abandoned") and statistics.gathered == 0
