"""The queue engine's log: snapshots and what followed, in order."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from softswitch.store.aside import AsideError
from softswitch.store.engine_log import EngineLog, Remembered
from softswitch.store.errors import StoreError


def test_a_state_is_its_snapshot_and_the_events_since(tmp_path: Path) -> None:
    log = EngineLog(tmp_path)
    assert log.load() == Remembered(None, [])
    log.append(["login", "anna"])
    log.snapshot({"agents": ["anna"]})
    log.append(["pause", "anna"])
    log.close()

    log = EngineLog(tmp_path)
    assert log.since_snapshot == 1
    assert log.load() == Remembered({"agents": ["anna"]}, [["pause", "anna"]])
    log.close()


def test_a_snapshot_half_written_does_not_count(tmp_path: Path) -> None:
    log = EngineLog(tmp_path)
    log.append("one")
    log.close()
    (tmp_path / "snapshot-00000000000000000001.77.new").write_text('{"agents": [')
    log = EngineLog(tmp_path)
    assert log.load() == Remembered(None, ["one"])
    assert not list(tmp_path.glob("*.new"))
    log.close()


def grown(folder: Path, **limits: int) -> EngineLog:
    """Three snapshots with an event after each."""
    log = EngineLog(folder, **limits)
    for name in ("one", "two", "three"):
        log.snapshot({"said": name})
        log.append(name)
    return log


def test_for_a_torn_snapshot_the_one_before_and_the_journal_do(tmp_path: Path) -> None:
    log = grown(tmp_path)
    log.snapshots[-1].path.write_text('{"sa')
    log.close()

    log = EngineLog(tmp_path)
    assert log.load() == Remembered({"said": "two"}, ["two", "three"])
    assert "is damaged" in log.damage
    log.close()


def test_snapshots_that_are_all_damaged_are_refused(tmp_path: Path) -> None:
    (tmp_path / "snapshot-00000000000000000000.json").write_text("{")
    log = EngineLog(tmp_path)
    with pytest.raises(StoreError, match=r"\.json is damaged"):
        log.load()
    log.close()


def test_the_snapshot_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    log = EngineLog(tmp_path)
    log.append("one")
    log.append("two")
    log.close()
    (tmp_path / "snapshot.json").write_text('{"sequence": 1, "state": {"said": "one"}}')
    log = EngineLog(tmp_path)
    assert log.load() == Remembered({"said": "one"}, ["two"])
    log.close()


def test_older_days_are_kept_as_long_as_there_is_room(tmp_path: Path) -> None:
    log = grown(tmp_path / "roomy")
    assert log.first() == Remembered({"said": "one"}, ["one", "two", "three"])
    log.close()
    log = grown(tmp_path / "tight", keep=1)
    assert log.first() == Remembered({"said": "two"}, ["two", "three"])
    log.close()


def test_a_snapshot_that_closes_a_gap_stands_alone(tmp_path: Path) -> None:
    """Events that the disk had no room for are in it, so nothing before it can be rebuilt."""
    log = grown(tmp_path)
    log.snapshot({"said": "four"}, alone=True)
    assert log.first() == Remembered({"said": "four"}, [])
    log.close()


def test_the_past_is_asked_from_the_snapshot_before_it(tmp_path: Path) -> None:
    log = grown(tmp_path)
    now = time.time()
    for age, snapshot in zip((30.0, 20.0, 10.0), log.snapshots, strict=True):
        os.utime(snapshot.path, times=(now - age,) * 2)
    question = lambda state, events: [state["said"], *events]  # noqa: E731
    assert asyncio.run(log.ask(question, now - 15)) == b'["two","two","three"]'
    assert asyncio.run(log.ask(question, now - 40)) == b"null"
    log.close()


def test_a_snapshot_is_taken_beside_the_loop_and_goes_on_with_what_came_meanwhile(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        state = {"said": "before"}
        taking = asyncio.create_task(log.snapshot_aside(lambda: state))
        await asyncio.sleep(0)
        state["said"] = "after"
        log.append("after")
        await taking

    log = EngineLog(tmp_path)
    asyncio.run(scenario())
    assert log.since_snapshot == 1
    assert log.load() == Remembered({"said": "before"}, ["after"])
    log.close()


def test_a_snapshot_that_fails_beside_the_loop_changes_nothing(tmp_path: Path) -> None:
    def broken() -> Any:
        raise ValueError("no such agent")

    log = grown(tmp_path)
    before = log.load()
    with pytest.raises(AsideError, match="ValueError: no such agent"):
        asyncio.run(log.snapshot_aside(broken))
    assert log.load() == before
    log.close()


def test_a_copy_of_the_process_holds_neither_locks_nor_files(tmp_path: Path) -> None:
    """A switch that is killed while one works can be started again at once."""

    def held() -> Any:
        return [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()]

    async def scenario() -> None:
        await log.snapshot_aside(held)

    log = EngineLog(tmp_path)
    asyncio.run(scenario())
    assert not any("lock" in each or "journal" in each for each in log.load().state)
    log.close()
