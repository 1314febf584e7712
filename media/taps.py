"""Recorders as listeners of the graph: each side taps what it is to hear.

Joins recorders and tapes to the switchboard and the mixer; writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from media import commands, events
from media.mixer import Mixer
from media.plan import RatePlan
from media.recorder import DiskWriter, Recorder
from media.switchboard import Switchboard
from media.tape import Tape


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
        self._numbers: dict[Recorder, int] = {}
        """All that run or are being closed."""
        self._tapes: dict[tuple[int, bool], Tape] = {}
        self._placed: dict[Tape, RatePlan | None] = {}

    def begin(self, command: commands.Record) -> None:
        """Start the file and tap the sources."""
        if self._writer is None:
            self._writer = DiskWriter()
        recorder = self._running[command.recorder] = Recorder(
            command.path,
            self._writer,
            rate=command.rate,
            stereo=command.stereo,
            format=command.format,
        )
        self._numbers[recorder] = command.recorder
        self._tape(recorder).add(command.recorder, recorder)
        for tap, source in zip(_taps(command.recorder), (command.left, command.right), strict=True):
            if source is not None:
                self._board.taps[tap] = command.rate, {source: 1.0}
        self._board.replan = True

    def pause(self, number: int, paused: bool) -> None:
        recorder = self._running.get(number)
        if recorder is not None:
            self._tape(recorder).pause(number, paused)

    def end(self, number: int) -> None:
        """Finish the file; `Recorded` follows when it is closed."""
        recorder = self._running.pop(number, None)
        if recorder is None:
            return
        for tap in _taps(number):
            self._board.taps.pop(tap, None)
        self._board.replan = True
        self._tape(recorder).remove(number)
        recorder.stop()

    def tick(self) -> None:
        """Hand over this tick's sound, and tell what has ended."""
        for tape in self._tapes.values():
            self._write(tape)
        if self._writer is not None:
            self._writer.flush()
        self._tell()

    def _tape(self, recorder: Recorder) -> Tape:
        kind = recorder.rate, recorder.stereo
        if kind not in self._tapes:
            self._tapes[kind] = Tape(recorder.rate, 2 if recorder.stereo else 1)
        return self._tapes[kind]

    def _write(self, tape: Tape) -> None:
        found = self._mixer.sounds(tape.rate)
        plan, sounds = found or (None, np.zeros((1, tape.rate // 50), np.int16))
        if tape not in self._placed or self._placed[tape] is not plan:
            taps = {} if plan is None else plan.taps
            tape.place({n: (taps.get(-2 * n), taps.get(-2 * n - 1)) for n in self._running})
            self._placed[tape] = plan
        tape.write(sounds)

    def _tell(self) -> None:
        while self._writer is not None and not self._writer.ended.empty():
            recorder = self._writer.ended.get()
            number, outcome = self._numbers.pop(recorder, None), recorder.poll()
            if number is not None and outcome is not None:  # else it was told before
                self.end(number)
                self._emit(events.Recorded(number, outcome.path, outcome.seconds, outcome.error))

    def close(self) -> None:
        """Finish all files before the engine ends."""
        for number in list(self._running):
            self.end(number)
        if self._writer is not None:
            self._writer.close()
