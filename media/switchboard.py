"""Joins listeners to what they hear: turns the graph into relays and into plans for the mixer.

Knows rows, streams and codecs' rates; touches no packet and no sample.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from media.codecs import Codec
from media.graph import Graph, only_source
from media.legs import AUDIO, CODEC_NUMBER, COMFORT, COMFORT_NOISE_TYPE, EVENT, NOWHERE, Legs
from media.plan import RATES, Compiler, Ear, RatePlan, RoomShape, rate_of
from media.stream import Stream


def codec_name(stream: Stream, name: str) -> str:
    """Key of a codec; linear PCM has one for each rate."""
    name = name.upper()
    return f"L16/{stream.clock_rate}" if name == "L16" and stream.clock_rate > 8000 else name


class Switchboard:
    """The graph and all that is needed to carry it out."""

    def __init__(self, legs: Legs, codecs: Mapping[str, Codec]) -> None:
        self.graph = Graph()
        self.rows: dict[int, int] = {}
        self.streams: dict[int, Stream] = {}
        self.rooms: dict[int, RoomShape] = {}
        self.players: set[int] = set()
        self.pressing: dict[int, int] = {}
        """Legs that are being sent keys: the player of the tones, or 0 where events are sent."""
        self.taps: dict[int, tuple[int, dict[int, float]]] = {}
        """Listeners that are no legs: their rate and whom they hear."""
        self.watched: set[int] = set()
        """Legs whose sound is watched at 8 kHz, whoever hears them."""
        self._legs, self._codecs = legs, codecs
        self._serving: dict[int, object] = {}

    def compile(self) -> dict[int, RatePlan] | None:
        """Set the relays; return the mixer's plans, or None if nothing changed."""
        if not self.graph.changed:
            return None
        self.graph.changed = False
        self._legs.relay_to[:] = -1
        self._legs.flows[:] = False
        self._legs.relay_types[:] = NOWHERE
        serving: dict[int, object] = {}
        ears: dict[int, list[Ear]] = {rate: [] for rate in RATES}
        native = self._native_rates()
        for leg in self.rows:
            heard = self.heard_by(leg)
            if leg not in self.streams or not (heard or leg in self.pressing):
                continue
            source = self._relayed(leg, heard)
            if source:
                self._relay(source, leg)
                serving[leg] = source
            else:
                ear = self._ear(leg)
                rate = min(ear.rate, rate_of(heard, self.graph, self.rooms, native))
                ears[rate].append(ear if rate == ear.rate else ear._replace(stateful=True))
                serving[leg] = frozenset(heard.items())
        self._note_changes(serving)
        return self._plans(ears)

    def heard_by(self, listener: int) -> Mapping[int, float]:
        """The listener's hearing, or the tones of the keys that are being sent to it."""
        tone = self.pressing.get(listener)
        return {tone: 1.0} if tone else self.graph.heard_by(listener)

    def listeners_of(self, source: int) -> list[int]:
        """Legs that hear the leg `source` itself, not through a room."""
        return [leg for leg in self.rows if source in self.graph.heard_by(leg)]

    def relays(self, source: int, listener: int) -> bool:
        """Whether `listener` gets the packets of `source` as they come."""
        return int(self._legs.relay_to[self.rows[source]]) == self.rows[listener]

    def _native_rates(self) -> dict[int, int]:
        rates = {
            leg: self._codecs[codec_name(stream, stream.codec)].sample_rate
            for leg, stream in self.streams.items()
        }
        return rates | dict.fromkeys(self.players, RATES[-1])

    def _ear(self, leg: int) -> Ear:
        stream = self.streams[leg]
        name = codec_name(stream, stream.codec)
        codec = self._codecs[name]
        return Ear(leg, self.rows[leg], name, codec.sample_rate, codec.stateful)

    def _relayed(self, listener: int, heard: Mapping[int, float]) -> int:
        """The leg whose packets suit `listener` as they are, or 0."""
        source = only_source(heard, self.rows)
        if not source or listener in self.pressing or source not in self.streams:
            return 0
        said, wanted = self.streams[source], self.streams[listener]
        row = self.rows[source]
        spoken = int(self._legs.in_codec[row])
        suits = (
            spoken == AUDIO + CODEC_NUMBER[codec_name(wanted, wanted.codec)]
            and said.clock_rate == wanted.clock_rate
            and said.ptime == wanted.ptime
            and self._legs.relay_to[row] < 0
        )
        return source if suits else 0

    def _relay(self, source: int, listener: int) -> None:
        legs = self._legs
        row, to = self.rows[source], self.rows[listener]
        legs.relay_to[row] = to
        legs.flows[row] = legs.receiving[row] and legs.sending[to]
        kinds, types = legs.kinds[row], legs.relay_types[row]
        types[kinds == legs.in_codec[row]] = legs.out_type[to]
        if legs.out_event_type[to] >= 0:
            types[kinds == EVENT] = legs.out_event_type[to]
        types[kinds == COMFORT] = COMFORT_NOISE_TYPE

    def _note_changes(self, serving: dict[int, object]) -> None:
        """A listener whose source is another than before gets a marker and fresh shifts."""
        for leg, served in serving.items():
            if self._serving.get(leg) != served:
                self._legs.fresh[self.rows[leg]] = True
        self._serving = serving

    def _plans(self, ears: Mapping[int, list[Ear]]) -> dict[int, RatePlan]:
        plans: dict[int, RatePlan] = {}
        for rate in RATES:
            taps = {tap: heard for tap, (at, heard) in self.taps.items() if at == rate}
            watched = [leg for leg in self.watched if leg in self.rows] if rate == 8000 else []
            if ears[rate] or taps or watched:
                compiler = Compiler(rate, self, self.rows, self.rooms, self.players)
                plans[rate] = compiler.plan(ears[rate], taps, watched)
        return plans


def agree_types(legs: Legs, row: int, stream: Stream) -> None:
    """Lay down what the payload types of a leg mean, both ways."""
    legs.kinds[row] = 0
    legs.kinds[row, COMFORT_NOISE_TYPE] = COMFORT
    for payload_type, name in stream.receive_pts.items():
        legs.kinds[row, payload_type] = AUDIO + CODEC_NUMBER[codec_name(stream, name)]
    if stream.dtmf_receive_pt is not None:
        legs.kinds[row, stream.dtmf_receive_pt] = EVENT
    legs.in_clock[row] = legs.out_clock[row] = stream.clock_rate
    legs.out_frame[row] = round(stream.ptime * stream.clock_rate)
    legs.out_type[row] = stream.send_pt
    legs.out_event_type[row] = -1 if stream.dtmf_send_pt is None else stream.dtmf_send_pt
    spoken = np.unique(legs.kinds[row])
    if legs.in_codec[row] not in spoken[spoken >= AUDIO]:
        legs.in_codec[row] = AUDIO + CODEC_NUMBER[codec_name(stream, stream.codec)]
