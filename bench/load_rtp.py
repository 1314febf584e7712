"""A crowd of RTP phones in one process: sends G.711 at 50 packets a second from each, and
measures what comes back.

    python -m bench.load_rtp PHONES FIRST_PORT      (PHONES: how many; ports: two for each)

Says on standard output which ports the phones have, as one JSON list; reads from standard
input one JSON object {"targets": [[host, port], ...], "seconds": s}; sends; writes one JSON
object of counts and delays.  Each packet carries its time of sending, so the delay is that
of the machine under test and of this process together.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass

import numpy as np

from media import rtp
from media.backends import Backend, Batch
from media.backends.choice import choose
from media.backends.pool import DATA
from media.backends.sockets import Sockets
from media.settings import MediaSettings
from media.types import Floats, Instant, Ints, Seconds

_PAYLOAD = 160
_SLOTS = 20
"""Parts of a frame among which the phones are spread."""
_DRAIN: Seconds = 0.3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the crowd saw."""

    sent: int
    received: int
    delay_median: Seconds
    delay_p99: Seconds
    delay_p999: Seconds
    late_slots: int
    """Milliseconds in which this process itself did not keep up."""

    @property
    def loss(self) -> float:
        return 1 - self.received / max(self.sent, 1)


class Crowd:
    """The phones, their sequence numbers and their clocks."""

    def __init__(self, phones: int, first_port: int, host: str = "127.0.0.1") -> None:
        settings = MediaSettings(host, ports=(first_port, first_port + 2 * phones + 200))
        self._sockets = Sockets.bind(settings)
        if self._sockets.rows < phones:
            raise SystemExit(f"only {self._sockets.rows} of {phones} port pairs are free")
        self._control, self._other = os.pipe()
        self._backend: Backend
        self._backend, _ = choose(MediaSettings(gather=0.0005), self._sockets, self._control)
        self.ports = self._sockets.ports[:phones]
        self._phones = np.arange(phones)
        self._sequence: Ints = np.zeros(phones, np.int64)
        self._delays: list[Floats] = []
        self._sent = self._received = self._late = 0

    def run(self, targets: list[tuple[str, int]], seconds: Seconds) -> Outcome:
        """Phone i sends to `targets[i]` for so long."""
        for phone, target in enumerate(targets):
            self._sockets.aim(2 * phone, target)
            self._backend.listen(2 * phone)
        slots = [self._phones[slot::_SLOTS] for slot in range(_SLOTS)]
        start = time.monotonic() + 0.01
        for slot in range(round(seconds * 1000)):
            self._receive_until(start + slot * 0.001)
            self._late += time.monotonic() > start + (slot + 1) * 0.001
            self._send(slots[slot % _SLOTS])
        self._receive_until(time.monotonic() + _DRAIN)
        return self._outcome()

    def _receive_until(self, moment: Instant) -> None:
        while True:
            left = moment - time.monotonic()
            self._count(self._backend.wait(max(left, 0.0)))
            if left <= 0.0001:
                return

    def _count(self, batch: Batch) -> None:
        if not len(batch.rows):
            return
        at = (DATA + rtp.HEADER) // 4
        stamps = self._backend.pool.words[:, at : at + 2][batch.rows].copy().view(np.int64)[:, 0]
        sound = (batch.sockets & 1 == 0) & (batch.lengths == rtp.HEADER + _PAYLOAD)
        delays = (time.monotonic_ns() - stamps[sound]) * 1e-9
        self._received += len(delays)
        self._delays.append(delays)

    def _send(self, phones: Ints) -> None:
        pool = self._backend.pool
        first = self._backend.reserve(len(phones))
        rows = np.arange(first, first + len(phones))
        nothing = np.zeros(len(phones), np.int64)
        sequence = self._sequence[phones]
        self._sequence[phones] += 1
        start = sequence == 0
        headers = rtp.pack_headers(
            nothing, start, nothing, sequence, sequence * _PAYLOAD, 0x10000 + phones
        )
        rtp.write_headers(pool, rows, nothing, headers)
        stamp = np.frombuffer(time.monotonic_ns().to_bytes(8, "little"), np.uint32)
        at = (DATA + rtp.HEADER) // 4
        pool.words[rows, at : at + 2] = stamp
        self._backend.send(2 * phones, pool.addresses(rows), nothing + rtp.HEADER + _PAYLOAD)
        self._sent += len(phones)

    def _outcome(self) -> Outcome:
        delays = np.concatenate([*self._delays, np.zeros(1)])
        median, p99, p999 = np.percentile(delays, (50, 99, 99.9)).tolist()
        return Outcome(self._sent, self._received, median, p99, p999, self._late)

    def close(self) -> None:
        self._backend.close()
        self._sockets.close()
        os.close(self._control)
        os.close(self._other)


def main() -> None:
    crowd = Crowd(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(crowd.ports), flush=True)
    order = json.loads(sys.stdin.readline())
    outcome = crowd.run([(host, port) for host, port in order["targets"]], order["seconds"])
    print(json.dumps({name: getattr(outcome, name) for name in Outcome.__slots__}), flush=True)
    crowd.close()


if __name__ == "__main__":
    main()
