"""Sound of many legs by position in time: rings of 20 ms slots.  Knows no playout and no packets.

A *slot number* counts a row's slots from its opening; slot s lies at s modulo `SLOTS`.  Storage
grows with the rows in use and is reused when they close.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media.pcm import Integers, Mask, Pcm, Rows

SLOTS: Final = 32
EMPTY: Final = -32768
"""Marks, in a partly filled slot, samples that have not come; sound never has this value there."""


class SlotRing:
    """One ring for each open row; rows that are not open must not be read or written."""

    def __init__(self, capacity: int, frame: int) -> None:
        self._frame = frame
        self._place: Rows = np.full(capacity, -1, np.intp)
        self._unused: list[int] = []
        self._sound: Pcm = np.zeros((0, SLOTS, frame), np.int16)
        self._filled: npt.NDArray[np.int16] = np.zeros((0, SLOTS), np.int16)

    def is_open(self, rows: Rows) -> Mask:
        return self._place[rows] >= 0

    def open(self, rows: Rows) -> None:
        """Give empty rings to rows that have none."""
        self._place[rows] = [self._allocate() for _ in range(len(rows))]
        self._filled[self._place[rows]] = 0

    def close(self, rows: Rows) -> None:
        """Take the rings back.  Closing a closed row is harmless."""
        self._unused += np.unique(self._place[rows][self.is_open(rows)]).tolist()
        self._place[rows] = -1

    def read(self, rows: Rows, slots: Integers) -> tuple[Pcm, npt.NDArray[np.int16]]:
        """A copy of one slot of each row, and how many of its samples have come."""
        place, slot = self._place[rows], slots % SLOTS
        return self._sound[place, slot], self._filled[place, slot]

    def history(self, rows: Rows, slots: Integers) -> Pcm:
        """The 40 ms that end with these slots, `(k, 2·frame)`."""
        both = (slots[:, None] + np.array([-1, 0])) % SLOTS
        sound: Pcm = self._sound[self._place[rows][:, None], both]
        return sound.reshape(len(rows), -1)

    def clear(self, rows: Rows, slots: Integers, count: int = 1) -> None:
        """Mark `count` slots as empty; the sound in them stays for `history`."""
        cleared = (slots[:, None] + np.arange(count)) % SLOTS
        self._filled[self._place[rows][:, None], cleared] = 0

    def overlay(self, rows: Rows, slots: Integers, sound: Pcm) -> None:
        """Put what was heard instead into slots that did not come; they still count as empty."""
        self._sound[self._place[rows], slots % SLOTS] = sound

    def write(self, rows: Rows, slots: Integers, frames: Pcm) -> None:
        """Fill whole slots, one of each row."""
        place, slot = self._place[rows], slots % SLOTS
        self._sound[place, slot] = frames
        self._filled[place, slot] = self._frame

    def write_piece(self, row: int, slot: int, start: int, sound: Pcm) -> None:
        """Fill a part of one slot, beginning at sample `start` of it."""
        place, slot = self._place[row], slot % SLOTS
        here = self._sound[place, slot]
        if not self._filled[place, slot]:
            here[:] = EMPTY
        here[start : start + sound.size] = np.maximum(sound, EMPTY + 1)
        self._filled[place, slot] = np.count_nonzero(here != EMPTY)

    def _allocate(self) -> int:
        if not self._unused:
            used = len(self._sound)
            more = max(used, 16)
            sound = np.zeros((more, SLOTS, self._frame), np.int16)
            self._sound = np.concatenate([self._sound, sound])
            self._filled = np.concatenate([self._filled, np.zeros((more, SLOTS), np.int16)])
            self._unused.extend(range(used + more - 1, used - 1, -1))
        return self._unused.pop()
