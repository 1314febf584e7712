"""Telephone events received: every press once, whatever the network does to its packets.

Knows payloads and RTP timestamps; no sound, no sockets.

A press is known by its timestamp, which all its packets share (RFC 4733 §2.2.1).  It is told when
its end arrives; when all three ends are lost, as soon as another press begins or nothing more
came for a while.  Packets of a press already told, or of an older one, are repeats.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from media.dtmf.event import END, KEYS
from media.pcm import Integers, Octets, Rows
from media.types import Instant, Seconds

_PATIENCE: Final[Seconds] = 0.2
"""Silence after which a press without an end is over; senders repeat every 50 ms or less."""
_STALE: Final[Seconds] = 5.0
"""After so long any timestamp begins a new press: the sender's clock may have been set anew."""
_SLACK: Final[Seconds] = 0.02
"""Nearer than this to its end, an event of the same key is the same press, in a further segment."""

Press = tuple[int, str, int]
"""(row, key, milliseconds)"""


@dataclass(slots=True)
class _Press:
    """The newest press of a row."""

    code: int
    begun: int
    """Timestamp of its first segment."""
    segment: int
    """Timestamp of the present segment."""
    clock: int
    seen: Instant
    duration: int = 0
    """Ticks of the present segment."""
    told: bool = False

    @property
    def ms(self) -> int:
        ticks = _ahead(self.segment, self.begun) + self.duration
        return ticks * 1000 // self.clock


class EventReceiver:
    """Events of up to `capacity` rows.  `reset` a row when its sender (SSRC) changes."""

    def __init__(self, capacity: int) -> None:
        self._presses: list[_Press | None] = [None] * capacity
        self._open: set[int] = set()

    def reset(self, rows: Rows) -> None:
        for row in rows.tolist():
            self._presses[row] = None
            self._open.discard(row)

    def receive(
        self,
        rows: Rows,
        payloads: Octets,
        timestamps: Integers,
        now: Instant,
        clocks: Integers | None = None,
    ) -> list[Press]:
        """Take packets `(k, ≥4)` with their 32-bit timestamps; tell the presses that ended.

        `clocks` are the events' RTP clock rates in Hz; without them all are 8000.
        """
        told: list[Press] = []
        rates: Iterable[int] = [8000] * len(rows) if clocks is None else clocks.tolist()
        octets = payloads[:, :4].tolist()
        for row, event, stamp, clock in zip(
            rows.tolist(), octets, timestamps.tolist(), rates, strict=True
        ):
            code, flags, high, low = event
            if code < len(KEYS):
                self._take(row, code, stamp, clock, now, told)
                self._update(row, stamp, high << 8 | low, bool(flags & END), now, told)
        return told

    def expire(self, now: Instant) -> list[Press]:
        """Tell the presses whose ends must all have been lost."""
        told: list[Press] = []
        for row in sorted(self._open):
            press = self._presses[row]
            if press is not None and now - press.seen > _PATIENCE:
                self._tell(row, press, told)
        return told

    def _take(
        self, row: int, code: int, stamp: int, clock: int, now: Instant, told: list[Press]
    ) -> None:
        """Make the packet's press the row's newest, unless it is that already or is older."""
        press = self._presses[row]
        if press is not None:
            ahead = _ahead(stamp, press.segment)
            if ahead == 0 or (ahead < 0 and now - press.seen < _STALE):
                return
            if not press.told:
                if code == press.code and 0 < ahead <= press.duration + _SLACK * clock:
                    press.segment, press.duration = stamp, 0
                    return
                self._tell(row, press, told)
        self._presses[row] = _Press(code, stamp, stamp, clock, now)
        self._open.add(row)

    def _update(
        self, row: int, stamp: int, duration: int, ended: bool, now: Instant, told: list[Press]
    ) -> None:
        press = self._presses[row]
        if press is None or stamp != press.segment or press.told:
            return
        press.seen, press.duration = now, max(press.duration, duration)
        if ended:
            self._tell(row, press, told)

    def _tell(self, row: int, press: _Press, told: list[Press]) -> None:
        press.told = True
        self._open.discard(row)
        told.append((row, KEYS[press.code], press.ms))


def _ahead(newer: int, older: int) -> int:
    """Signed distance between 32-bit timestamps, in ticks."""
    return (newer - older + 0x80000000) % 0x100000000 - 0x80000000
