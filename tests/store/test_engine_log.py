"""The queue engine's log: snapshot and what followed, in order."""

from pathlib import Path

import pytest

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
    (tmp_path / "snapshot.new").write_text('{"sequence": 1, "sta')
    log = EngineLog(tmp_path)
    assert log.load() == Remembered(None, ["one"])
    log.close()


def test_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_text("{")
    with pytest.raises(StoreError, match=r"snapshot\.json is damaged"):
        EngineLog(tmp_path)
