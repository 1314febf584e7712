"""What is listened for on legs: voice and silence, keys and signals in the sound, lost peers.

Feeds the detectors with frames that the mixer gathered at 8 kHz, and tells what they find.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from media import commands, events
from media.detection import SignalDetector, SilenceWatch, VoiceActivity, features
from media.dtmf import InbandDetector
from media.keys import Keys
from media.legs import Legs
from media.types import Instant, Ints, Mask, Octets, Pcm

_TOLD_AT_ONCE = 10
"""Frames whose features make one event."""


class Watch:
    """All that any leg of one engine is watched for."""

    def __init__(self, legs: Legs, keys: Keys, emit: Callable[[events.Event], None]) -> None:
        self._legs, self._keys, self._emit = legs, keys, emit
        rows = legs.capacity
        self._inband, self._voice = InbandDetector(rows), VoiceActivity(rows)
        self._silence, self._signals = SilenceWatch(rows), SignalDetector(rows)
        self._wants_keys = np.zeros(rows, np.bool_)
        self._wants_voice = np.zeros(rows, np.bool_)
        self._wants_signals = np.zeros(rows, np.bool_)
        self._wants_features = np.zeros(rows, np.bool_)
        self._vectors: dict[int, list[tuple[float, ...]]] = {}
        """By row: what was not told yet."""
        self._speaks = np.zeros(rows, np.bool_)
        self._allowed = np.full(rows, np.inf)
        """Seconds without a packet after which the peer counts as lost."""
        self._since = np.zeros(rows)
        self._starved = np.zeros(rows, np.bool_)
        self._seconds: dict[int, float] = {}
        self._timed = np.zeros(rows, np.bool_)
        """Whose silence is timed."""

    def set(self, row: int, command: commands.Detect, now: Instant) -> bool:
        """Watch a row for these things, and no others.  Whether its sound is needed."""
        fresh = np.array([row])
        for detector in (self._inband, self._voice, self._signals):
            detector.reset(fresh)
        self._wants_keys[row] = command.dtmf_inband
        self._wants_voice[row] = command.voice
        self._wants_signals[row] = command.signals
        self._tell_features(row)
        self._wants_features[row] = command.features
        self._speaks[row] = self._starved[row] = False
        self._silence.watch(row, command.silence)
        self._timed[row] = command.silence is not None
        if command.silence is not None:
            self._seconds[row] = command.silence
        else:
            self._seconds.pop(row, None)
        self._allowed[row] = np.inf if command.starved is None else command.starved
        self._since[row] = now
        wants = command.dtmf_inband or command.voice or command.signals or command.features
        return wants or command.silence is not None

    def forget(self, row: int) -> None:
        """The row changes hands, but is the leg's yet: nothing is watched."""
        self.set(row, commands.Detect(0), 0.0)

    def tick(self, voices: tuple[Ints, Pcm, Octets]) -> None:
        """Look at this tick's frames."""
        rows, frames, _ = voices
        if len(rows):
            self._hear_keys(rows, frames)
            self._hear_voice(rows, frames)
            self._hear_signals(rows, frames)

    def _hear_keys(self, rows: Ints, frames: Pcm) -> None:
        chosen = self._wants_keys[rows]
        if np.count_nonzero(chosen):
            self._keys.tell(self._inband.feed(rows[chosen], frames[chosen]), "inband")

    def _hear_signals(self, rows: Ints, frames: Pcm) -> None:
        """The features of who is watched for them, or for the signals that they tell."""
        chosen = self._wants_signals[rows] | self._wants_features[rows]
        if not np.count_nonzero(chosen):
            return
        rows, found = rows[chosen], features(frames[chosen])
        named = self._wants_signals[rows]
        for row, name, ms in self._signals.feed(rows[named], found[named]):
            self._emit(events.Signal(int(self._legs.leg[row]), name, ms))
        whole = self._wants_features[rows]
        for row, vector in zip(rows[whole].tolist(), found[whole].tolist(), strict=True):
            self._vectors.setdefault(row, []).append(tuple(vector))
            if len(self._vectors[row]) == _TOLD_AT_ONCE:
                self._tell_features(row)

    def _tell_features(self, row: int) -> None:
        vectors = self._vectors.pop(row, None)
        if vectors:
            self._emit(events.Features(int(self._legs.leg[row]), tuple(vectors)))

    def _hear_voice(self, rows: Ints, frames: Pcm) -> None:
        chosen: Mask = self._wants_voice[rows] | self._timed[rows]
        if not np.count_nonzero(chosen):
            return
        rows = rows[chosen]
        _, voice = self._voice.feed(rows, frames[chosen])
        for row in self._silence.feed(rows, voice):
            self._emit(events.Silent(int(self._legs.leg[row]), self._seconds[row]))
        changed = (voice != self._speaks[rows]) & self._wants_voice[rows]
        self._speaks[rows] = voice
        for row in rows[changed].tolist():
            self._emit(events.Spoke(int(self._legs.leg[row]), bool(self._speaks[row])))

    def miss_packets(self, now: Instant, settle: Callable[[Ints], None]) -> None:
        """Tell once of each leg whose peer has sent nothing for too long.

        `settle` brings up to date what is known of rows that seem to be such.
        """
        settle(np.flatnonzero(self._lack(now) & ~self._starved))
        starved = self._lack(now)
        for row in np.flatnonzero(starved & ~self._starved).tolist():
            self._emit(events.Starved(int(self._legs.leg[row]), float(self._allowed[row])))
        self._starved = starved

    def _lack(self, now: Instant) -> Mask:
        last = np.maximum(self._legs.in_last, self._since)
        lack: Mask = now - last > self._allowed
        return lack
