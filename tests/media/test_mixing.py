"""Mixing: nobody hears themselves, sums saturate, edges add up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from media import mixing
from media.pcm import Pcm, saturate

FRAMES = hnp.arrays(np.int16, st.tuples(st.integers(1, 40), st.just(8)))


def starts_of(data: st.DataObject, talkers: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    cuts = data.draw(st.sets(st.integers(1, talkers - 1)) if talkers > 1 else st.just(set()))
    return np.array(sorted({0} | cuts), np.intp)


@given(frames=FRAMES, data=st.data())
def test_everyone_hears_the_room_without_themselves(frames: Pcm, data: st.DataObject) -> None:
    starts = starts_of(data, len(frames))
    ends = [*starts[1:].tolist(), len(frames)]
    heard = mixing.mix_minus(frames, starts)
    for start, end in zip(starts.tolist(), ends, strict=True):
        for row in range(start, end):
            others = [frames[i].astype(int) for i in range(start, end) if i != row]
            expected = np.clip(sum(others, np.zeros(8, int)), -32768, 32767)
            assert (heard[row] == expected).all()


def test_a_large_ragged_room_adds_up() -> None:
    frames = np.random.default_rng(0).integers(-32768, 32768, (1000, 160)).astype(np.int16)
    starts = np.array([0, 1, 300], np.intp)
    totals = mixing.room_totals(frames, starts)
    assert (totals[2] == frames[300:].sum(axis=0, dtype=np.int32)).all()
    assert (totals[0] == frames[0]).all()


def test_sums_saturate_instead_of_wrapping() -> None:
    loud = np.full((3, 4), 32767, np.int16)
    assert (mixing.mix_minus(loud, np.array([0])) == 32767).all()
    assert (mixing.mix_minus(-loud, np.array([0])) == -32768).all()


@given(frames=FRAMES, data=st.data())
def test_edges_add_gains_of_sources(frames: Pcm, data: st.DataObject) -> None:
    edge = st.tuples(
        st.integers(0, len(frames) - 1), st.integers(0, 4), st.sampled_from([0.0, 0.25, 1.0, 2.0])
    )
    edges = data.draw(st.lists(edge, max_size=20))
    sources = np.array([source for source, _, _ in edges], np.intp)
    listeners = np.array([listener for _, listener, _ in edges], np.intp)
    gains = np.array([gain for _, _, gain in edges], np.float32)
    heard = mixing.sum_edges(frames, sources, listeners, gains, 5)
    expected = np.zeros((5, 8))
    for source, listener, gain in edges:
        expected[listener] += np.rint(frames[source] * gain)
    assert (heard == expected).all()


def test_whisper_is_heard_by_one() -> None:
    """A supervisor (row 2) whispers to the agent (listener 0) at half volume."""
    frames = np.array([[100] * 4, [200] * 4, [50] * 4], np.int16)
    heard = mixing.sum_edges(
        frames, np.array([1, 2, 0]), np.array([0, 0, 1]), np.array([1, 0.5, 1], np.float32), 3
    )
    assert saturate(heard)[:, 0].tolist() == [225, 100, 0]


def test_the_loudest_are_chosen_in_each_room() -> None:
    scores = np.array([0.1, 0.5, 0.3, 0.2, 0.2, 0.9], np.float32)
    chosen = mixing.loudest(scores, np.array([0, 3]), 2)
    assert chosen.tolist() == [False, True, True, True, False, True]


def test_levels_are_dbov() -> None:
    """A square wave of full scale is 0 dBov; digital silence is -127 (RFC 6464)."""
    frames = np.stack([np.tile([32767, -32767], 80), np.zeros(160), np.tile([327, -327], 80)])
    levels = mixing.decibels(mixing.energies(frames.astype(np.int16)))
    assert np.round(levels).tolist() == [0, -127, -40]


def test_the_floor_survives_a_pause_between_words() -> None:
    floor = mixing.Floor(4)
    rows = np.array([1, 3])
    floor.feed(rows, np.array([0.5, 0.1], np.float32))
    for _ in range(10):
        score = floor.feed(rows, np.array([0, 0.1], np.float32))
    assert score[0] > score[1]
    for _ in range(30):
        score = floor.feed(rows, np.array([0, 0.1], np.float32))
    assert score[0] < score[1]
    floor.reset(rows)
    assert not floor.score.any()
