"""The engine without sockets and clock: commands, packets and ticks in, packets and events out.

`turn` takes a batch of packets, `tick` is called every 20 ms; both are told the time.  The
order of work in a turn: tell RTCP from RTP, authenticate, believe, count, relay, decode.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod

import numpy as np

from media import belief, commands, events, reception, relay, rtp
from media.backends import Backend, Batch
from media.backends.pool import NAME, NAME_ROOM
from media.backends.sockaddr import key_of, source_keys, unpack
from media.backends.sockets import Sockets
from media.graph import Graph, only_source
from media.legs import AUDIO, CODEC_NUMBER, COMFORT, EVENT, NONE, NOWHERE, Legs
from media.settings import MediaSettings
from media.stream import Stream
from media.types import Address, Array, Instant, Ints

_COMFORT_NOISE_TYPE = 13  # RFC 3551 §6, RFC 3389


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
        self.legs = Legs(max(sockets.rows, 1))
        self._rows: dict[int, int] = {}
        self._streams: dict[int, Stream] = {}
        self._graph = Graph()

    # Commands

    @singledispatchmethod
    def handle(self, command: commands.Command, now: Instant) -> None:
        """Carry out one command.  One that names a thing already closed does nothing."""
        raise TypeError(f"{command!r} is no command of the media engine")

    @handle.register
    def _open(self, command: commands.Open, now: Instant) -> None:
        row = command.row
        self.legs.take(row, command.leg, now)
        self._rows[command.leg] = row
        for index in (2 * row, 2 * row + 1):
            self._sockets.aim(index, None)
            self._sockets.drain(index)
            self._backend.listen(index)

    @handle.register
    def _connect(self, command: commands.Connect, now: Instant) -> None:
        row = self._rows.get(command.leg)
        if row is None:
            return
        before = self._streams.get(command.leg)
        self._streams[command.leg] = command.stream
        self._agree_types(row, command.stream)
        self._agree_peer(row, command.stream, before, now)
        self._graph.changed = True

    @handle.register
    def _hear(self, command: commands.Hear, now: Instant) -> None:
        self._graph.hear(command.listener, command.sources)

    @handle.register
    def _ask(self, command: commands.Ask, now: Instant) -> None:
        row = self._rows.get(command.leg)
        stats = events.LegStats() if row is None else self._stats(row)
        self._emit(events.Told(command.question, stats))

    @handle.register
    def _close(self, command: commands.Close, now: Instant) -> None:
        self._graph.forget(command.thing)
        row = self._rows.pop(command.thing, None)
        if row is None:
            return
        self._streams.pop(command.thing, None)
        for index in (2 * row, 2 * row + 1):
            self._backend.deafen(index)
            self._sockets.aim(index, None)
        self._emit(events.Closed(command.thing, self._stats(row)))
        self.legs.clear(row)

    def _agree_types(self, row: int, stream: Stream) -> None:
        legs = self.legs
        legs.kinds[row] = NONE
        legs.kinds[row, _COMFORT_NOISE_TYPE] = COMFORT
        for payload_type, codec in stream.receive_pts.items():
            legs.kinds[row, payload_type] = AUDIO + CODEC_NUMBER[codec.upper()]
        if stream.dtmf_receive_pt is not None:
            legs.kinds[row, stream.dtmf_receive_pt] = EVENT
        legs.in_clock[row] = legs.out_clock[row] = stream.clock_rate
        legs.out_frame[row] = round(stream.ptime * stream.clock_rate)
        legs.out_type[row] = stream.send_pt
        legs.out_event_type[row] = -1 if stream.dtmf_send_pt is None else stream.dtmf_send_pt
        legs.in_codec[row] = AUDIO + CODEC_NUMBER[stream.codec.upper()]
        legs.receiving[row] = stream.receiving
        legs.sending[row] = stream.sending and _usable(stream.remote)

    def _agree_peer(self, row: int, stream: Stream, before: Stream | None, now: Instant) -> None:
        legs = self.legs
        legs.connected[row] = now
        legs.may_latch[row] = stream.latch
        legs.latch_until[row] = now + self._settings.latch_window if stream.latch else -np.inf
        if before is not None and before.remote == stream.remote and stream.latch:
            return  # keep sending to where the peer was found, until it is found elsewhere
        remote = stream.remote if _usable(stream.remote) else None
        legs.signalled[row] = legs.believed[row] = 0 if remote is None else key_of(remote)
        self._sockets.aim(2 * row, remote)
        self._sockets.aim(2 * row + 1, _rtcp_address(stream))

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
        if (legs.relay_to[packets.leg] >= 0).any():
            self._send(relay.forward(legs, self._backend.pool, packets, kinds, tracked, now))

    def _move(self, row: int, pool_row: int) -> None:
        """A leg's peer was found at the source of a packet: believe it, and answer there."""
        name = self._backend.pool.octets[pool_row, NAME : NAME + NAME_ROOM].tobytes()
        address = unpack(name)
        self._sockets.aim(2 * row, address)
        stream = self._streams[int(self.legs.leg[row])]
        if not stream.rtcp_mux:
            self._sockets.aim(2 * row + 1, (address[0], address[1] + 1))
        self.legs.sending[row] = stream.sending
        self._emit(events.SourceChanged(int(self.legs.leg[row]), address))

    def _send(self, forwarded: relay.Forwarded) -> None:
        pool = self._backend.pool
        addresses = pool.addresses(forwarded.rows) + forwarded.headers_at.view(np.uint64)
        self._backend.send(2 * forwarded.listeners, addresses, forwarded.lengths)

    def tick(self, now: Instant) -> None:
        """Do what is due every 20 ms."""
        self._compile()

    # The graph

    def _compile(self) -> None:
        """Let the arrays say what the graph says."""
        if not self._graph.changed:
            return
        self._graph.changed = False
        legs = self.legs
        before = legs.relay_to.copy()
        legs.relay_to[:] = -1
        for listener, row in self._rows.items():
            source = only_source(self._graph.heard_by(listener), self._rows)
            if source and self._relays(source, listener):
                self._relay(self._rows[source], row, before)

    def _relays(self, source: int, listener: int) -> bool:
        """Whether packets of `source` suit `listener` as they are."""
        said, wanted = self._streams.get(source), self._streams.get(listener)
        return (
            said is not None
            and wanted is not None
            and said.codec.upper() == wanted.codec.upper()
            and said.clock_rate == wanted.clock_rate
            and said.ptime == wanted.ptime
            and self.legs.relay_to[self._rows[source]] < 0
        )

    def _relay(self, source: int, listener: int, before: Ints) -> None:
        legs = self.legs
        legs.relay_to[source] = listener
        if before[source] != listener:
            legs.fresh[listener] = True
        kinds = legs.kinds[source]
        types = legs.relay_types[source]
        types[:] = NOWHERE
        types[kinds == legs.in_codec[source]] = legs.out_type[listener]
        if legs.out_event_type[listener] >= 0:
            types[kinds == EVENT] = legs.out_event_type[listener]
        types[kinds == COMFORT] = _COMFORT_NOISE_TYPE

    # Reports

    def _stats(self, row: int) -> events.LegStats:
        legs = self.legs
        leg = int(legs.leg[row])
        stream = self._streams.get(leg)
        return events.LegStats(
            packets_received=int(legs.in_packets[row]),
            octets_received=int(legs.in_octets[row]),
            packets_sent=int(legs.out_packets[row]),
            octets_sent=int(legs.out_octets[row]),
            lost=legs.lost(row),
            duplicate=int(legs.duplicate[row]),
            reordered=int(legs.reordered[row]),
            invalid=int(legs.invalid[row]),
            bleed=int(legs.bleed[row]),
            unauthentic=int(legs.unauthentic[row]),
            jitter=float(legs.in_jitter[row] / legs.in_clock[row]),
            codec=stream.codec if stream else "",
            remote=self._sockets.peer(2 * row),
        )


def _usable(address: Address | None) -> bool:
    """RFC 3264 §5.1, §8.4: port 0 and the address of all zeros mean nobody is there."""
    return address is not None and address[1] != 0 and address[0] not in ("0.0.0.0", "::")


def _rtcp_address(stream: Stream) -> Address | None:
    if stream.remote is None or not _usable(stream.remote) or stream.rtcp_mux:
        return None
    return stream.remote_rtcp or (stream.remote[0], stream.remote[1] + 1)
