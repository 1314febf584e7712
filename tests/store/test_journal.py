"""The journal: what `append` acknowledged is there afterwards, or the loss is named."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.store.engine_log import EngineLog
from softswitch.store.errors import (
    JournalCorruptError,
    JournalFullError,
    JournalLockedError,
    StoreError,
)
from softswitch.store.frame import Damage, Entry, pack, scan
from softswitch.store.journal import Journal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KINDS = st.text(st.characters(codec="ascii"), max_size=20)


def written(directory: Path, *payloads: Any, **options: int) -> Path:
    """A closed journal of `payloads`; its newest file."""
    journal = Journal(directory, **options)
    for payload in payloads:
        journal.append("note", payload)
    journal.close()
    return max(directory.glob("*.journal"))


def payloads(directory: Path, after: int = 0) -> list[Any]:
    journal = Journal(directory)
    try:
        return [entry.payload for entry in journal.replay(after)]
    finally:
        journal.close()


@given(st.lists(st.tuples(KINDS, JSON | st.binary())))
def test_what_is_packed_is_scanned(records: list[tuple[str, Any]]) -> None:
    entries = [Entry(at, *record) for at, record in enumerate(records, start=7)]
    assert list(scan(b"".join(pack(*entry) for entry in entries), 7)) == entries


@given(st.lists(st.binary(max_size=30), min_size=1), st.data())
def test_a_cut_anywhere_loses_only_the_record_that_it_cuts(
    records: list[bytes], data: st.DataObject
) -> None:
    frames = [pack(at, "n", record) for at, record in enumerate(records, start=1)]
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    found = list(scan(whole[:cut], 1))

    kept = [entry for entry in found if isinstance(entry, Entry)]
    ends = [sum(map(len, frames[: n + 1])) for n in range(len(frames))]
    assert len(kept) == sum(end <= cut for end in ends)
    assert all(damage.torn for damage in found if isinstance(damage, Damage))


@given(st.data())
def test_one_flipped_bit_is_never_read_as_a_record(data: st.DataObject) -> None:
    whole = bytearray(b"".join(pack(at, "n", {"value": at}) for at in (1, 2, 3)))
    size = len(whole) // 3
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))

    *kept, damage = scan(bytes(whole), 1)

    assert [entry.payload for entry in kept if isinstance(entry, Entry)] == [
        {"value": n + 1} for n in range(at // size)
    ]
    assert isinstance(damage, Damage)
    assert (damage.offset, damage.torn) == (at // size * size, at // size == 2)


def test_sequence_and_records_go_on_after_reopening(tmp_path: Path) -> None:
    written(tmp_path, "one", {"two": 2})
    journal = Journal(tmp_path)
    assert journal.append("note", b"\x00three") == 3
    assert list(journal.replay(after=1)) == [
        Entry(2, "note", {"two": 2}),
        Entry(3, "note", b"\x00three"),
    ]
    journal.close()


def test_lone_surrogates_of_the_wire_survive(tmp_path: Path) -> None:
    written(tmp_path, "caf\udce9")
    assert payloads(tmp_path) == ["caf\udce9"]


def test_a_torn_last_record_is_cut_off_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, "kept", "torn")
    whole = path.stat().st_size
    os.truncate(path, whole - 3)

    journal = Journal(tmp_path)

    assert journal.repair is not None
    assert journal.repair.offset == whole // 2
    assert "torn" in str(journal.repair)
    assert journal.append("note", "again") == 2
    journal.close()
    assert payloads(tmp_path) == ["kept", "again"]


def test_zeros_after_a_power_cut_are_a_torn_record(tmp_path: Path) -> None:
    path = written(tmp_path, "kept")
    os.truncate(path, path.stat().st_size + 4096)
    assert payloads(tmp_path) == ["kept"]


def test_damage_in_the_middle_is_refused_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, "aa", "bb", "cc")
    data = bytearray(path.read_bytes())
    size = len(data) // 3
    data[2 * size - 1] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(JournalCorruptError, match=f"byte {size}: .*checksum") as refused:
        Journal(tmp_path)
    assert (refused.value.path, refused.value.offset) == (path, size)


def test_damage_in_an_older_file_is_found_by_replay(tmp_path: Path) -> None:
    written(tmp_path, "aa", "bb", segment_bytes=1)
    oldest = min(tmp_path.glob("*.journal"))
    os.truncate(oldest, oldest.stat().st_size - 1)
    with pytest.raises(JournalCorruptError):
        payloads(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "aa", "bb", "cc", segment_bytes=1)
    sorted(tmp_path.glob("*.journal"))[1].unlink()
    with pytest.raises(JournalCorruptError, match="records from 2 on are missing"):
        payloads(tmp_path)
    assert payloads(tmp_path, after=2) == ["cc"]


def test_release_deletes_what_the_database_holds(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    for text in ("aa", "bb", "cc"):
        journal.append("note", text)
    journal.release(upto=1)
    assert [entry.payload for entry in journal.replay(after=1)] == ["bb", "cc"]
    assert journal.first == 2
    journal.release(upto=3)
    assert [path.stem[-1] for path in tmp_path.glob("*.journal")] == ["3"]
    journal.close()


def test_an_emptied_journal_goes_on_where_the_database_stands(tmp_path: Path) -> None:
    journal = Journal(tmp_path, after=41)
    assert journal.append("note", "x") == 42
    assert list(journal.replay(after=41)) == [Entry(42, "note", "x")]
    journal.close()


def test_a_second_switch_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalLockedError, match="running"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_full_disk_keeps_nothing_and_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short write is undone, so that the next record is not read as damage."""
    journal = Journal(tmp_path)
    journal.append("note", "before")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:5]))
        with pytest.raises(JournalFullError):
            journal.append("note", "refused")
    assert journal.append("note", "after") == 2
    journal.sync()
    journal.close()
    assert payloads(tmp_path) == ["before", "after"]


@pytest.mark.parametrize("keeper", [Journal, EngineLog])
def test_a_folder_that_is_none_is_told_in_a_sentence(
    tmp_path: Path, keeper: type[Journal | EngineLog]
) -> None:
    (tmp_path / "acd").touch()

    with pytest.raises(StoreError, match=r"nothing can be kept in .*acd: it is no folder"):
        keeper(tmp_path / "acd")
