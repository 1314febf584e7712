"""A crowd of RTP phones in one process: each sends 50 packets a second, and what comes back is
counted and timed.

    python -m bench.load_rtp PHONES [PAYLOAD_TYPE …]

Says on standard output which port each phone has, as one JSON list; reads from standard input
JSON objects {"targets": [[host, port], ...], "warm": w, "seconds": s, "sending": true}, one a
line; sends for w seconds, which count for nothing, and says so by an empty line; sends for s
seconds more, waits for what is under way and says so by another; writes one JSON object of counts
and delays.

Phones share a few sockets, so that a turn is two system calls (sendmmsg, recvmmsg) and this
process stays far from being the bottleneck: whoever is measured knows phones by the port that
they talk to.  Each packet carries its time of sending and the kernel notes that of its coming,
so a delay is that of the machine under test alone, however late this process reads.
"""

from __future__ import annotations

import ctypes
import gc
import json
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from media.types import Array, Ints, Seconds

HOST = "127.0.0.1"
_OCTETS = 160
_SLOTS = 20
"""Parts of a frame among which the phones are spread, 1 ms each; one socket for each."""
_READ_EVERY = 5
"""Slots between two looks at one socket."""
_BATCH, _ROOM, _CONTROL = 512, 512, 64
DRAIN: Seconds = 0.3
_BUFFER = 8 << 20
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE, _MSG_DONTWAIT = 35, 33, 0x40
_MMSGHDR = np.dtype(
    {
        "names": ["name", "name_length", "iov", "iovs", "control", "control_length", "length"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 56],
        "itemsize": 64,
    }
)
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the crowd saw."""

    sent: int
    received: int
    lost: int
    """Gaps in the sequence numbers of what came."""
    listeners: int
    """Phones that heard anything."""
    delay_median: Seconds
    delay_p99: Seconds
    delay_p999: Seconds
    spacing_median: Seconds
    spacing_p99: Seconds
    spacing_p999: Seconds
    """Jitter: by how much two packets of one stream were further apart, or closer, than 20 ms."""
    late_slots: int
    """Milliseconds in which this process itself did not keep up."""

    @property
    def loss(self) -> float:
        """Part of what should have come that did not."""
        return self.lost / (self.lost + self.received) if self.received else 1.0


class Crowd:
    """The phones, their packets and their clock."""

    def __init__(self, phones: int, payload_types: list[int]) -> None:
        """The phones speak the payload types in turn, 160 octets of either a packet."""
        self._sockets = [_open_socket() for _ in range(_SLOTS)]
        ports = [own.getsockname()[1] for own in self._sockets]
        self.ports = [ports[phone % _SLOTS] for phone in range(phones)]
        self._packets = _packets(phones, payload_types)
        self._inbox = _Inbox()
        self._sent = self._late = self._frames = 0

    def run(
        self,
        targets: list[tuple[str, int]],
        warm: Seconds,
        seconds: Seconds,
        sending: bool,
        on_turn: Callable[[], None],
    ) -> Outcome:
        """Phone i talks to `targets[i]` for so long; a crowd that is not sending only hears."""
        slots = [_Outbox(self._packets[slot::_SLOTS], targets[slot::_SLOTS]) for slot in range(20)]
        gc.disable()
        for own in self._sockets:
            self._inbox.read(own)
        begun, total = round(warm * 1000), round((warm + seconds) * 1000)
        start = time.monotonic() + 0.05
        for number in range(total):
            if number == begun:
                self._inbox.forget()  # what came before the account was opened
                self._sent = self._late = 0
                on_turn()
            due = start + number * 0.001
            time.sleep(max(due - time.monotonic(), 0))
            self._late += time.monotonic() > due + 0.001
            slot = number % _SLOTS
            if sending:
                frame = self._frames + number // _SLOTS
                self._sent += slots[slot].send(self._sockets[slot], frame)
            for own in self._sockets[number % _READ_EVERY :: _READ_EVERY]:
                self._inbox.read(own)
        self._frames += round(total / _SLOTS)
        ended = time.time_ns()
        self._finish()
        on_turn()
        return self._inbox.outcome(self._sent, self._late, ended)

    def _finish(self) -> None:
        until = time.monotonic() + DRAIN
        while time.monotonic() < until:
            for own in self._sockets:
                self._inbox.read(own)
            time.sleep(0.005)

    def close(self) -> None:
        for own in self._sockets:
            own.close()


class _Outbox:
    """The packets of one slot, ready to be sent by one call."""

    def __init__(self, packets: Array, targets: list[tuple[str, int]]) -> None:
        self._packets = packets.copy()
        self._names = np.zeros((len(targets), 16), np.uint8)
        for name, (host, port) in zip(self._names, targets, strict=True):
            packed = socket.AF_INET.to_bytes(2, "little") + port.to_bytes(2, "big")
            name[:8] = np.frombuffer(packed + socket.inet_aton(host), np.uint8)
        self._headers, self._vectors = _messages(self._packets, self._names)

    def send(self, own: socket.socket, number: int) -> int:
        packets = self._packets
        packets["sequence"] = number & 0xFFFF
        packets["timestamp"] = number * 160 & 0xFFFFFFFF
        packets["first"] = 0x8000 | (0x80 if number == 0 else 0) | (packets["first"] & 0x7F)
        packets["stamp"] = time.time_ns()
        done = 0
        while done < len(packets):
            at = self._headers.ctypes.data + done * _MMSGHDR.itemsize
            sent = _libc.sendmmsg(own.fileno(), ctypes.c_void_p(at), len(packets) - done, 0)
            done += max(sent, 1)  # one that is refused is passed over
        return len(packets)


class _Inbox:
    """What came, in arrays."""

    def __init__(self) -> None:
        self._data = np.zeros((_BATCH, _ROOM), np.uint8)
        self._names = np.zeros((_BATCH, 16), np.uint8)
        self._control = np.zeros((_BATCH, _CONTROL), np.uint8)
        self._headers, self._vectors = _messages(self._data, self._names)
        at = self._control.ctypes.data + np.arange(_BATCH, dtype=np.uint64) * np.uint64(_CONTROL)
        self._headers["control"] = at
        self._headers["control_length"] = _CONTROL
        self._seen: list[Ints] = []

    def read(self, own: socket.socket) -> None:
        while True:
            at = ctypes.c_void_p(self._headers.ctypes.data)
            count = _libc.recvmmsg(own.fileno(), at, _BATCH, _MSG_DONTWAIT, None)
            if count <= 0:
                return
            self._note(count)

    def forget(self) -> None:
        self._seen.clear()

    def _note(self, count: int) -> None:
        """Keep port, sequence number, coming and sending of the RTP among the packets."""
        came = self._control[:count].view(np.int64)[:, 2:4]
        names, data = self._names[:count], self._data[:count]
        seen = np.empty((count, 4), np.int64)
        seen[:, 0] = names.view(">u2")[:, 1]
        seen[:, 1] = data.view(">u2")[:, 1]
        seen[:, 2] = came[:, 0] * 1_000_000_000 + came[:, 1]
        seen[:, 3] = data[:, 12:20].copy().view(np.int64)[:, 0]
        rtcp = (data[:, 1] >= 192) & (data[:, 1] <= 223)
        self._seen.append(seen[~rtcp])
        self._headers["name_length"][:count] = 16
        self._headers["control_length"][:count] = _CONTROL

    def outcome(self, sent: int, late: int, ended: int) -> Outcome:
        """The account; what came after `ended`, when all phones had fallen silent at once, is
        looked at for losses only."""
        seen = np.concatenate([*self._seen, np.zeros((0, 4), np.int64)])
        order = np.lexsort((seen[:, 2], seen[:, 0]))
        port, number, came, stamp = seen[order].T
        delays = (came - stamp) * 1e-9 if len(seen) else np.zeros(1)
        same = np.diff(port) == 0
        steps = (np.diff(number)[same] + 0x8000 & 0xFFFF) - 0x8000
        judged = (steps == 1) & (came[1:][same] <= ended)
        gaps = np.diff(came)[same][judged] * 1e-9
        delay = np.percentile(delays, (50, 99, 99.9)).tolist()
        apart = np.abs(gaps - 0.02) if len(gaps) else np.zeros(1)
        jitter = np.percentile(apart, (50, 99, 99.9)).tolist()
        lost = max(int((steps - 1).sum()), 0)
        return Outcome(
            sent,
            len(seen),
            lost,
            len(np.unique(port)),
            *(delay[0], delay[1], delay[2]),
            *(jitter[0], jitter[1], jitter[2]),
            late,
        )


def _open_socket() -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except PermissionError:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    own.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    own.bind((HOST, 0))
    own.setblocking(False)
    return own


def _packets(phones: int, payload_types: list[int]) -> Array:
    """One packet a phone: a header, the time of sending, and noise as loud as speech."""
    made = np.zeros(
        phones,
        [
            *(("first", ">u2"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")),
            *(("stamp", "<i8"), ("sound", "u1", _OCTETS - 8)),
        ],
    )
    made["first"] = np.resize(payload_types, phones)
    made["ssrc"] = 0x10000 + np.arange(phones)
    rng = np.random.default_rng(1)
    made["sound"] = rng.integers(0x90, 0xF0, (phones, _OCTETS - 8)) ^ (
        rng.integers(0, 2, (phones, _OCTETS - 8)) << 7
    )
    return made


def _messages(packets: Array, names: Array) -> tuple[Array, Array]:
    """A struct mmsghdr for each packet, and the vectors that they point at."""
    count = len(packets)
    steps = np.arange(count, dtype=np.uint64)
    size = packets.strides[0]
    vectors = np.zeros((count, 2), np.uint64)
    vectors[:, 0] = packets.ctypes.data + steps * np.uint64(size)
    vectors[:, 1] = size
    headers = np.zeros(count, _MMSGHDR)
    headers["name"] = names.ctypes.data + steps * np.uint64(16)
    headers["name_length"] = 16
    headers["iov"] = vectors.ctypes.data + steps * np.uint64(16)
    headers["iovs"] = 1
    return headers, vectors


def main() -> None:
    crowd = Crowd(int(sys.argv[1]), [int(kind) for kind in sys.argv[2:]] or [0])
    print(json.dumps(crowd.ports), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        targets = [(host, port) for host, port in order["targets"]]
        outcome = crowd.run(
            targets, order["warm"], order["seconds"], order["sending"], lambda: print(flush=True)
        )
        print(json.dumps(asdict(outcome)), flush=True)
    crowd.close()


if __name__ == "__main__":
    main()
