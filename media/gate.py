"""The border of the engine: SRTP is taken off what comes in and put on what goes out.

A leg that negotiated SRTP never takes or sends plain packets; every packet of every leg
leaves through here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from media.backends import Backend
from media.backends.pool import DATA, Pool
from media.legs import Legs
from media.rtp import Packets
from media.srtp import LONGEST, Protection
from media.stream import Stream
from media.types import Ints, Mask, Quads, Words


class Way(Protocol):
    """Memory that packets lie in, and where they go from there."""

    @property
    def pool(self) -> Pool: ...

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None: ...


class Gate:
    """All legs' protections, and the way to the backend."""

    def __init__(self, legs: Legs, backend: Backend) -> None:
        self._legs, self._backend = legs, backend
        self._protections: dict[int, Protection] = {}

    def agree(self, row: int, stream: Stream) -> None:
        """Use the stream's keys.  The same keys again keep their counters (RFC 3711 §3.3.1)."""
        if stream.srtp_send is None or stream.srtp_receive is None:
            self.close(row)
            return
        keys = stream.srtp_send, stream.srtp_receive
        old = self._protections.get(row)
        if old is None or old.keys != keys:
            self._protections[row] = Protection(*keys)
        self._legs.secure[row] = True

    def close(self, row: int) -> None:
        self._protections.pop(row, None)
        self._legs.secure[row] = False

    def unwrap(self, packets: Packets, eligible: Mask) -> tuple[Packets, Mask]:
        """Take SRTP off the eligible packets of secure legs, in place; leave out the forged.

        Gives the packets that are left, and the mask that picked them.

        Others are left for the judge of sources, who refuses them by their address.
        """
        legs, pool = self._legs, self._backend.pool
        kept = np.ones(len(packets.leg), np.bool_)
        lengths = packets.length.copy()
        for i in np.flatnonzero(legs.secure[packets.leg] & eligible).tolist():
            row, at = int(packets.leg[i]), int(packets.row[i])
            plain = self._protections[row].unprotect(pool.read(at, int(lengths[i])))
            if plain is None:
                kept[i] = False
                legs.unauthentic[row] += 1
            else:
                pool.write(at, plain)
                lengths[i] = len(plain)
        return packets._replace(length=lengths).only(kept), kept

    def unwrap_rtcp(self, row: int, data: bytes) -> bytes | None:
        """The plain RTCP packet, or None if it is forged."""
        if not self._legs.secure[row]:
            return data
        return self._protections[row].unprotect_rtcp(data)

    def send(
        self,
        rows: Ints,
        pool_rows: Ints,
        headers_at: Ints,
        lengths: Ints,
        way: Way | None = None,
    ) -> None:
        """Send RTP to the peers of legs `rows`; it begins `headers_at` octets into its row of
        the pool of `way`, or of the backend, by which it goes."""
        way = way or self._backend
        secure = self._legs.secure[rows]
        if np.count_nonzero(secure):
            lengths = self._wrap(way.pool, rows, pool_rows, headers_at, lengths, secure)
        addresses = way.pool.addresses(pool_rows) + headers_at.view(np.uint64)
        way.send(2 * rows, addresses, lengths)

    def _wrap(
        self,
        pool: Pool,
        rows: Ints,
        pool_rows: Ints,
        headers_at: Ints,
        lengths: Ints,
        secure: Mask,
    ) -> Ints:
        octets = pool.octets
        wrapped = lengths.copy()
        for i in np.flatnonzero(secure).tolist():
            start = DATA + int(headers_at[i])
            length = min(int(lengths[i]), LONGEST)
            plain = octets[pool_rows[i], start : start + length].tobytes()
            data = self._protections[int(rows[i])].protect(plain)
            octets[pool_rows[i], start : start + len(data)] = np.frombuffer(data, np.uint8)
            wrapped[i] = len(data)
        return wrapped

    def send_rtcp(self, rows: Ints, packets: Words, mux: Mask) -> None:
        """Send each row's packet, from the RTP port where both share it (RFC 5761)."""
        pool, size = self._backend.pool, packets.shape[1]
        first = self._backend.reserve(len(rows))
        at = np.arange(first, first + len(rows))
        pool.words[at, DATA // 4 : DATA // 4 + size] = packets
        lengths = np.full(len(rows), 4 * size)
        for i in np.flatnonzero(self._legs.secure[rows]).tolist():
            plain = packets[i].tobytes()
            data = self._protections[int(rows[i])].protect_rtcp(plain)
            pool.write(int(at[i]), data)
            lengths[i] = len(data)
        self._backend.send(2 * rows + ~mux, pool.addresses(at), lengths)
