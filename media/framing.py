"""Packets of other lengths than a tick: 20 ms of sound joined, or cut, as the peer asked.

Works on octets, so only for codecs whose octets are evenly spread in time (G.711, G.722, linear
PCM); others are sent as they are encoded.  Knows no headers and no sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MOST_OCTETS = 1440
"""Longest payload: what still fits into one Ethernet frame, with SRTP's tag."""


class Cut(NamedTuple):
    """One packet of a row."""

    timestamp: int
    marker: bool
    payload: bytes


@dataclass(slots=True)
class _Pending:
    """Sound that does not fill a packet yet."""

    start: int
    """RTP timestamp of its first octet."""
    marker: bool
    octets: bytes


class Framing:
    """What every row has pending."""

    def __init__(self) -> None:
        self._pending: dict[int, _Pending] = {}

    def forget(self, row: int) -> None:
        self._pending.pop(row, None)

    def cut(
        self, row: int, timestamp: int, marker: bool, payload: bytes, ticks: int, wanted: int
    ) -> list[Cut]:
        """Add the `ticks` long payload that begins at `timestamp`; packets of `wanted` ticks.

        Sound that does not follow on what is pending, or begins with a marker, replaces it.
        """
        size = _whole(wanted, ticks, len(payload))
        pending = self._pending.pop(row, None)
        if pending is None or marker or _end(pending, ticks, len(payload)) != timestamp:
            pending = _Pending(timestamp, marker, b"")
        octets = pending.octets + payload
        step = size * ticks // len(payload)
        cuts = []
        start, mark = pending.start, pending.marker
        while len(octets) >= size:
            cuts.append(Cut(start, mark, octets[:size]))
            octets, start, mark = octets[size:], (start + step) & 0xFFFFFFFF, False
        if octets:
            self._pending[row] = _Pending(start, mark, octets)
        return cuts


def _whole(wanted: int, ticks: int, octets: int) -> int:
    """Octets of a packet of `wanted` ticks, or of the longest part of it that may be sent."""
    parts = 1
    while wanted * octets // ticks // parts > MOST_OCTETS:
        parts += 1
    return wanted // parts * octets // ticks


def _end(pending: _Pending, ticks: int, octets: int) -> int:
    return (pending.start + len(pending.octets) * ticks // octets) & 0xFFFFFFFF
