"""An engine core without sockets or clock: packets are handed to it and taken from it.

The wire is a list, and time passes only when a test says so.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from media import commands, events
from media.backends import Batch
from media.backends.pace import Pace
from media.backends.pool import NAME, Pool
from media.backends.sockaddr import pack
from media.backends.sockets import Sockets
from media.core import Core
from media.settings import MediaSettings
from media.stream import Stream
from media.types import TICK, Address, Instant, Ints, Quads, Seconds

PEER = "192.0.2.1"


class Rtp(NamedTuple):
    """One RTP packet, as a test writes and reads it."""

    sequence: int
    timestamp: int
    payload: bytes
    payload_type: int = 0
    ssrc: int = 0x1234
    marker: bool = False

    def encode(self) -> bytes:
        second = self.marker << 7 | self.payload_type
        sequence, timestamp = self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF
        return struct.pack("!BBHII", 0x80, second, sequence, timestamp, self.ssrc) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Rtp:
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        assert first == 0x80
        return cls(sequence, timestamp, data[12:], second & 0x7F, ssrc, bool(second >> 7))


class Sent(NamedTuple):
    at: Instant
    socket: int
    to: Address
    data: bytes


class ListBackend:
    """A backend whose network is a list of what was sent."""

    name = "list"

    def __init__(self, sockets: Sockets) -> None:
        self.pool = Pool(1024, 4096)
        self.pace = Pace(0.0)
        self.oversize = self.refused = 0
        self.sent: list[Sent] = []
        self.now: Instant = 0.0
        self.listening: set[int] = set()
        self._sockets = sockets
        self._next = self.pool.receiving

    def listen(self, socket: int) -> None:
        self.listening.add(socket)

    def deafen(self, socket: int) -> None:
        self.listening.discard(socket)

    def wait(self, timeout: Seconds) -> Batch:
        raise AssertionError("virtual time does not wait")

    def reserve(self, count: int) -> int:
        if self._next + count > self.pool.rows:
            self._next = self.pool.receiving
        first = self._next
        self._next += count
        return first

    def send(self, sockets: Ints, addresses: Quads, lengths: Ints) -> None:
        for socket, address, length in zip(
            sockets.tolist(), addresses.tolist(), lengths.tolist(), strict=True
        ):
            to = self._sockets.peer(socket)
            assert to is not None, "sent to nowhere"
            self.sent.append(Sent(self.now, socket, to, self.pool.peek(address, length)))

    def flush(self) -> None:
        """The list has it already."""

    def close(self) -> None:
        self.sent.clear()


@dataclass
class VirtualEngine:
    """A core, its legs, and a clock that is a number."""

    settings: MediaSettings = field(default_factory=MediaSettings)
    rows: int = 16
    now: Instant = 1000.0
    log: list[events.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sockets = Sockets([(20000 + 2 * i, -1, -1) for i in range(self.rows)], self.rows)
        self.backend = ListBackend(self.sockets)
        self.core = Core(self.settings, self.sockets, self.backend, self.log.append, 1e9)
        self._free = list(range(self.rows))
        self._row: dict[int, int] = {}
        self._next = 1

    def number(self) -> int:
        self._next += 1
        return self._next

    def do(self, command: commands.Command) -> None:
        self.core.handle(command, self.now)

    def leg(self, stream: Stream | None = None, **agreed: object) -> int:
        """An open, connected leg whose peer is `peer(leg)`."""
        leg, row = self.number(), self._free.pop(0)
        self._row[leg] = row
        self.do(commands.Open(leg, row))
        self.do(commands.Connect(leg, stream or Stream(self.peer(leg), **agreed)))  # type: ignore[arg-type]
        return leg

    def hang_up(self, leg: int) -> None:
        """Close the leg; another may have its row."""
        self.do(commands.Close(leg))
        self._free.append(self._row.pop(leg))

    def peer(self, leg: int) -> Address:
        return PEER, 20000 + 2 * (leg % 20000)

    def row(self, leg: int) -> int:
        return self._row[leg]

    def hear(self, listener: int, *sources: int, **gains: float) -> None:
        heard = dict.fromkeys(sources, 1.0) | {int(k): v for k, v in gains.items()}
        self.do(commands.Hear(listener, heard))

    def bridge(self, one: int, other: int) -> None:
        self.hear(one, other)
        self.hear(other, one)

    def receive(self, *packets: tuple[int, Rtp | bytes], source: Address | None = None) -> None:
        """One batch: each packet to the RTP port of a leg, from its peer unless said otherwise."""
        self.now += 1e-6  # no packet comes in the very instant of a command
        for at, (leg, packet) in enumerate(packets):
            data = packet.encode() if isinstance(packet, Rtp) else packet
            self.backend.pool.write(at, data)
            name = pack(source or self.peer(leg))
            self.backend.pool.octets[at, NAME : NAME + len(name)] = np.frombuffer(name, np.uint8)
        lengths = [len(p.payload) + 12 if isinstance(p, Rtp) else len(p) for _, p in packets]
        sockets = np.array([2 * self._row[leg] for leg, _ in packets], np.int64)
        batch = Batch(sockets, np.arange(len(packets)), np.array(lengths, np.int64), False)
        self.backend.now = self.now
        self.core.compile()
        self.core.turn(batch, self.now)

    def tick(self, frames: int = 1) -> None:
        self.now += frames * TICK
        self.backend.now = self.now
        self.core.tick(self.now, frames)
        self.core.departures.release(np.inf)

    def sent_to(self, leg: int) -> list[Rtp]:
        """RTP that went to the leg's peer so far, oldest first."""
        return [Rtp.decode(s.data) for s in self.backend.sent if s.socket == 2 * self._row[leg]]

    def stats(self, leg: int) -> events.LegStats:
        self.do(commands.Ask(0, leg))
        told = self.log.pop()
        assert isinstance(told, events.Told)
        return told.stats

    def told(self, kind: type[events.Event]) -> list[events.Event]:
        return [event for event in self.log if isinstance(event, kind)]
