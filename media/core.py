"""The engine without sockets and clock: commands, packets and ticks in, packets and events out.

`turn` takes a batch of packets, `tick` is called every 20 ms; both are told the time.  The
order of work in a turn: tell RTCP from RTP, believe, count, relay, decode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from media import belief, commands, events, reception, relay, rtp
from media.backends import Backend, Batch
from media.backends.pool import NAME, NAME_ROOM
from media.backends.sockaddr import key_of, source_keys, unpack
from media.backends.sockets import Sockets
from media.codecs import make_codecs
from media.legs import AUDIO, COMFORT, Legs
from media.mixer import Mixer
from media.plan import RoomShape
from media.settings import MediaSettings
from media.stream import Stream
from media.switchboard import Switchboard, agree_types
from media.types import Address, Array, Instant, Ints

_MOST_FRAMES = 5
"""Ticks that are made up for when the engine was held up; what lies further back is skipped."""


class Core:
    """One engine's whole state.  Single-threaded; nothing here blocks."""

    def __init__(
        self,
        settings: MediaSettings,
        sockets: Sockets,
        backend: Backend,
        emit: Callable[[events.Event], None],
    ) -> None:
        self._settings, self._sockets, self._backend, self._emit = settings, sockets, backend, emit
        codecs = make_codecs()
        self.legs = Legs(max(sockets.rows, 1))
        self.board = Switchboard(self.legs, codecs)
        self.mixer = Mixer(self.legs, backend, codecs, self._send)
        self._tick = 0
        self._handlers: dict[type, Callable[[Any, Instant], None]] = {
            commands.Open: self._open,
            commands.Connect: self._connect,
            commands.Hear: self._hear,
            commands.Ask: self._ask,
            commands.Close: self._close,
            commands.MakeRoom: self._make_room,
        }

    # Commands

    def handle(self, command: commands.Command, now: Instant) -> None:
        """Carry out one command.  One that names a thing already closed does nothing."""
        self._handlers[type(command)](command, now)

    def _open(self, command: commands.Open, now: Instant) -> None:
        row = command.row
        self.legs.take(row, command.leg, now)
        self.board.rows[command.leg] = row
        for index in (2 * row, 2 * row + 1):
            self._sockets.aim(index, None)
            self._backend.listen(index)

    def _connect(self, command: commands.Connect, now: Instant) -> None:
        row = self.board.rows.get(command.leg)
        if row is None:
            return
        before = self.board.streams.get(command.leg)
        self.board.streams[command.leg] = stream = command.stream
        agree_types(self.legs, row, stream)
        self.legs.receiving[row] = stream.receiving
        self.legs.sending[row] = stream.sending and usable(stream.remote)
        self._agree_peer(row, stream, before, now)
        self.board.graph.changed = True

    def _agree_peer(self, row: int, stream: Stream, before: Stream | None, now: Instant) -> None:
        legs = self.legs
        legs.connected[row] = now
        legs.may_latch[row] = stream.latch
        legs.latch_until[row] = now + self._settings.latch_window if stream.latch else -np.inf
        if before is not None and before.remote == stream.remote and stream.latch:
            return  # keep sending to where the peer was found, until it is found elsewhere
        remote = stream.remote if usable(stream.remote) else None
        legs.signalled[row] = legs.believed[row] = 0 if remote is None else key_of(remote)
        self._sockets.aim(2 * row, remote)
        self._sockets.aim(2 * row + 1, rtcp_address(stream))

    def _hear(self, command: commands.Hear, now: Instant) -> None:
        self.board.graph.hear(command.listener, command.sources)

    def _make_room(self, command: commands.MakeRoom, now: Instant) -> None:
        self.board.rooms[command.room] = RoomShape(command.rate, command.loudest)

    def _ask(self, command: commands.Ask, now: Instant) -> None:
        row = self.board.rows.get(command.leg)
        stats = events.LegStats() if row is None else self._stats(row)
        self._emit(events.Told(command.question, stats))

    def _close(self, command: commands.Close, now: Instant) -> None:
        self.board.graph.forget(command.thing)
        self.board.rooms.pop(command.thing, None)
        row = self.board.rows.pop(command.thing, None)
        if row is not None:
            self._close_leg(command.thing, row)

    def _close_leg(self, leg: int, row: int) -> None:
        for index in (2 * row, 2 * row + 1):
            self._backend.deafen(index)
            self._sockets.aim(index, None)
        self._emit(events.Closed(leg, self._stats(row)))
        self.board.streams.pop(leg, None)
        self.legs.clear(row)
        self.mixer.forget(row, leg)

    # Packets

    def turn(self, batch: Batch, now: Instant) -> None:
        """Handle what came: each packet is relayed, decoded, counted or dropped."""
        self._compile()
        if not len(batch.sockets):
            return
        pool = self._backend.pool
        control = (batch.sockets & 1 == 1) | rtp.is_rtcp(pool, batch.rows)
        if control.any():
            sound = ~control
            batch = Batch(batch.sockets[sound], batch.rows[sound], batch.lengths[sound], False)
        packets = rtp.parse(pool, batch.sockets >> 1, batch.rows, batch.lengths)
        keys = source_keys(pool, batch.rows, self._sockets.ipv6)
        for part in rtp.rounds(packets.leg, self.legs.capacity):
            whole = len(part) == len(packets.leg)
            self._round(*((packets, keys) if whole else (packets.only(part), keys[part])), now)

    def _round(self, packets: rtp.Packets, keys: Array, now: Instant) -> None:
        """At most one packet of each leg."""
        legs = self.legs
        kinds = legs.kinds[packets.leg, packets.payload_type]
        silence = self._settings.source_silence
        judgement = belief.judge(legs, packets, keys, kinds, now, silence)
        for i in judgement.moved:
            self._move(int(packets.leg[i]), int(packets.row[i]))
        if not judgement.believed.all():
            packets, kinds = packets.only(judgement.believed), kinds[judgement.believed]
        if not len(kinds):
            return
        tracked = reception.track(legs, packets, kinds, now)
        self._follow_codecs(packets, kinds)
        decoded = legs.decoding[packets.leg] & legs.receiving[packets.leg]
        if decoded.any():
            self._listen(packets.only(decoded), kinds[decoded], tracked.only(decoded))
        if (legs.relay_to[packets.leg] >= 0).any():
            self._forward(relay.forward(legs, self._backend.pool, packets, kinds, tracked, now))

    def _follow_codecs(self, packets: rtp.Packets, kinds: Array) -> None:
        """A peer may change among the agreed codecs at any packet (RFC 3264 §5.1)."""
        legs = self.legs
        changed = (kinds >= AUDIO) & (kinds != legs.in_codec[packets.leg])
        if changed.any():
            legs.in_codec[packets.leg[changed]] = kinds[changed]
            self.board.graph.changed = True
            self._compile()

    def _listen(self, packets: rtp.Packets, kinds: Array, tracked: reception.Tracked) -> None:
        """Take in the sound of legs that somebody hears mixed."""
        audio = kinds >= AUDIO
        if audio.all():
            self.mixer.receive(packets, kinds, tracked)
            return
        self.mixer.receive(packets.only(audio), kinds[audio], tracked.only(audio))
        comfort = packets.only((kinds == COMFORT) & (packets.length > packets.payload_at))
        if len(comfort.leg):
            levels = self._backend.pool.octets[comfort.row, comfort.payload_at + NAME + NAME_ROOM]
            self.mixer.comfort(comfort.leg, levels.astype(np.int64) & 0x7F)

    def _move(self, row: int, pool_row: int) -> None:
        """A leg's peer was found at the source of a packet: believe it, and answer there."""
        name = self._backend.pool.octets[pool_row, NAME : NAME + NAME_ROOM].tobytes()
        address = unpack(name)
        self._sockets.aim(2 * row, address)
        leg = int(self.legs.leg[row])
        stream = self.board.streams[leg]
        if not stream.rtcp_mux:
            self._sockets.aim(2 * row + 1, (address[0], address[1] + 1))
        self.legs.sending[row] = stream.sending
        self._emit(events.SourceChanged(leg, address))

    def _forward(self, forwarded: relay.Forwarded) -> None:
        addresses = self._backend.pool.addresses(forwarded.rows)
        addresses += forwarded.headers_at.view(np.uint64)
        self._backend.send(2 * forwarded.listeners, addresses, forwarded.lengths)

    def _send(self, rows: Ints, pool_rows: Ints, lengths: Ints) -> None:
        self._backend.send(2 * rows, self._backend.pool.addresses(pool_rows), lengths)

    # Ticks

    def tick(self, now: Instant, frames: int = 1) -> None:
        """Do what is due every 20 ms; `frames` is how many such passed since the last tick."""
        self._compile()
        for left in range(min(frames, _MOST_FRAMES), 0, -1):
            passed = frames - left + 1 if left == min(frames, _MOST_FRAMES) else 1
            self._tick += passed
            self.mixer.tick(self._tick, passed, now, np.zeros(self.legs.capacity, np.bool_))

    def _compile(self) -> None:
        plans = self.board.compile()
        if plans is not None:
            self.mixer.adopt(plans, {})

    # Reports

    def _stats(self, row: int) -> events.LegStats:
        legs = self.legs
        stream = self.board.streams.get(int(legs.leg[row]))
        return events.LegStats(
            packets_received=int(legs.in_packets[row]),
            octets_received=int(legs.in_octets[row]),
            packets_sent=int(legs.out_packets[row]),
            octets_sent=int(legs.out_octets[row]),
            lost=legs.lost(row),
            duplicate=int(legs.duplicate[row]),
            reordered=int(legs.reordered[row]),
            late=self.mixer.late(row),
            invalid=int(legs.invalid[row]),
            bleed=int(legs.bleed[row]),
            unauthentic=int(legs.unauthentic[row]),
            jitter=float(legs.in_jitter[row] / legs.in_clock[row]),
            codec=stream.codec if stream else "",
            remote=self._sockets.peer(2 * row),
        )


def usable(address: Address | None) -> bool:
    """RFC 3264 §5.1, §8.4: port 0 and the address of all zeros mean nobody is there."""
    return address is not None and address[1] != 0 and address[0] not in ("0.0.0.0", "::")


def rtcp_address(stream: Stream) -> Address | None:
    if stream.remote is None or not usable(stream.remote) or stream.rtcp_mux:
        return None
    return stream.remote_rtcp or (stream.remote[0], stream.remote[1] + 1)
