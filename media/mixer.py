"""The mixed path: every 20 ms, whatever mixed listeners are to hear, all at once.

decode on arrival → jitter buffer → voices → sums → encode once per distinct sound → packets.
Carries out `RatePlan`s; who hears whom was decided before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Protocol

import numpy as np

from media import mixing, rtp
from media.backends import Backend
from media.backends.pool import DATA
from media.codecs import Codec
from media.departures import Departures
from media.framing import MOST_OCTETS, Cut, Framing
from media.gate import Gate
from media.intake import Sounds, collect, join
from media.jitter import SILENT, JitterBuffer
from media.legs import AUDIO, CODECS, Legs
from media.pcm import saturate
from media.plan import Coding, RatePlan
from media.reception import Tracked
from media.types import Instant, Ints, Mask, Octets, Pcm, Seconds

_PAYLOAD = DATA + rtp.HEADER


class Playing(Protocol):
    """What a player looks like from here."""

    def frame(self, rate: int, tick: int) -> Pcm: ...


class Mixer:
    """All mixed sound of one engine."""

    def __init__(
        self,
        legs: Legs,
        backend: Backend,
        codecs: Mapping[str, Codec],
        gate: Gate,
        departures: Departures,
        deepest: Seconds,
    ) -> None:
        """`deepest` bounds the jitter buffers."""
        self._deepest = deepest
        self._legs, self._backend, self._codecs = legs, backend, codecs
        self._gate, self._departures = gate, departures
        self._players: dict[int, Playing] = {}
        self._plans: dict[int, RatePlan] = {}
        self._buffers: dict[int, JitterBuffer] = {}
        self._wants: dict[int, Mask] = {}
        self._sounds: dict[int, tuple[RatePlan, Pcm]] = {}
        self._voices: dict[int, tuple[Pcm, Octets]] = {}
        self._collected: list[Sounds] = []
        self._framing = Framing()
        self._floors: dict[int, mixing.Floor] = {}

    def adopt(self, plans: Mapping[int, RatePlan], players: Mapping[int, Playing]) -> None:
        """Serve these plans from the next tick on."""
        self._plans, self._players = dict(plans), dict(players)
        self._legs.decoding[:] = False
        for rate in {*plans, *self._wants}:
            wants = np.zeros(self._legs.capacity, np.bool_)
            if rate in plans:
                wants[plans[rate].legs] = True
            if rate in self._buffers and (left := np.flatnonzero(self._wants[rate] & ~wants)).size:
                self._buffers[rate].reset(left)
            self._wants[rate] = wants
            self._legs.decoding |= wants

    def forget(self, row: int, leg: int) -> None:
        """The row changes hands."""
        self._collected = [sounds.only(sounds.rows != row) for sounds in self._collected]
        for buffer in self._buffers.values():
            buffer.reset(np.array([row]))
        self._framing.forget(row)
        for codec in self._codecs.values():
            codec.forget(row)
            codec.forget(leg)

    # Packets come

    def collect(self, packets: rtp.Packets, kinds: Ints, tracked: Tracked) -> None:
        """Take sound that somebody hears out of the pool.  Rows are all different."""
        self.keep(collect(self._backend.pool, packets, kinds, tracked))

    def keep(self, sounds: Sounds) -> None:
        """Until the tick, which wants many at once.  Rows are all different."""
        self._collected.append(sounds)

    def _take_in(self) -> None:
        """Decode what was collected, into the jitter buffers; of each leg in its order."""
        if not self._collected:
            return
        sounds = self._collected[0]
        if len(self._collected) > 1:
            sounds = join(self._collected)
        self._collected.clear()
        parts = rtp.rounds(sounds.rows, self._legs.capacity)
        for part in parts:
            self._receive(sounds if len(parts) == 1 else sounds.only(part))

    def _receive(self, sounds: Sounds) -> None:
        """Decode audio of rows that are all different."""
        kind_list = sounds.kinds[:1].tolist()
        if (sounds.kinds != sounds.kinds[:1]).any():
            kind_list = np.unique(sounds.kinds).tolist()
        for rate, wants in self._wants.items():
            wanted = wants[sounds.rows] & ~sounds.repeated
            for kind in kind_list:
                chosen = wanted if len(kind_list) == 1 else wanted & (sounds.kinds == kind)
                if chosen.any():
                    one = sounds if chosen.all() else sounds.only(chosen)
                    self._decode(rate, CODECS[kind - AUDIO], one)

    def _decode(self, rate: int, name: str, sounds: Sounds) -> None:
        codec = self._codecs[name]
        if codec.stateful and not sounds.newest.all():  # its decoder has gone past them
            sounds = sounds.only(sounds.newest)
        if not len(sounds.rows):
            return
        buffer = self._buffer(rate)
        if sounds.restarted.any():
            buffer.reset(sounds.rows[sounds.restarted])
        payloads = sounds.payloads[:, : int(sounds.lengths.max())]
        frames, samples = codec.decode(sounds.rows.tolist(), payloads, sounds.lengths, rate)
        timestamps = sounds.timestamps * rate // codec.clock_rate
        buffer.put(sounds.rows, timestamps, frames, samples, sounds.sequences)

    def comfort(self, rows: Ints, levels: Ints) -> None:
        """Comfort noise at `levels` below overload (RFC 3389 §3) in place of speech."""
        for rate, wants in self._wants.items():
            chosen = wants[rows]
            if chosen.any():
                self._buffer(rate).comfort(rows[chosen], -levels[chosen].astype(np.float32))

    def _buffer(self, rate: int) -> JitterBuffer:
        if rate not in self._buffers:
            self._buffers[rate] = JitterBuffer(self._legs.capacity, rate, self._deepest)
        return self._buffers[rate]

    def misplaced(self, row: int) -> tuple[int, int]:
        """Packets of the row that came after their turn, and with absurd times."""
        buffers = self._buffers.values()
        late = sum(int(buffer.late[row]) for buffer in buffers)
        return late, sum(int(buffer.absurd[row]) for buffer in buffers)

    # Ticks come

    def tick(self, tick: int, frames: int, now: Instant, busy: Mask) -> None:
        """Serve one tick.  `frames` passed since the last; `busy` legs are sent keys instead."""
        self._take_in()
        self._departures.begin()
        self._voices.clear()
        self._sounds.clear()
        for rate, plan in self._plans.items():
            voices, states = self._gather(plan, tick)
            codings = [_Chosen(coding, states) for coding in plan.codings]
            sounds = self._sum(plan, voices, states, [chosen.sounds for chosen in codings])
            for chosen in codings:
                self._encode(chosen, sounds, rate, frames, now, busy)

    def _gather(self, plan: RatePlan, tick: int) -> tuple[Pcm, Octets]:
        """Frames of all voices, the silence last, and where those of legs are from."""
        count = len(plan.legs)
        voices = np.zeros((count + len(plan.players) + 1, plan.rate // 50), np.int16)
        states = np.zeros(len(voices), np.uint8)
        if count:
            voices[:count], states[:count] = self._buffer(plan.rate).take(plan.legs)
        for at, player in enumerate(plan.players, count):
            if player in self._players:
                voices[at] = self._players[player].frame(plan.rate, tick)
        self._voices[plan.rate] = voices, states
        return voices, states

    def _sum(self, plan: RatePlan, voices: Pcm, states: Octets, wanted: Iterable[Ints]) -> Pcm:
        """Frames of those sounds that somebody needs; others are left undefined."""
        copies, sums = len(plan.copies), len(plan.room_of)
        if not sums:
            sounds = voices[plan.copies]
            self._sounds[plan.rate] = plan, sounds
            return sounds
        sounds = np.empty((copies + sums, voices.shape[1]), np.int16)
        sounds[:copies] = voices[plan.copies]
        needed = np.zeros(copies + sums, np.bool_)
        for each in (*wanted, np.fromiter(plan.taps.values(), np.int64)):
            needed[each] = True
        chosen = np.flatnonzero(needed[copies:])
        sounds[copies + chosen] = saturate(self._room_sums(plan, voices, states, chosen))
        self._sounds[plan.rate] = plan, sounds
        return sounds

    def _room_sums(self, plan: RatePlan, voices: Pcm, states: Octets, chosen: Ints) -> mixing.Sums:
        """Sums `chosen`, unsaturated: a room's total less oneself, plus edges."""
        total = np.zeros((len(chosen), voices.shape[1]), np.int32)
        if plan.starts.size:
            talkers = self._talkers(plan, voices)
            totals = mixing.room_totals(talkers, plan.starts)
            room, own = plan.room_of[chosen], plan.own[chosen]
            inside = room < plan.starts.size
            if inside.all():
                total = totals[room]
            else:
                total[inside] = totals[room[inside]]
            speaks = own < plan.talkers.size
            if speaks.all():
                total -= talkers[own]
            else:
                total[speaks] -= talkers[own[speaks]]
        if plan.edge_sources.size:
            edges = mixing.sum_edges(
                voices, plan.edge_sources, plan.edge_sounds, plan.edge_gains, len(plan.room_of)
            )
            total += edges[chosen]
        return total

    def _talkers(self, plan: RatePlan, voices: Pcm) -> Pcm:
        """Voices as their rooms take them: at their gains, of capped rooms only the loudest."""
        talkers = voices[plan.talkers]
        if (plan.talker_gains != 1.0).any():
            talkers = saturate(np.rint(talkers * plan.talker_gains[:, None]))
        if any(plan.loudest):
            self._cap(plan, talkers)
        return talkers

    def _cap(self, plan: RatePlan, talkers: Pcm) -> None:
        floor = self._floors.setdefault(plan.rate, mixing.Floor(self._legs.capacity + 1))
        legs = np.r_[plan.legs, np.full(len(plan.players) + 1, self._legs.capacity)]
        scores = floor.feed(legs[plan.talkers], mixing.energies(talkers))
        bounds = [*plan.starts.tolist(), len(talkers)]
        for room, count in enumerate(plan.loudest):
            if count is not None:
                part = slice(bounds[room], bounds[room + 1])
                heard = mixing.loudest(scores[part], np.zeros(1, np.intp), count)
                talkers[part][~heard] = 0

    def _encode(
        self, chosen: _Chosen, sounds: Pcm, rate: int, frames: int, now: Instant, busy: Mask
    ) -> None:
        coding = chosen.coding
        codec = self._codecs[coding.codec]
        payloads, lengths = codec.encode(chosen.keys, sounds[chosen.sounds], rate)
        rows, index = coding.rows, chosen.index
        step = codec.clock_rate // 50 * frames
        timestamps, fresh = self._advance(rows, step, now)
        free = self._legs.sending[rows] & ~busy[rows]
        odd = free & (self._legs.out_frame[rows] != codec.clock_rate // 50) & codec.even
        odd |= free & (lengths[index] > MOST_OCTETS)
        plain = free & ~odd
        if np.count_nonzero(odd):
            ticks = codec.clock_rate // 50
            own = payloads[index[odd]], lengths[index[odd]]
            self._frame(rows[odd], *own, timestamps[odd], fresh[odd], ticks)
        if not plain.all():
            rows, index = rows[plain], index[plain]
            timestamps, fresh = timestamps[plain], fresh[plain]
        if len(rows):
            self._packetise(rows, payloads[index], lengths[index], timestamps, fresh)

    def _frame(
        self, rows: Ints, payloads: Octets, sizes: Ints, timestamps: Ints, fresh: Mask, ticks: int
    ) -> None:
        """Send what is due to peers that want packets of another length than a tick."""
        cuts = [
            [
                (row, cut)
                for cut in self._framing.cut(
                    row, timestamp, marker, payload[:size].tobytes(), ticks, wanted
                )
            ]
            for row, payload, size, timestamp, marker, wanted in zip(
                rows.tolist(),
                payloads,
                sizes.tolist(),
                timestamps.tolist(),
                fresh.tolist(),
                self._legs.out_frame[rows].tolist(),
                strict=True,
            )
        ]
        for due in zip_longest(*cuts):  # one packet a row at a time
            self._send_cuts([packet for packet in due if packet is not None])

    def _send_cuts(self, due: list[tuple[int, Cut]]) -> None:
        sizes = np.array([len(cut.payload) for _, cut in due])
        payloads = np.zeros((len(due), int(sizes.max())), np.uint8)
        for line, (_, cut) in zip(payloads, due, strict=True):
            line[: len(cut.payload)] = np.frombuffer(cut.payload, np.uint8)
        self._packetise(
            np.array([row for row, _ in due]),
            payloads,
            sizes,
            np.array([cut.timestamp for _, cut in due]),
            np.array([cut.marker for _, cut in due]),
        )

    def _advance(self, rows: Ints, step: int, now: Instant) -> tuple[Ints, Mask]:
        """Timestamps of this tick: by frames, but by the clock after a change of source."""
        legs = self._legs
        fresh = legs.fresh[rows]
        passed = np.full(len(rows), step, np.int64)
        if fresh.any():
            new = rows[fresh]
            elapsed = (now - legs.out_time[new]) * legs.out_clock[new]
            passed[fresh] = np.maximum(np.rint(elapsed / step).astype(np.int64), 1) * step
            legs.fresh[rows] = False
        timestamps = (legs.out_timestamp[rows] + passed) & 0xFFFFFFFF
        legs.out_timestamp[rows] = timestamps
        legs.out_time[rows] = now
        return timestamps, fresh

    def _packetise(
        self, rows: Ints, payloads: Octets, sizes: Ints, timestamps: Ints, marker: Mask
    ) -> None:
        """Lay headers and payloads into free rows of the pool, and let them leave."""
        legs, pool = self._legs, self._departures.pool
        first = self._departures.reserve(len(rows))
        at = np.arange(first, first + len(rows))
        pool.octets[first : first + len(rows), _PAYLOAD : _PAYLOAD + payloads.shape[1]] = payloads
        sequence = legs.out_next[rows]
        start = np.zeros(len(rows), np.int64)
        headers = rtp.pack_headers(
            start, marker, legs.out_type[rows], sequence, timestamps, legs.out_ssrc[rows]
        )
        rtp.write_headers(pool, at, start, headers)
        legs.out_next[rows] = sequence + 1
        legs.out_packets[rows] += 1
        legs.out_octets[rows] += sizes
        self._gate.send(rows, at, start, sizes + rtp.HEADER, self._departures)

    # Who else listens

    def sounds(self, rate: int) -> tuple[RatePlan, Pcm] | None:
        """All sounds of this tick at one rate, and the plan that numbers them for each tap."""
        return self._sounds.get(rate)

    def voices(self, rate: int) -> tuple[Ints, Pcm, Octets]:
        """Rows of the legs heard in this tick, their frames and states."""
        if rate not in self._voices:
            none = np.zeros(0, np.int64)
            return none, np.zeros((0, rate // 50), np.int16), none.astype(np.uint8)
        voices, states = self._voices[rate]
        rows = self._plans[rate].legs
        return rows, voices[: len(rows)], states[: len(rows)]


class _Chosen:
    """Which sounds of a coding are needed in this tick, after the quiet ones share theirs."""

    __slots__ = ("coding", "index", "keys", "sounds")

    def __init__(self, coding: Coding, states: Octets) -> None:
        self.coding = coding
        self.index, self.sounds = coding.index, coding.sounds
        self.keys: Sequence[Hashable] = coding.keys
        if coding.index is coding.quiet_index:
            return
        quiet = states[coding.own_voice] == SILENT
        index = np.where(quiet, coding.quiet_index, coding.index)
        used = np.zeros(len(coding.sounds), np.bool_)
        used[index] = True
        self.index = (np.cumsum(used) - 1)[index]
        self.sounds = coding.sounds[used]
        self.keys = range(len(self.sounds))  # only codecs without state share: names are nothing
