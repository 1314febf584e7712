"""The engine without sockets and clock: commands, packets and ticks in, packets and events out.

`turn` takes a batch of packets, `tick` is called every 20 ms; both are told the time.  The
order of work in a turn: tell RTCP from RTP, believe, count, relay, decode.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from media import belief, commands, events, reception, relay, rtp
from media.backends import Backend, Batch
from media.backends.pool import NAME, NAME_ROOM
from media.backends.sockaddr import host_of, key_of, source_keys, unpack
from media.backends.sockets import Sockets
from media.codecs import make_codecs
from media.departures import Departures
from media.express import Express
from media.gate import Gate
from media.items import Item
from media.keys import Keys
from media.legs import AUDIO, COMFORT, NONE, Legs
from media.library import Library
from media.mixer import Mixer
from media.plan import RoomShape
from media.players import Player
from media.reports import Reports
from media.settings import MediaSettings
from media.stream import Stream
from media.switchboard import Switchboard, agree_types
from media.taps import Recordings
from media.types import Address, Array, Instant, Ints, Quads, Seconds, Words
from media.watch import Watch

_MOST_REPORTS = 20
"""Reports of quality at a time, so that many legs opened at once do not hold up the tick."""
_ROUND = 20
"""Ticks in which all legs are looked at: a part of them in every other, so that no packet waits
for all; in those between, silent peers are looked for, or reports are sent."""
_MISSING, _REPORTING = (1, 11), (5, 9, 15, 19)
_PATIENT: Seconds = 0.005
"""Gathering of batches while nothing is relayed: what is mixed waits for the tick anyway."""
_FEW = 8
"""Packets that make it worth while to look once more whether others can follow them."""
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
        wall: Seconds,
    ) -> None:
        """`wall` added to an Instant gives seconds since 1970."""
        self._settings, self._sockets, self._backend, self._emit = settings, sockets, backend, emit
        codecs = make_codecs()
        self.legs = Legs(max(sockets.rows, 1))
        self.board = Switchboard(self.legs, codecs)
        self.gate = Gate(self.legs, backend)
        self.express = Express(self.legs, backend, sockets.ipv6)
        self.departures = Departures(backend)
        self.mixer = Mixer(self.legs, backend, codecs, self.gate, self.departures, settings.jitter)
        self.reports = Reports(self.legs, settings.rtcp_interval, settings.quality_interval, wall)
        self._late_ticks = self._skipped = 0
        self._worst: Seconds = 0.0
        self.recordings = Recordings(self.board, self.mixer, emit)
        self.keys = Keys(self.legs, self.board, backend, self.gate, emit, self._play_keys)
        self.watch = Watch(self.legs, self.keys, emit)
        self._library = Library()
        self._players: dict[int, Player] = {}
        self._tick = 0
        self._handlers: dict[type, Callable[[Any, Instant], None]] = {
            commands.Open: self._open,
            commands.Connect: self._connect,
            commands.Hear: self._hear,
            commands.Ask: self._ask,
            commands.AskEngine: self._ask_engine,
            commands.Close: self._close,
            commands.MakeRoom: self._make_room,
            commands.Play: self._play,
            commands.Record: self._record,
            commands.SendDtmf: self._send_dtmf,
            commands.Detect: self._detect,
            commands.Pause: self._pause,
            commands.Seek: self._seek,
        }

    # Commands

    def handle(self, command: commands.Command, now: Instant) -> None:
        """Carry out one command.  One that names a thing already closed does nothing."""
        self.express.settle()
        self._handlers[type(command)](command, now)

    def _open(self, command: commands.Open, now: Instant) -> None:
        row = command.row
        self.express.close(row)
        self.legs.take(row, command.leg, now)
        self.reports.begin(row, now)
        self.board.rows[command.leg] = row
        for index in (2 * row, 2 * row + 1):
            self._sockets.aim(index, None)
            self._backend.listen(index)

    def _connect(self, command: commands.Connect, now: Instant) -> None:
        row = self.board.rows.get(command.leg)
        if row is None:
            return
        self.express.close(row)
        before = self.board.streams.get(command.leg)
        self.board.streams[command.leg] = stream = command.stream
        agree_types(self.legs, row, stream)
        self.legs.receiving[row] = stream.receiving
        self.legs.sending[row] = stream.sending and stream.reachable
        self.gate.agree(row, stream)
        self._agree_peer(row, stream, before, now)
        self.board.graph.touch(command.leg)

    def _agree_peer(self, row: int, stream: Stream, before: Stream | None, now: Instant) -> None:
        legs = self.legs
        legs.connected[row] = now
        legs.may_latch[row] = stream.latch
        legs.latch_until[row] = now + self._settings.latch_window if stream.latch else -np.inf
        if before is not None and before.remote == stream.remote and stream.latch:
            return  # keep sending to where the peer was found, until it is found elsewhere
        remote = stream.remote if stream.reachable else None
        if self._settings.connect:
            self._sockets.tie(2 * row, None if stream.latch else remote)
        legs.signalled[row] = legs.believed[row] = 0 if remote is None else key_of(remote)
        self._sockets.aim(2 * row, remote)
        self._sockets.aim(2 * row + 1, stream.rtcp_address)

    def _hear(self, command: commands.Hear, now: Instant) -> None:
        self.board.graph.hear(command.listener, command.sources)

    def _make_room(self, command: commands.MakeRoom, now: Instant) -> None:
        self.board.rooms[command.room] = RoomShape(command.rate, command.loudest)
        self.board.graph.touch(command.room)

    def _play(self, command: commands.Play, now: Instant) -> None:
        items = command.items
        self._players[command.player] = Player(
            items, self._library, loop=command.loop, shared=command.shared
        )
        self.board.players.add(command.player)
        self.board.graph.touch(command.player)

    def _pause(self, command: commands.Pause, now: Instant) -> None:
        player = self._players.get(command.thing)
        if player is not None:
            (player.pause if command.paused else player.resume)()
        self.recordings.pause(command.thing, command.paused)

    def _record(self, command: commands.Record, now: Instant) -> None:
        self.recordings.begin(command)

    def _seek(self, command: commands.Seek, now: Instant) -> None:
        if command.player in self._players:
            self._players[command.player].seek(command.seconds)

    def _play_keys(self, number: int, items: tuple[Item, ...]) -> None:
        self._players[number] = Player(items, self._library)
        self.board.players.add(number)

    def _send_dtmf(self, command: commands.SendDtmf, now: Instant) -> None:
        self.keys.press(command.leg, command.digits, command.ms)

    def _detect(self, command: commands.Detect, now: Instant) -> None:
        row = self.board.rows.get(command.leg)
        if row is not None:
            self.board.watch(command.leg, self.watch.set(row, command, now))

    def _ask(self, command: commands.Ask, now: Instant) -> None:
        row = self.board.rows.get(command.leg)
        stats = events.LegStats() if row is None else self._stats(row)
        self._emit(events.Told(command.question, stats))

    def _ask_engine(self, command: commands.AskEngine, now: Instant) -> None:
        stats = events.EngineStats(
            len(self.board.rows),
            self._tick,
            self._late_ticks,
            self._skipped,
            self._worst,
            self._backend.oversize,
            self._backend.refused,
            time.process_time(),
        )
        self._emit(events.EngineTold(command.question, stats))

    def _close(self, command: commands.Close, now: Instant) -> None:
        self.board.graph.forget(command.thing)
        self.board.rooms.pop(command.thing, None)
        self.board.players.discard(command.thing)
        self._players.pop(command.thing, None)
        self.recordings.end(command.thing)
        row = self.board.rows.pop(command.thing, None)
        if row is not None:
            self._close_leg(command.thing, row)

    def _close_leg(self, leg: int, row: int) -> None:
        self.express.close(row)
        self.departures.hasten(np.array([row]))
        for index in (2 * row, 2 * row + 1):
            self._backend.deafen(index)
            if self._settings.connect:
                self._sockets.tie(index, None)
            self._sockets.aim(index, None)
        self.watch.forget(row)
        self._emit(events.Closed(leg, self._stats(row)))
        self.board.streams.pop(leg, None)
        self.reports.end(row)
        self.gate.close(row)
        self.keys.forget(row, leg)
        self.board.watch(leg, needed=False)
        self.legs.clear(row)
        self.mixer.forget(row, leg)

    # Packets

    def turn(self, batch: Batch, now: Instant) -> None:
        """Handle what came: each packet is relayed, decoded, counted or dropped.

        The graph is compiled.
        """
        while len(batch.sockets):
            left, decoded = self.express.carry(batch, now)
            if decoded is not None:
                self.mixer.keep(decoded)
            if left is None:
                return
            carried = len(batch.sockets) - len(left)
            batch = Batch(batch.sockets[left], batch.rows[left], batch.lengths[left], False)
            if carried < _FEW:
                self._take(batch, now)
                return

    def _take(self, batch: Batch, now: Instant) -> None:
        """Packets that need to be looked at."""
        packets = rtp.parse(self._backend.pool, batch.sockets >> 1, batch.rows, batch.lengths)
        self.express.settle(packets.leg)
        control = (batch.sockets & 1 == 1) | rtp.is_rtcp(packets)
        if np.count_nonzero(control):
            for i in np.flatnonzero(control).tolist():
                socket, row, length = (int(column[i]) for column in batch[:3])
                self._take_rtcp(socket, row, length, now)
            packets = packets.only(~control)
        keys = source_keys(self._backend.pool, packets.row, self._sockets.ipv6)
        parts = rtp.rounds(packets.leg, self.legs.capacity)
        if len(parts) == 1:
            self._round(packets, keys, now)
            return
        for part in parts:
            self._round(packets.only(part), keys[part], now)

    def _take_rtcp(self, socket: int, pool_row: int, length: int, now: Instant) -> None:
        """RTCP is believed from the host that the leg's sound comes from."""
        row = socket >> 1
        peer = self._sockets.peer(2 * row)
        source = self._source(pool_row)
        if peer is None or host_of(source) != host_of(peer):
            self.legs.bleed[row] += bool(self.legs.leg[row])
            return
        data = self.gate.unwrap_rtcp(row, self._backend.pool.read(pool_row, length))
        if data is None:
            self.legs.unauthentic[row] += 1
            return
        if socket & 1 and self.legs.may_latch[row]:
            self._sockets.aim(socket, source)
        self.reports.receive(row, data, now)

    def _source(self, pool_row: int) -> Address:
        return unpack(self._backend.pool.octets[pool_row, NAME : NAME + NAME_ROOM].tobytes())

    def _round(self, packets: rtp.Packets, keys: Quads, now: Instant) -> None:
        """At most one packet of each leg."""
        legs = self.legs
        kinds = legs.kinds[packets.leg, packets.payload_type]
        if np.count_nonzero(legs.secure[packets.leg]):
            known = (keys == legs.believed[packets.leg]) | legs.may_latch[packets.leg]
            packets, kept = self.gate.unwrap(packets, known & packets.valid & (kinds != NONE))
            keys, kinds = keys[kept], kinds[kept]
        silence = self._settings.source_silence
        judgement = belief.judge(legs, packets, keys, kinds, now, silence)
        for i in judgement.moved:
            self._move(int(packets.leg[i]), int(packets.row[i]))
        if np.count_nonzero(judgement.believed) != len(kinds):
            packets, kinds = packets.only(judgement.believed), kinds[judgement.believed]
        if not len(kinds):
            return
        tracked = reception.track(legs, packets, kinds, now)
        self._follow_codecs(packets, kinds)
        self.keys.receive(packets, kinds, tracked, now)
        decoded = legs.decoding[packets.leg] & legs.receiving[packets.leg]
        if np.count_nonzero(decoded):
            self._listen(packets.only(decoded), kinds[decoded], tracked.only(decoded))
        if np.count_nonzero(legs.flows[packets.leg]):
            self.gate.send(*relay.forward(legs, self._backend.pool, packets, kinds, tracked, now))
        self.express.lay(packets, tracked, kinds)

    def _follow_codecs(self, packets: rtp.Packets, kinds: Array) -> None:
        """A peer may change among the agreed codecs at any packet (RFC 3264 §5.1)."""
        legs = self.legs
        changed = (kinds >= AUDIO) & (kinds != legs.in_codec[packets.leg])
        if np.count_nonzero(changed):
            rows = packets.leg[changed]
            legs.in_codec[rows] = kinds[changed]
            self.board.graph.touched.update(legs.leg[rows].tolist())
            self.compile()

    def _listen(self, packets: rtp.Packets, kinds: Array, tracked: reception.Tracked) -> None:
        """Take in the sound of legs that somebody hears mixed."""
        audio = kinds >= AUDIO
        if audio.all():
            self.mixer.collect(packets, kinds, tracked)
            return
        self.mixer.collect(packets.only(audio), kinds[audio], tracked.only(audio))
        comfort = packets.only((kinds == COMFORT) & (packets.length > packets.payload_at))
        if len(comfort.leg):
            levels = self._backend.pool.octets[comfort.row, comfort.payload_at + NAME + NAME_ROOM]
            self.mixer.comfort(comfort.leg, levels.astype(np.int64) & 0x7F)

    def _move(self, row: int, pool_row: int) -> None:
        """A leg's peer was found at the source of a packet: believe it, and answer there."""
        address = self._source(pool_row)
        self.express.close(row)
        self._sockets.aim(2 * row, address)
        leg = int(self.legs.leg[row])
        stream = self.board.streams[leg]
        if not stream.rtcp_mux:
            self._sockets.aim(2 * row + 1, (address[0], address[1] + 1))
        self.legs.sending[row] = stream.sending
        self.board.graph.touch(leg)
        self.compile()
        self._emit(events.SourceChanged(leg, address))

    # Ticks

    def tick(self, now: Instant, frames: int = 1, late: Seconds = 0.0) -> None:
        """Do what is due every 20 ms; `frames` is how many such passed since the last tick.

        `late` is how long after its time it is called.
        """
        self._late_ticks += frames > 1
        self._skipped += max(frames - _MOST_FRAMES, 0)
        self._worst = max(self._worst, late)
        for left in range(min(frames, _MOST_FRAMES), 0, -1):
            passed = frames - left + 1 if left == min(frames, _MOST_FRAMES) else 1
            self._tick += passed
            busy = np.zeros(self.legs.capacity, np.bool_)
            due = self.keys.due(now, busy)
            self.compile()
            self.mixer.tick(self._tick, passed, now, busy)
            self.keys.send(due)
            self.watch.tick(self.mixer.voices(8000))
            self.recordings.tick()
            self._end_players()
        at = self._tick % _ROUND
        if at % 2 == 0:
            self.express.settle_part(at // 2, _ROUND // 2)
        elif at in _MISSING:
            self.watch.miss_packets(now, self.express.settle)
        elif at in _REPORTING:
            self._report(now)

    def _end_players(self) -> None:
        for number in [n for n, player in self._players.items() if player.finished]:
            error = self._players.pop(number).error or None
            self.board.players.discard(number)
            self.board.graph.forget(number)
            if number > 0:
                self._emit(events.Played(number, error))

    def _report(self, now: Instant) -> None:
        """Send the RTCP reports that are due, and tell the quality of legs whose turn it is."""
        due = np.flatnonzero(self.reports.next_report <= now)
        if len(due):
            self.express.settle(due)
            for rows, packets in self.reports.compose(due, now):
                self._send_reports(rows, packets)
        due = np.flatnonzero(self.reports.next_quality <= now)[:_MOST_REPORTS]
        if len(due):
            self.express.settle(due)
        for row in due.tolist():
            self.reports.next_quality[row] = now + self._settings.quality_interval
            self._emit(events.Quality(int(self.legs.leg[row]), self._stats(row)))

    def _send_reports(self, rows: Ints, packets: Words) -> None:
        streams = [self.board.streams.get(leg) for leg in self.legs.leg[rows].tolist()]
        mux = np.array([stream is not None and stream.rtcp_mux for stream in streams])
        aimed = self._sockets.aimed(2 * rows + ~mux)
        if np.count_nonzero(aimed):
            self.gate.send_rtcp(rows[aimed], packets[aimed], mux[aimed])

    def compile(self, *, plan: bool = True) -> None:
        """Make the hearing graph as it is now hold; nothing to do while it stays the same.

        Without `plan` mixed listeners may go on as before until the tick: where much changes,
        one plan for all of it is enough.
        """
        if self.board.compile(plan=plan):
            self.departures.hasten(np.flatnonzero(self.legs.fresh))
            self.mixer.adopt(self.board.plans, self._players)
            self.express.review()
            relays = bool(self.legs.flows.any())
            gather = self._settings.gather
            self._backend.pace.gather = gather if relays else max(gather, _PATIENT)

    def close(self) -> None:
        """Finish what lies on disk."""
        self.recordings.close()
        self._library.close()

    # Reports

    def _stats(self, row: int) -> events.LegStats:
        stream = self.board.streams.get(int(self.legs.leg[row]))
        codec = stream.codec if stream else ""
        misplaced = self.mixer.misplaced(row)
        return self.reports.snapshot(row, codec, self._sockets.peer(2 * row), *misplaced)
