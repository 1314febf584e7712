"""Sums of sound: who hears whom, as arithmetic.  Knows index arrays; no rooms by name, no legs.

The caller compiles its hearing graph into index arrays once per change and calls these functions
once per tick and rate.  Sums are held in int32 (exact for 65 536 talkers) and saturate only at
the very end, so the order of talkers never matters.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from media.pcm import FULL_SCALE, Floats, Integers, Mask, Pcm, Rows, saturate

Sums: TypeAlias = npt.NDArray[np.int32]

_SILENCE_DBOV: Final = -127.0
_SMALL_ROOM: Final = 8
"""Members up to which rooms are summed together; above, one reduction a room is cheaper."""


def room_totals(frames: Pcm, starts: Rows) -> Sums:
    """Total of each room, `(rooms, samples)`.

    The rows of `frames` are the talkers, room after room; `starts[r]` is the first row of room
    r (strictly ascending, `starts[0] == 0`): no room is empty.
    """
    sizes = np.diff(starts, append=frames.shape[0])
    if sizes.max(initial=0) <= _SMALL_ROOM:
        return _member_by_member(frames, starts, sizes)
    if (sizes == sizes[0]).all():
        cube = frames.reshape(starts.size, -1, frames.shape[1])
        equal: Sums = np.add.reduce(cube, axis=1, dtype=np.int32)
        return equal
    if frames.shape[0] < _SMALL_ROOM * starts.size:
        return np.add.reduceat(frames, starts, axis=0, dtype=np.int32)
    totals = np.empty((starts.size, frames.shape[1]), np.int32)
    for total, room in zip(totals, np.split(frames, starts[1:]), strict=True):
        np.add.reduce(room, axis=0, dtype=np.int32, out=total)
    return totals


def _member_by_member(frames: Pcm, starts: Rows, sizes: Rows) -> Sums:
    """Many small rooms: add the second member of all rooms at once, then the third, …"""
    totals: Sums = frames[starts].astype(np.int32)
    for member in range(1, int(sizes.max(initial=0))):
        rooms = np.flatnonzero(sizes > member)
        totals[rooms] += frames[starts[rooms] + member]
    return totals


def mix_minus(frames: Pcm, starts: Rows) -> Pcm:
    """Everybody hears their room without themselves: `(talkers, samples)`, saturated.

    `frames` and `starts` as in `room_totals`.  One total serves a whole room, so the cost grows
    with the number of talkers, not with its square.
    """
    sizes = np.diff(starts, append=frames.shape[0])
    totals = room_totals(frames, starts)
    return saturate(np.repeat(totals, sizes, axis=0) - frames)


def sum_edges(frames: Pcm, sources: Rows, listeners: Rows, gains: Floats, n_listeners: int) -> Sums:
    """Arbitrary edges: `result[l]` = Σ `gains[e]` · `frames[sources[e]]` over edges e to l.

    Edges may come in any order; a listener without one gets silence.  Shape `(n_listeners,
    samples)`, unsaturated, so that it can be added to what the listener hears from a room.
    Gains are linear (1.0 leaves the sound as it is).
    """
    heard = np.zeros((n_listeners, frames.shape[1]), np.int32)
    if not sources.size:
        return heard
    order = np.argsort(listeners, kind="stable")
    sources, listeners, gains = sources[order], listeners[order], gains[order]
    starts = np.flatnonzero(np.diff(listeners, prepend=-1))
    weighted = _weighted(frames, sources, gains)
    if starts.size == listeners.size:
        heard[listeners] = weighted
    else:
        heard[listeners[starts]] = np.add.reduceat(weighted, starts, axis=0, dtype=np.int32)
    return heard


def _weighted(frames: Pcm, sources: Rows, gains: Floats) -> Pcm | Sums:
    chosen = frames[sources]
    if (gains == 1.0).all():
        return chosen
    return np.rint(chosen * gains[:, None].astype(np.float32)).astype(np.int32)


def energies(frames: Pcm) -> Floats:
    """Mean power of each frame relative to full scale, 0 … 1."""
    sound = frames.astype(np.float32)
    power: Floats = np.einsum("ij,ij->i", sound, sound)
    return power * np.float32(1 / frames.shape[1] / FULL_SCALE**2)


def decibels(power: Floats) -> Floats:
    """Power relative to full scale as dBov, never below -127 (RFC 6464 §3)."""
    floor = np.float32(10 ** (_SILENCE_DBOV / 10))
    return 10 * np.log10(np.maximum(power, floor))


def loudest(scores: Floats, starts: Rows, count: int) -> Mask:
    """Which talkers are among the `count` loudest of their room; the rest should be muted.

    `scores` is one number per talker (smoothed energy, so that a floor does not flicker); rooms
    lie as in `room_totals`.  Equal scores: the earlier row wins.
    """
    sizes = np.diff(starts, append=scores.size)
    room: Integers = np.repeat(np.arange(starts.size), sizes)
    order = np.lexsort((-scores, room))
    place = np.empty(scores.size, np.int64)
    place[order] = np.arange(scores.size) - np.repeat(starts, sizes)
    chosen: Mask = place < count
    return chosen


class Floor:
    """Smoothed loudness per row, by which active speakers are told.

    It rises at once and falls by half in 200 ms, so that a pause between words does not cost a
    talker the floor.
    """

    _KEPT: Final = np.float32(0.5 ** (1 / 10))

    def __init__(self, capacity: int) -> None:
        self.score: Floats = np.zeros(capacity, np.float32)

    def feed(self, rows: Rows, power: Floats) -> Floats:
        """Take one frame's `energies` of `rows`; return their scores."""
        score: Floats = np.maximum(power, self.score[rows] * self._KEPT)
        self.score[rows] = score
        return score

    def reset(self, rows: Rows) -> None:
        self.score[rows] = 0
