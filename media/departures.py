"""When mixed packets leave: at the same moment of every tick, however long it took to make them.

Making the sound of a tick takes now two milliseconds and now four, and so does sending it to a
thousand listeners.  Sent as they are made, packets would come that much closer or further apart.
So they are held here until the slowest tick of late would have been ready, and go in portions
with a pause after each, so that a portion which takes long does not delay the next.

Knows sockets and addresses of memory; no legs, no sound.  It is told the time.
"""

from __future__ import annotations

import numpy as np

from media.backends import Backend
from media.backends.pool import Pool
from media.types import TICK, Instant, Ints, Mask, Quads, Seconds

_ROWS = 4096
_PORTION = 256
_PAUSE: Seconds = 0.0015
"""From the beginning of one portion to that of the next, if there is time for it."""
_MOST_HELD: Seconds = 0.015
_MARGIN = 1.2
"""How much longer than the slowest of late a tick may take unnoticed."""
_LATENESS: Seconds = 0.0005
"""By which a tick begins late without more ado: a batch of packets comes before it."""
_EASE = 0.0003
"""Part of what was not needed by which the time held shrinks: half of it in three quarters of a
minute."""
_SPARE: Seconds = 0.002
"""Before the next tick all must have left."""


class Departures:
    """Packets of one tick, on their way to the backend.  A `Way` for the gate."""

    def __init__(self, backend: Backend) -> None:
        self.pool = Pool(0, _ROWS)
        self.due: Instant = np.inf
        """When the next portion leaves; infinite while nothing is held."""
        self._backend = backend
        self._held: Seconds = 0.0
        self._pause: Seconds = _PAUSE
        self._next_row = 0
        self._fresh: list[tuple[Ints, Quads, Ints]] = []
        self._sockets: Ints = np.zeros(0, np.int64)
        self._addresses: Quads = np.zeros(0, np.uint64)
        self._lengths: Ints = np.zeros(0, np.int64)

    def begin(self) -> None:
        """A tick begins: whatever is left of the last one leaves, and its memory is free."""
        self.release(np.inf)
        self._next_row = 0

    def reserve(self, count: int) -> int:
        """First of `count` rows of the pool (at most all) to compose packets in."""
        if self._next_row + count > self.pool.rows:
            self.begin()
        first = self._next_row
        self._next_row += count
        return first

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        """Hold datagrams that lie in the pool, in this order, until they are due."""
        self._fresh.append((sockets, addresses, lengths))

    def schedule(self, tick: Instant, took: Seconds) -> None:
        """All packets of the tick that was due at `tick` are made: decide when they leave.

        `took` is from the beginning of the tick, not from when it was due: what sending makes
        late must not be sent later for it.
        """
        self._gather()
        if not len(self._sockets):
            return
        if took < _MOST_HELD:  # beyond is no pace but an accident
            wanted = min(_MARGIN * took + _LATENESS, _MOST_HELD)
            self._held = max(wanted, self._held - _EASE * (self._held - wanted))
        portions = -(-len(self._sockets) // _PORTION)
        self._pause = min(_PAUSE, max(TICK - self._held - _SPARE, 0.0) / portions)
        self.due = tick + self._held

    def release(self, now: Instant) -> None:
        """Send the portions that are due."""
        if now < self.due and not self._fresh:
            return
        self._gather()
        count = len(self._sockets)
        if now < np.inf and count:
            late = max(now - self.due, 0.0)
            portions = 1 + int(late / self._pause) if self._pause else count
            count = min(portions * _PORTION, count)
            self.due += portions * self._pause
        if count:
            self._backend.send(
                self._sockets[:count], self._addresses[:count], self._lengths[:count]
            )
            self._backend.flush()
            self._keep(slice(count, None))

    def hasten(self, rows: Ints) -> None:
        """What is held for these rows of sockets leaves now, before anything else they are sent."""
        self._gather()
        chosen = np.isin(self._sockets >> 1, rows)
        if np.count_nonzero(chosen):
            self._backend.send(
                self._sockets[chosen], self._addresses[chosen], self._lengths[chosen]
            )
            self._backend.flush()
            self._keep(~chosen)

    def _gather(self) -> None:
        if self._fresh:
            parts = [(self._sockets, self._addresses, self._lengths), *self._fresh]
            self._sockets, self._addresses, self._lengths = map(
                np.concatenate, zip(*parts, strict=True)
            )
            self._fresh.clear()

    def _keep(self, part: slice | Mask) -> None:
        self._sockets, self._addresses = self._sockets[part], self._addresses[part]
        self._lengths = self._lengths[part]
        if not len(self._sockets):
            self.due = np.inf
