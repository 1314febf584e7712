"""The jitter buffer of all mixed legs at once.  Knows PCM and timestamps; no codecs, no RTP.

Each row has a ring of 20 ms slots.  A packet is written where its timestamp says; once a tick
the slot at the playout point is read:

       kept for concealment      playout          newest
    +-------+-------+-------+-------+-------+-------+-------+-------+
    |  -3   |  -2   |  -1   | head  |  +1   |  +2   |       |       |
    +-------+-------+-------+-------+-------+-------+-------+-------+
                                <--- margin --->

*Margin* is how many whole slots ahead of the playout point a packet arrives; it is all that
adaptation looks at.  A late packet (margin below 0) makes the row wait for one tick; two seconds
without any margin below 2 let it skip one slot, preferably in silence.  So network jitter, drifting
clocks and the grid of the tick are one matter.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from media import concealment
from media.pcm import (
    FRAMES_PER_SECOND,
    Floats,
    Integers,
    Mask,
    Octets,
    Pcm,
    Rows,
    frame_samples,
)
from media.ring import EMPTY, SLOTS, SlotRing
from media.sequence import SequenceWindow
from media.types import Seconds

SILENT: Final = 0
PLAYED: Final = 1
CONCEALED: Final = 2

_KEPT: Final = 6
"""Slots behind the playout point that still hold what was heard."""
_FURTHEST: Final = SLOTS - _KEPT - 2
"""Margin from which on a timestamp is absurd."""
_START_DEPTH: Final = 2
_LARGEST_DEPTH: Final[Seconds] = 0.2
"""Depth beyond which a row does not wait for late packets any longer, unless said otherwise."""
_DRY: Final = 10
"""Empty ticks after which any packet may begin the stream anew."""
_PATIENCE: Final = 3
"""Ticks of nothing but packets off the ring after which the sender's clock must have jumped."""
_WINDOW: Final = 100
"""Ticks over which the least margin is taken."""
_SPARE: Final = 2
_QUIET_PEAK: Final = 500
_SMOOTHING_MS: Final = 5
_LOUDEST_HISS_DBOV: Final = -30.0
_UNKNOWN: Final = 1 << 30


class JitterBuffer:
    """Playout of up to `capacity` rows of one sample rate.

    Contract: `put` as packets come (any order, any length, several of one row in a batch), `take`
    once every 20 ms, `reset` when a row changes hands.  Counters only grow until `reset`.
    """

    def __init__(self, capacity: int, rate: int, deepest: Seconds = _LARGEST_DEPTH) -> None:
        self.rate, self._frame = rate, frame_samples(rate)
        slots = round(deepest * FRAMES_PER_SECOND)
        self._deepest = min(max(slots, _START_DEPTH), _FURTHEST) * self._frame
        self._edge = rate * _SMOOTHING_MS // 1000
        self._ring = SlotRing(capacity, self._frame)
        self._sequences = SequenceWindow(capacity)
        self._random = np.random.default_rng(3389)
        self._ticks = 1

        def integers() -> Integers:
            return np.zeros(capacity, np.int64)

        self._head, self._last_heard, self._empty_run = integers(), integers(), integers()
        self._playout, self._newest, self._silent_until = integers(), integers(), integers()
        self._lag, self._lag_slot = integers(), integers()
        self._wait, self._stray, self._stray_at = integers(), integers(), integers()
        self._least, self._age, self._spare_windows = integers(), integers(), integers()
        self._place = integers()
        """Of a row in the batch that is put; else anything."""
        self._quiet: Mask = np.zeros(capacity, np.bool_)
        self._hiss: Floats = np.zeros(capacity, np.float32)

        self.late, self.absurd = integers(), integers()
        """Packets that came after their turn, or far ahead of it, and were dropped."""
        self.duplicate, self.reordered = integers(), integers()
        self.concealed = integers()
        """Frames made up for want of packets."""
        self.waited, self.skipped = integers(), integers()
        """Frames by which the playout was moved later and earlier."""
        self.resynchronised = integers()
        """Jumps of the sender's clock that were followed."""

    def reset(self, rows: Rows) -> None:
        """Forget the rows' streams and counters.  Doing so twice is harmless."""
        self._ring.close(rows)
        self._sequences.reset(rows)
        for counter in (self.late, self.absurd, self.duplicate, self.reordered):
            counter[rows] = 0
        for counter in (self.concealed, self.waited, self.skipped, self.resynchronised):
            counter[rows] = 0

    def depth(self, rows: Rows) -> Integers:
        """Frames waiting between the playout point and the newest sample."""
        waiting = (self._newest[rows] - self._playout[rows]) // self._frame
        return np.where(self._ring.is_open(rows), np.maximum(waiting, 0), 0)

    def put(
        self,
        rows: Rows,
        timestamps: Integers,
        frames: Pcm,
        samples: Integers,
        sequences: Integers | None = None,
    ) -> None:
        """Take decoded packets: row i of `frames` holds `samples[i]` samples.

        `timestamps` are in samples of this buffer's rate, unwrapped, as are `sequences`.  With
        sequence numbers a duplicate is told from a late packet, and a gap in time that is none in
        number (discontinuous transmission) from loss.
        """
        order = np.arange(len(rows))
        self._place[rows] = order
        if (self._place[rows] == order).all():  # no row comes twice
            if len(rows):
                self._put(rows, timestamps, frames, samples, sequences)
            return
        for batch in _one_of_each(rows):
            chosen = None if sequences is None else sequences[batch]
            self._put(rows[batch], timestamps[batch], frames[batch], samples[batch], chosen)

    def comfort(self, rows: Rows, dbov: Floats) -> None:
        """The rows' senders stopped for a pause whose noise has this level (RFC 3389 §3)."""
        self._quiet[rows] = True
        self._hiss[rows] = 32768 * 10 ** (np.minimum(dbov, _LOUDEST_HISS_DBOV) / 20)

    def take(self, rows: Rows) -> tuple[Pcm, Octets]:
        """The next 20 ms of each of `rows` (no row twice) and where it is from.

        States: SILENT (no stream, a pause, or a hole long faded), PLAYED, CONCEALED.
        """
        self._ticks += 1
        live = self._ring.is_open(rows)
        if live.all():
            return self._take(rows)
        heard = np.zeros((len(rows), self._frame), np.int16)
        states = np.zeros(len(rows), np.uint8)
        if live.any():
            heard[live], states[live] = self._take(rows[live])
        return heard, states

    # -- packets come ---------------------------------------------------------------------------

    def _put(
        self,
        rows: Rows,
        timestamps: Integers,
        frames: Pcm,
        samples: Integers,
        sequences: Integers | None,
    ) -> None:
        """At most one packet of each row."""
        wanted = samples > 0
        following: Mask = np.zeros(len(rows), np.bool_)
        if sequences is not None:
            verdict = self._sequences.feed(rows, sequences)
            following = verdict.following
            if not following.all():
                self.duplicate[rows] += verdict.duplicate
                self.reordered[rows] += verdict.reordered
                wanted &= ~verdict.duplicate
        self._begin(rows, timestamps, wanted & ~self._ring.is_open(rows))
        offset = timestamps - self._playout[rows]
        if wanted.all() and self._all_in_place(offset):
            self._stray[rows] = 0
            self._least[rows] = np.minimum(self._least[rows], offset // self._frame)
        else:
            wanted &= self._on_the_ring(rows, timestamps, samples, wanted)
        if not wanted.all():
            rows, timestamps, frames = rows[wanted], timestamps[wanted], frames[wanted]
            samples, following = samples[wanted], following[wanted]
        self._note_pause(rows, timestamps, samples, following)
        self._write(rows, timestamps - self._playout[rows], frames, samples)

    def _begin(self, rows: Rows, timestamps: Integers, new: Mask) -> None:
        """Open the rows' rings; nothing was heard of them yet."""
        if not new.any():
            return
        rows = rows[new]
        self._ring.open(rows)
        self._head[rows] = 0
        self._last_heard[rows], self._lag_slot[rows] = -1, -2
        self._empty_run[rows] = concealment.FADE_FRAMES
        self._anchor(rows, timestamps[new])

    def _anchor(self, rows: Rows, timestamps: Integers) -> None:
        """Let what bears these timestamps be heard after the starting depth; drop what waits."""
        self._ring.clear(rows, self._head[rows], SLOTS - _KEPT)
        self._playout[rows] = timestamps - _START_DEPTH * self._frame
        self._newest[rows] = self._silent_until[rows] = timestamps
        self._stray[rows] = self._wait[rows] = self._age[rows] = self._spare_windows[rows] = 0
        self._least[rows] = _UNKNOWN

    def _all_in_place(self, offset: Integers) -> bool:
        """Whether no packet is late or too far ahead, as nearly always."""
        return int(offset.min()) >= 0 and int(offset.max()) <= self._deepest

    def _on_the_ring(
        self, rows: Rows, timestamps: Integers, samples: Integers, wanted: Mask
    ) -> Mask:
        """Which packets fall on the ring; counts the others, and follows a clock that jumped."""
        offset = timestamps - self._playout[rows]
        late, absurd = offset + samples <= 0, offset >= _FURTHEST * self._frame
        off = wanted & (late | absurd)
        again = self._stray_at[rows] == self._ticks  # a burst after a stall counts once
        stray = np.where(off, self._stray[rows] + ~again, 0)
        self._stray[rows] = np.where(wanted, stray, self._stray[rows])
        self._stray_at[rows[off]] = self._ticks
        misplaced = off | (wanted & (offset > self._deepest))
        jumped = (off & (stray >= _PATIENCE)) | (misplaced & (self._empty_run[rows] > _DRY))
        refused = off & ~jumped
        self.late[rows] += refused & late
        self.absurd[rows] += refused & absurd
        self._judge_margins(rows, offset, wanted & ~jumped & ~absurd)
        if jumped.any():
            self.resynchronised[rows] += jumped
            self._anchor(rows[jumped], timestamps[jumped])
        return ~refused

    def _judge_margins(self, rows: Rows, offset: Integers, judged: Mask) -> None:
        """Wait a tick for who comes late; remember the least margin of the window."""
        rows, margin = rows[judged], offset[judged] // self._frame
        self._least[rows] = np.minimum(self._least[rows], margin)
        shallow = self._newest[rows] - self._playout[rows] < self._deepest
        late = rows[(margin < 0) & shallow]
        self._wait[late] = 1
        self._age[late] = self._spare_windows[late] = 0

    def _note_pause(
        self, rows: Rows, timestamps: Integers, samples: Integers, following: Mask
    ) -> None:
        """Time went on and numbers did not: the sender was silent up to here, nothing is lost."""
        newest = self._newest[rows]
        paused = following & (timestamps > newest)
        if paused.any():
            self._silent_until[rows[paused]] = timestamps[paused]
        self._newest[rows] = np.maximum(newest, timestamps + samples)
        self._quiet[rows] = False

    def _write(self, rows: Rows, offset: Integers, frames: Pcm, samples: Integers) -> None:
        """Put sound where it belongs: whole slots of all rows together, pieces one by one."""
        ahead = offset // self._frame
        whole = ahead * self._frame == offset
        if (samples == self._frame).all() and whole.all() and int(ahead.min(initial=0)) >= 0:
            self._ring.write(rows, self._head[rows] + ahead, frames[:, : self._frame])
            return
        whole &= samples % self._frame == 0
        if not whole.all():
            for i in np.flatnonzero(~whole).tolist():
                self._write_pieces(int(rows[i]), int(offset[i]), frames[i, : samples[i]])
            rows, offset, frames = rows[whole], offset[whole], frames[whole]
            samples = samples[whole]
        for first in range(0, int(samples.max(initial=0)), self._frame):
            ahead = (offset + first) // self._frame
            fits = (samples > first) & (ahead >= 0) & (ahead < _FURTHEST)
            slots = self._head[rows[fits]] + ahead[fits]
            self._ring.write(rows[fits], slots, frames[fits, first : first + self._frame])

    def _write_pieces(self, row: int, offset: int, sound: Pcm) -> None:
        """One packet that does not lie on the grid of slots (ptime 10 or 30, odd timestamps)."""
        if offset < 0:
            sound, offset = sound[-offset:], 0
        first, last = offset // self._frame, -(-(offset + sound.size) // self._frame)
        for ahead in range(first, min(last, _FURTHEST)):
            begin = ahead * self._frame - offset
            piece = sound[max(begin, 0) : begin + self._frame]
            self._ring.write_piece(row, int(self._head[row]) + ahead, max(-begin, 0), piece)

    # -- ticks come -----------------------------------------------------------------------------

    def _take(self, rows: Rows) -> tuple[Pcm, Octets]:
        """A tick of open rows."""
        heard, filled = self._ring.read(rows, self._head[rows])
        waiting = self._wait[rows] > 0
        played = (filled == self._frame) & ~waiting
        states = played.astype(np.uint8)
        if not played.all():
            self._fill_holes(rows, heard, states, filled, waiting)
        run = self._empty_run[rows]
        if played.all() and not run.any():  # as nearly always
            self._skip_spare(rows, heard, played)
            self._last_heard[rows] = self._head[rows]
        else:
            self._smooth_returns(rows, heard, played)
            self._skip_spare(rows, heard, played)
            self._empty_run[rows] = np.where(played, 0, run + 1)
            self._last_heard[rows] = np.where(played, self._head[rows], self._last_heard[rows])
        self._advance(rows, waiting)
        return heard, states

    def _advance(self, rows: Rows, waiting: Mask) -> None:
        """Move the playout point, but of rows that wait."""
        if waiting.any():
            self.waited[rows] += waiting
            self._wait[rows] = 0
            rows = rows[~waiting]
        self._ring.clear(rows, self._head[rows] - _KEPT)
        self._head[rows] += 1
        self._playout[rows] += self._frame
        self._age[rows] += 1
        self._close_windows(rows[self._age[rows] >= _WINDOW])

    def _close_windows(self, rows: Rows) -> None:
        if not rows.size:
            return
        spare = (self._least[rows] >= _SPARE) & (self._least[rows] != _UNKNOWN)
        self._spare_windows[rows] = np.where(spare, self._spare_windows[rows] + 1, 0)
        self._age[rows] = 0
        self._least[rows] = _UNKNOWN

    def _fill_holes(
        self, rows: Rows, heard: Pcm, states: Octets, filled: npt.NDArray[np.int16], waiting: Mask
    ) -> None:
        """Rows without a whole slot: conceal what was lost, keep a pause a pause."""
        missing = states == SILENT
        pieces = heard.copy() if filled[missing].any() else heard
        heard[missing] = 0
        self._hiss_in_pauses(rows, heard, missing)
        pause = (self._quiet[rows] | (self._playout[rows] < self._silent_until[rows])) & ~waiting
        lost = missing & ~pause & (self._empty_run[rows] < concealment.FADE_FRAMES)
        if lost.any():
            heard[lost] = self._conceal(rows[lost])
            states[lost] = CONCEALED
            self.concealed[rows] += lost
        partly = missing & (filled > 0) & ~waiting
        if partly.any():
            came = pieces[partly]
            heard[partly] = np.where(came == EMPTY, heard[partly], came)
        gone = missing & ~waiting
        self._ring.overlay(rows[gone], self._head[rows[gone]], heard[gone])

    def _hiss_in_pauses(self, rows: Rows, heard: Pcm, missing: Mask) -> None:
        quiet = missing & self._quiet[rows]
        if quiet.any():
            noise = self._random.normal(0, 1, self._frame).astype(np.float32)
            heard[quiet] = np.rint(self._hiss[rows[quiet], None] * noise)

    def _conceal(self, rows: Rows) -> Pcm:
        """Continue the rows' last sound by another frame."""
        stale = self._lag_slot[rows] != self._last_heard[rows]
        if stale.any():
            fresh = rows[stale]
            history = self._ring.history(fresh, self._last_heard[fresh])
            self._lag[fresh] = concealment.pitch_lags(history, self.rate)
            self._lag_slot[fresh] = self._last_heard[fresh]
        return self._continuation(rows, self._frame)

    def _continuation(self, rows: Rows, samples: int) -> Pcm:
        """The last sound as it would go on, as far into the hole as the rows are."""
        history = self._ring.history(rows, self._last_heard[rows])
        start = self._empty_run[rows] * self._frame
        sound = concealment.extend(history, self._lag[rows], start, samples)
        return concealment.fade(sound, start, self.rate)

    def _smooth_returns(self, rows: Rows, heard: Pcm, played: Mask) -> None:
        """Where sound comes back after a concealed hole, lead over from its continuation."""
        run = self._empty_run[rows]
        back = played & (run > 0) & (run <= concealment.FADE_FRAMES)
        back &= self._lag_slot[rows] == self._last_heard[rows]
        if back.any():
            before = self._continuation(rows[back], self._edge)
            heard[back, : self._edge] = concealment.cross_fade(before, heard[back, : self._edge])

    def _skip_spare(self, rows: Rows, heard: Pcm, played: Mask) -> None:
        """Rows with time to spare lose one slot: a quiet one, or any after another window."""
        ready = np.flatnonzero(played & (self._spare_windows[rows] > 0))
        if not ready.size:
            return
        following, filled = self._ring.read(rows[ready], self._head[rows[ready]] + 1)
        quiet = (_peaks(following) < _QUIET_PEAK) & (_peaks(heard[ready]) < _QUIET_PEAK)
        overdue = self._spare_windows[rows[ready]] > 1
        chosen = (filled == self._frame) & (quiet | overdue)
        ready, following = ready[chosen], following[chosen]
        edge = self._edge
        following[:, :edge] = concealment.cross_fade(heard[ready, :edge], following[:, :edge])
        heard[ready] = following
        skipped = rows[ready]
        self._head[skipped] += 1
        self._playout[skipped] += self._frame
        self._spare_windows[skipped] = 0
        self.skipped[skipped] += 1


def _peaks(frames: Pcm) -> npt.NDArray[np.int32]:
    peaks: npt.NDArray[np.int32] = np.abs(frames.astype(np.int32)).max(axis=1, initial=0)
    return peaks


def _one_of_each(rows: Rows) -> list[npt.NDArray[np.intp]]:
    """Indices into `rows`, in batches without a row twice; a row's packets keep their order."""
    order = np.argsort(rows, kind="stable")
    first = np.diff(rows[order], prepend=-1) != 0
    starts = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    turn = np.arange(len(rows)) - starts
    return [order[turn == k] for k in range(int(turn.max()) + 1)]
