"""Keys pressed: told as events, passed on to whoever hears the presser, sent when asked.

A listener gets a key in its own form: as an RFC 4733 event where it agreed on one, else as
the two tones.  Relayed events need no help; everything else comes through here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from media import events, rtp
from media.backends import Backend
from media.backends.pool import DATA
from media.dtmf import EventReceiver, EventSender
from media.dtmf.sender import Events
from media.gate import Gate
from media.items import Item, Silence, Tone
from media.legs import EVENT, Legs
from media.reception import Tracked
from media.switchboard import Switchboard
from media.types import Array, Instant, Mask

_PAUSE_MS = 100
_LEAST_MS = 60
"""A key that was pressed shorter is sent on for as long as any receiver needs."""


class Keys:
    """DTMF of one engine, in and out."""

    def __init__(
        self,
        legs: Legs,
        board: Switchboard,
        backend: Backend,
        gate: Gate,
        emit: Callable[[events.Event], None],
        play: Callable[[int, tuple[Item, ...]], None],
    ) -> None:
        """`play(number, items)` makes a player that may be heard at once."""
        self._legs, self._board, self._backend, self._gate = legs, board, backend, gate
        self._emit, self._play = emit, play
        self._receiver, self._sender = EventReceiver(legs.capacity), EventSender()
        self._players = itertools.count(-(1 << 60))

    def forget(self, row: int, leg: int) -> None:
        """The row changes hands."""
        self._receiver.reset(np.array([row]))
        self._sender.reset(np.array([row]))
        self._board.pressing.pop(leg, None)

    def receive(self, packets: rtp.Packets, kinds: Array, tracked: Tracked, now: Instant) -> None:
        """Take in the events of a batch; rows are all different."""
        if np.count_nonzero(tracked.restarted):
            self._receiver.reset(packets.leg[tracked.restarted])
        chosen = (kinds == EVENT) & (packets.length - packets.payload_at >= 4)
        if not np.count_nonzero(chosen):
            return
        packets = packets.only(chosen)
        columns = (DATA + packets.payload_at)[:, None] + np.arange(4)
        payloads = self._backend.pool.octets[packets.row[:, None], columns]
        clocks = self._legs.in_clock[packets.leg].astype(np.int64)
        self.tell(
            self._receiver.receive(packets.leg, payloads, packets.timestamp, now, clocks), "event"
        )

    def tell(self, presses: Iterable[tuple[int, str, int]], by: Literal["event", "inband"]) -> None:
        """Report presses (row, key, milliseconds) and pass events on."""
        for row, key, ms in presses:
            leg = int(self._legs.leg[row])
            self._emit(events.Dtmf(leg, key, ms, by))
            if by == "event":
                self._pass_on(leg, key, ms)

    def _pass_on(self, leg: int, key: str, ms: int) -> None:
        for listener in self._board.listeners_of(leg):
            takes_events = self._legs.out_event_type[self._board.rows[listener]] >= 0
            if takes_events and self._board.relays(leg, listener):
                continue
            if takes_events or self._board.streams[listener].tones:
                self.press(listener, key, max(ms, _LEAST_MS))

    def press(self, leg: int, keys: str, ms: int) -> None:
        """Send keys to a leg's peer, in the form that it takes."""
        row = self._board.rows.get(leg)
        if row is None:
            return
        if self._legs.out_event_type[row] >= 0:
            clock = int(self._legs.out_clock[row])
            self._sender.send(row, keys, ms, _PAUSE_MS, clock)
            self._board.pressing[leg] = 0
        else:
            items = (
                item for key in keys for item in (Tone(f"dtmf-{key}", ms=ms), Silence(_PAUSE_MS))
            )
            number = next(self._players)
            self._play(number, tuple(items))
            self._board.pressing[leg] = number
        self._board.graph.touch(leg)

    def due(self, now: Instant, busy: Mask) -> Events:
        """This tick's event packets; marks the legs whose sound must be withheld."""
        self.tell(self._receiver.expire(now), "event")
        for leg, player in list(self._board.pressing.items()):
            row = self._board.rows[leg]
            ended = (
                not self._sender.busy(row) if player == 0 else (player not in self._board.players)
            )
            if ended:
                del self._board.pressing[leg]
                self._board.graph.touch(leg)
            elif player == 0:
                busy[row] = True
        return self._sender.tick()

    def send(self, due: Events) -> None:
        """Send event packets, after the mixer has moved the timestamps to this tick."""
        rows = due.rows.astype(np.int64)
        if not len(rows):
            return
        legs, pool = self._legs, self._backend.pool
        first = self._backend.reserve(len(rows))
        at = np.arange(first, first + len(rows))
        start = DATA + rtp.HEADER
        pool.octets[at, start : start + 4] = due.payloads
        sequence = legs.out_next[rows]
        timestamps = legs.out_timestamp[rows] - due.offsets
        nothing = np.zeros(len(rows), np.int64)
        headers = rtp.pack_headers(
            nothing,
            due.markers,
            legs.out_event_type[rows],
            sequence,
            timestamps,
            legs.out_ssrc[rows],
        )
        rtp.write_headers(pool, at, nothing, headers)
        legs.out_next[rows] = sequence + 1
        legs.out_packets[rows] += 1
        legs.out_octets[rows] += 4
        self._gate.send(rows, at, nothing, nothing + rtp.HEADER + 4)
