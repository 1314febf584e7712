"""The window of sequence numbers against a set, which never forgets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.sequence import SequenceWindow


@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(-60, 70)), max_size=80))
def test_duplicates_are_exactly_those_seen_before(steps: list[tuple[int, int]]) -> None:
    """Any walk on three rows, as long as it stays within 64 of the newest."""
    window = SequenceWindow(3)
    seen: dict[int, set[int]] = {}
    newest: dict[int, int] = {}
    for row, step in steps:
        sequence = newest.get(row, 1000) + step
        verdict = window.feed(np.array([row]), np.array([sequence]))
        assert verdict.duplicate[0] == (sequence in seen.get(row, set()))
        assert verdict.following[0] == (row not in newest or step == 1)
        if row in newest and step < 0:
            assert verdict.reordered[0] != verdict.duplicate[0]
        seen.setdefault(row, set()).add(sequence)
        newest[row] = max(newest.get(row, sequence), sequence)


def test_a_reset_row_begins_anew() -> None:
    window = SequenceWindow(2)
    rows = np.array([0, 1])
    window.feed(rows, np.array([5, 5]))
    window.reset(np.array([1]))
    assert window.feed(rows, np.array([5, 5])).duplicate.tolist() == [True, False]


def test_far_behind_is_old_not_duplicate() -> None:
    window = SequenceWindow(1)
    row = np.array([0])
    window.feed(row, np.array([1000]))
    verdict = window.feed(row, np.array([900]))
    assert (verdict.duplicate[0], verdict.reordered[0]) == (False, True)
