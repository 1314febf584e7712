"""A second of sound of many recordings at once, on its way to their files.

One assignment a tick lays down the frames of up to 64 recordings; what a recording has filled is
handed to its `Recorder`.  Knows frames and sounds by number; no disk, no graph.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import numpy as np

from media.pcm import FRAMES_PER_SECOND, Pcm, frame_samples, saturate
from media.recorder import Recorder
from media.types import Ints, Mask

_CHUNK: Final = FRAMES_PER_SECOND
"""Frames handed over at once: a crash loses at most this second."""
_SLOTS: Final = 64
_NOTHING: Final = -1


class Tape:
    """Recordings of one rate and number of channels; `number` names one of them.

    Each has two sides, of which a tick's sounds have one each, or none; in stereo each side has
    its channel, else the two are added.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self._channels = channels
        self._blocks: list[_Block] = []
        self._homes: dict[int, _Block] = {}

    def add(self, number: int, recorder: Recorder) -> None:
        block = next((block for block in self._blocks if block.has_room), None)
        if block is None:
            block = _Block(frame_samples(self.rate), self._channels)
            self._blocks.append(block)
        block.add(number, recorder)
        self._homes[number] = block

    def pause(self, number: int, paused: bool) -> None:
        """Leave out what comes, or go on."""
        self._homes[number].pause(number, paused)

    def remove(self, number: int) -> None:
        """Hand over what is left of it."""
        self._homes.pop(number).remove(number)

    def place(self, sides: Mapping[int, tuple[int | None, int | None]]) -> None:
        """From now on the sides of each recording are these of `write`'s sounds."""
        for block in self._blocks:
            block.place(sides)

    def write(self, sounds: Pcm) -> None:
        """Append a tick's frames, one a sound."""
        for block in self._blocks:
            block.write(sounds)


class _Block:
    """Up to 64 recordings, each in a slot."""

    def __init__(self, frame: int, channels: int) -> None:
        self._sound: Pcm = np.zeros((_SLOTS, channels, _CHUNK, frame), np.int16)
        self._fill: Ints = np.zeros(_SLOTS, np.int64)
        self._limit: Ints = np.full(_SLOTS, _CHUNK)
        self._sides: Ints = np.full((_SLOTS, 2), _NOTHING)
        self._runs: Mask = np.zeros(_SLOTS, np.bool_)
        self._running: Ints = np.zeros(0, np.int64)
        self._slots: dict[int, int] = {}
        self._recorders: dict[int, Recorder] = {}

    @property
    def has_room(self) -> bool:
        return len(self._slots) < _SLOTS

    def add(self, number: int, recorder: Recorder) -> None:
        slot = next(iter(set(range(_SLOTS)).difference(self._slots.values())))
        self._slots[number], self._recorders[slot] = slot, recorder
        self._fill[slot], self._sides[slot] = 0, _NOTHING
        self._limit[slot] = random.randint(1, _CHUNK)  # so that those begun together take turns
        self.pause(number, paused=False)

    def pause(self, number: int, paused: bool) -> None:
        self._runs[self._slots[number]] = not paused
        self._running = np.flatnonzero(self._runs)

    def remove(self, number: int) -> None:
        self.pause(number, paused=True)
        slot = self._slots.pop(number)
        self._hand_over(slot)
        del self._recorders[slot]

    def place(self, sides: Mapping[int, tuple[int | None, int | None]]) -> None:
        for number, slot in self._slots.items():
            heard = sides.get(number, (None, None))
            self._sides[slot] = [_NOTHING if side is None else side for side in heard]

    def write(self, sounds: Pcm) -> None:
        slots = self._running
        if not len(slots):
            return
        left, right = (self._side(sounds, self._sides[slots, side]) for side in (0, 1))
        fill = self._fill[slots]
        if self._sound.shape[1] == 2:
            self._sound[slots, 0, fill], self._sound[slots, 1, fill] = left, right
        else:
            self._sound[slots, 0, fill] = saturate(left.astype(np.int32) + right)
        self._fill[slots] = fill + 1
        for slot in slots[fill + 1 == self._limit[slots]].tolist():
            self._hand_over(slot)

    @staticmethod
    def _side(sounds: Pcm, chosen: Ints) -> Pcm:
        nothing = chosen == _NOTHING
        if nothing.all():
            return np.zeros((len(chosen), sounds.shape[1]), np.int16)
        frames: Pcm = sounds[chosen]
        if nothing.any():
            frames[nothing] = 0
        return frames

    def _hand_over(self, slot: int) -> None:
        if count := int(self._fill[slot]):
            self._recorders[slot].append(self._sound[slot, :, :count].copy())
        self._fill[slot], self._limit[slot] = 0, _CHUNK
