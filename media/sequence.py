"""Which packets are new: a window of sequence numbers for every leg, as arrays.

Knows unwrapped sequence numbers; no timestamps, no sound.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from media.pcm import Integers, Mask, Rows

_WIDTH: Final = 64
_ONE: Final = np.uint64(1)


class Verdict(NamedTuple):
    """About each packet of a batch, as masks."""

    duplicate: Mask
    """Its number was seen before."""
    reordered: Mask
    """It is new, but a later one came first."""
    following: Mask
    """Its number is the next after the newest seen."""


class SequenceWindow:
    """Remembers the last 64 sequence numbers of each row.

    What is older than the window counts as reordered: its timestamp will show it to be late.
    """

    def __init__(self, capacity: int) -> None:
        self._newest: Integers = np.zeros(capacity, np.int64)
        self._seen = np.zeros(capacity, np.uint64)

    def reset(self, rows: Rows) -> None:
        self._seen[rows] = 0

    def feed(self, rows: Rows, sequences: Integers) -> Verdict:
        """Judge one packet for each of `rows` (no row twice) and remember it."""
        seen = self._seen[rows]
        ahead = sequences - self._newest[rows]
        if (ahead == 1).all() and seen.all():  # as nearly always
            self._seen[rows], self._newest[rows] = (seen << _ONE) | _ONE, sequences
            never = np.zeros(len(rows), np.bool_)
            return Verdict(never, never, ~never)
        ahead = np.where(seen == 0, _WIDTH, ahead)
        back = np.clip(-ahead, 0, _WIDTH - 1).astype(np.uint64)
        remembered = -ahead < _WIDTH
        duplicate = (ahead <= 0) & remembered & ((seen >> back) & _ONE == _ONE)
        self._remember(rows, sequences, ahead, back)
        return Verdict(duplicate, (ahead < 0) & ~duplicate, (ahead == 1) | (seen == 0))

    def _remember(
        self, rows: Rows, sequences: Integers, ahead: Integers, back: npt.NDArray[np.uint64]
    ) -> None:
        seen = self._seen[rows]
        newer = ahead > 0
        shift = np.clip(ahead, 0, _WIDTH - 1).astype(np.uint64)
        shifted = np.where(ahead >= _WIDTH, np.uint64(0), seen << shift) | _ONE
        marked = np.where(-ahead < _WIDTH, seen | (_ONE << back), seen)
        self._seen[rows] = np.where(newer, shifted, marked)
        self._newest[rows] = np.where(newer, sequences, self._newest[rows])
