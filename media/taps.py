"""Recorders as listeners of the graph: each side taps what it is to hear.

Joins `Recorder` to the switchboard and the mixer; writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from media import commands, events
from media.mixer import Mixer
from media.recorder import DiskWriter, Recorder
from media.switchboard import Switchboard

_LOOK_EVERY = 5
"""Ticks between two looks whether the disk refuses a file that is being written."""


def _taps(number: int) -> tuple[int, int]:
    """Names of a recorder's two sides among listeners; legs and rooms have positive ones."""
    return -2 * number, -2 * number - 1


class Recordings:
    """All recordings of one engine."""

    def __init__(
        self, board: Switchboard, mixer: Mixer, emit: Callable[[events.Event], None]
    ) -> None:
        self._board, self._mixer, self._emit = board, mixer, emit
        self._writer: DiskWriter | None = None
        self._running: dict[int, Recorder] = {}
        self._ending: dict[int, Recorder] = {}
        self._ticks = 0

    def begin(self, command: commands.Record) -> None:
        """Start the file and tap the sources."""
        if self._writer is None:
            self._writer = DiskWriter()
        self._running[command.recorder] = Recorder(
            command.path,
            self._writer,
            rate=command.rate,
            stereo=command.stereo,
            format=command.format,
        )
        for tap, source in zip(_taps(command.recorder), (command.left, command.right), strict=True):
            if source is not None:
                self._board.taps[tap] = command.rate, {source: 1.0}
        self._board.graph.changed = True

    def pause(self, number: int, paused: bool) -> None:
        recorder = self._running.get(number)
        if recorder is not None:
            (recorder.pause if paused else recorder.resume)()

    def end(self, number: int) -> None:
        """Finish the file; `Recorded` follows when it is closed."""
        recorder = self._running.pop(number, None)
        if recorder is None:
            return
        for tap in _taps(number):
            self._board.taps.pop(tap, None)
        self._board.graph.changed = True
        recorder.stop()
        self._ending[number] = recorder

    def tick(self) -> None:
        """Hand over this tick's sound, and tell now and then what has ended."""
        for rate in {recorder.rate for recorder in self._running.values()}:
            self._write(rate)
        self._ticks += 1
        self._look(self._ending)
        if self._ticks % _LOOK_EVERY == 0:
            self._look(self._running)

    def _write(self, rate: int) -> None:
        found = self._mixer.sounds(rate)
        silence = np.zeros(rate // 50, np.int16)
        taps: Mapping[int, int] = {} if found is None else found[0].taps
        sounds = silence[None] if found is None else found[1]
        for number, recorder in self._running.items():
            if recorder.rate == rate:
                left, right = taps.get(-2 * number), taps.get(-2 * number - 1)
                recorder.write(
                    silence if left is None else sounds[left],
                    None if right is None else sounds[right],
                )

    def _look(self, recorders: Mapping[int, Recorder]) -> None:
        for number, recorder in list(recorders.items()):
            outcome = recorder.poll()
            if outcome is not None:
                self.end(number)
                self._ending.pop(number, None)
                self._emit(events.Recorded(number, outcome.path, outcome.seconds, outcome.error))

    def close(self) -> None:
        """Finish all files before the engine ends."""
        for number in list(self._running):
            self.end(number)
        if self._writer is not None:
            self._writer.close()
