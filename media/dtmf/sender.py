"""Telephone events to send, on the grid of the 20 ms tick.  Knows payloads; no RTP headers.

A press of 60 ms and the pause after it, one packet a tick (RFC 4733 §2.5.1):

    tick       0     1     2     3     4     5 …
    duration  160   320   480   480   480   (pause)
    M / E      M           E     E     E
    offset     0    160   320   480   640
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from media.dtmf.event import END, KEYS, LONGEST
from media.pcm import FRAMES_PER_SECOND, Integers, Mask, Octets, Rows

_VOLUME: Final = 10
"""-10 dBm0."""
_ENDS: Final = 3
"""How often the final packet is sent (RFC 4733 §2.5.1.4)."""
_LEAST_MS: Final = 40
"""Q.24: shorter tones and pauses need not be recognised."""


class Events(NamedTuple):
    """Packets that are due now, at most one for each row."""

    rows: Rows
    payloads: Octets
    """`(k, 4)`"""
    markers: Mask
    offsets: Integers
    """Ticks of the event's clock since its segment began; the packet's timestamp is the present
    one less this."""


@dataclass(slots=True)
class _Key:
    code: int
    ticks: int
    """20 ms frames that it is held."""
    pause: int


@dataclass(slots=True)
class _Line:
    """What one row still has to send."""

    step: int
    """RTP ticks of one frame."""
    waiting: deque[_Key]
    sent: int = 0
    """Packets of the first waiting key, or frames of its pause, gone by."""


class EventSender:
    """Presses in order, for any number of rows."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}

    def send(
        self, row: int, keys: str, ms: int = 100, pause: int = 100, clock_rate: int = 8000
    ) -> None:
        """Queue `keys`, each `ms` long with `pause` ms after it; raises ValueError for others.

        Both are rounded up to whole frames, and to the 40 ms that receivers need.
        """
        codes = [KEYS.find(key) for key in keys.upper()]
        if -1 in codes:
            raise ValueError(f"{keys!r} holds what is no key; there are {KEYS}")
        held, quiet = _frames(ms), max(_frames(pause), _ENDS - 1)
        line = self._lines.setdefault(row, _Line(clock_rate // FRAMES_PER_SECOND, deque()))
        line.waiting.extend(_Key(code, held, quiet) for code in codes)

    def busy(self, row: int) -> bool:
        """Whether the row's sound must be withheld: a key or its pause is under way or waits."""
        return row in self._lines

    def reset(self, rows: Rows) -> None:
        """Drop what the rows still had to send."""
        for row in rows.tolist():
            self._lines.pop(row, None)

    def tick(self) -> Events:
        """The packets of this 20 ms."""
        rows, octets, markers, offsets = [], [], [], []
        for row, line in list(self._lines.items()):
            key = line.waiting[0]
            if line.sent < key.ticks + _ENDS - 1:
                offset, event = _packet(key, line.sent, line.step)
                rows.append(row)
                octets.append(event)
                markers.append(line.sent == 0)
                offsets.append(offset)
            self._pass(row, line, key)
        return Events(
            np.array(rows, np.intp),
            np.array(octets, np.uint8).reshape(-1, 4),
            np.array(markers, np.bool_),
            np.array(offsets, np.int64),
        )

    def _pass(self, row: int, line: _Line, key: _Key) -> None:
        line.sent += 1
        if line.sent >= key.ticks + key.pause:
            line.waiting.popleft()
            line.sent = 0
            if not line.waiting:
                del self._lines[row]


def _packet(key: _Key, sent: int, step: int) -> tuple[int, tuple[int, int, int, int]]:
    """Offset and payload of packet number `sent`; what outlasts a segment goes on in another."""
    longest = LONGEST // step
    last = min(sent, key.ticks - 1)
    begun = last // longest * longest
    duration = (last + 1 - begun) * step
    flags = _VOLUME | (END if sent >= key.ticks - 1 else 0)
    return (sent - begun) * step, (key.code, flags, duration >> 8, duration & 0xFF)


def _frames(ms: int) -> int:
    return -(-max(ms, _LEAST_MS) * FRAMES_PER_SECOND // 1000)
