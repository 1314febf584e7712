"""Joins listeners to what they hear: turns the graph into relays and into plans for the mixer.

Knows rows, streams and codecs' rates; touches no packet and no sample.
"""

from __future__ import annotations

from collections.abc import Mapping

from media.codecs import Codec
from media.graph import Graph, only_source
from media.legs import AUDIO, CODEC_NUMBER, COMFORT, COMFORT_NOISE_TYPE, EVENT, NOWHERE, Legs
from media.plan import RATES, Compiler, Ear, RatePlan, RoomShape
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
        self.plans: dict[int, RatePlan] = {}
        """What the mixer is to do, by rate."""
        self.replan = False
        """Whether mixed listeners, taps or the legs that are watched are others than before."""
        self._legs, self._codecs = legs, codecs
        self._relays: dict[int, tuple[int, int]] = {}
        """By listener: the leg whose packets it gets, and that leg's row."""
        self._ears: dict[int, tuple[int, Ear]] = {}
        """By mixed listener: the rate it is served at, and how."""
        self._serving: dict[int, object] = {}
        self._room_rates: dict[int, int] = {}
        """The highest that its members have, or what its shape says."""

    def watch(self, leg: int, needed: bool) -> None:
        """Whether the leg's sound is watched from now on."""
        if needed != (leg in self.watched):
            self.watched ^= {leg}
            self.replan = True

    def compile(self, *, plan: bool = True) -> bool:
        """Set the relays and plans to the graph as it is now; whether anything was touched.

        Without `plan` the plans may stay as they are until the next time.
        """
        touched, self.graph.touched = self.graph.touched, set()
        if not touched and not (plan and self.replan):
            return False
        rooms = self.graph.concerned(touched) & self.rooms.keys()
        listeners = self._concerned(touched - rooms | self._weigh(touched, rooms))
        mixed = {leg: self._ears.pop(leg) for leg in listeners if leg in self._ears}
        for leg in listeners:
            self._end_relay(leg)
        for leg in listeners:
            if leg in self.rows:
                self._serve(leg)
            else:
                self._serving.pop(leg, None)
        mixes = any(leg in self._ears for leg in listeners)
        changed = mixed or mixes or rooms or not touched.isdisjoint(self._overheard())
        self.replan = self.replan or bool(changed)
        if plan and self.replan:
            self.plans = self._make_plans()
            self.replan = False
        return True

    def _weigh(self, touched: set[int], rooms: set[int]) -> set[int]:
        """Find the rates of `rooms` anew; those whose rate is another than before.

        The listeners of others are served as they were, by a new plan: in a large room somebody
        comes or goes all the time.
        """
        for room in (touched & self._room_rates.keys()) - self.rooms.keys():
            del self._room_rates[room]
        changed = set()
        for room in rooms:
            members = self.graph.heard_by(room)
            rate = self.rooms[room].rate or max(map(self._native_rate, members), default=0)
            if self._room_rates.get(room) != rate:
                self._room_rates[room] = rate
                changed.add(room)
        return changed

    def _concerned(self, touched: set[int]) -> list[int]:
        """Legs that may be served otherwise now, in the order in which they were opened: those
        that were touched or hear what was, and who competes with them for a source's packets."""
        listeners = self.graph.concerned(touched)
        for leg in tuple(listeners):
            for source in (*self.graph.heard_by(leg), *self._relays.get(leg, ())[:1]):
                if source in self.rows:
                    listeners |= self.graph.listeners_of(source)
        return sorted(listeners - self.rooms.keys())

    def _overheard(self) -> set[int]:
        """Whose sound is needed though no leg may hear it."""
        sources = {source for _, heard in self.taps.values() for source in heard}
        members = (self.graph.heard_by(room) for room in sources & self.rooms.keys())
        return self.watched | sources.union(*members)

    def _serve(self, leg: int) -> None:
        """Find out how the leg gets what it hears."""
        heard = self.heard_by(leg)
        if leg not in self.streams or not (heard or leg in self.pressing):
            self._serving.pop(leg, None)
            return
        source = self._relayed(leg, heard)
        if source:
            self._relay(source, leg)
            self._note(leg, source)
            return
        ear = self._ear(leg)
        rate = min(ear.rate, max(map(self._rate, heard), default=0) or RATES[0])
        self._ears[leg] = rate, ear if rate == ear.rate else ear._replace(stateful=True)
        self._note(leg, frozenset(heard.items()))

    def _note(self, leg: int, served: object) -> None:
        """A listener whose source is another than before gets a marker and fresh shifts."""
        if self._serving.get(leg) != served:
            self._legs.fresh[self.rows[leg]] = True
            self._serving[leg] = served

    def heard_by(self, listener: int) -> Mapping[int, float]:
        """The listener's hearing, or the tones of the keys that are being sent to it."""
        tone = self.pressing.get(listener)
        return {tone: 1.0} if tone else self.graph.heard_by(listener)

    def listeners_of(self, source: int) -> list[int]:
        """Legs that hear the leg `source` itself, not through a room."""
        return sorted(self.graph.listeners_of(source) & self.rows.keys())

    def relays(self, source: int, listener: int) -> bool:
        """Whether `listener` gets the packets of `source` as they come."""
        return int(self._legs.relay_to[self.rows[source]]) == self.rows[listener]

    def _rate(self, source: int) -> int:
        rate = self._room_rates.get(source)
        return self._native_rate(source) if rate is None else rate

    def _native_rate(self, source: int) -> int:
        """Highest rate that the source's sound has; 0 where there is none."""
        stream = self.streams.get(source)
        if stream is None:
            return RATES[-1] if source in self.players else 0
        return self._codecs[codec_name(stream, stream.codec)].sample_rate

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

    def _end_relay(self, listener: int) -> None:
        relay = self._relays.pop(listener, None)
        if relay is not None:
            _, row = relay
            self._legs.relay_to[row] = -1
            self._legs.flows[row] = False
            self._legs.relay_types[row] = NOWHERE

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
        self._relays[listener] = source, row

    def _make_plans(self) -> dict[int, RatePlan]:
        ears: dict[int, list[Ear]] = {rate: [] for rate in RATES}
        for leg in sorted(self._ears):
            rate, ear = self._ears[leg]
            ears[rate].append(ear)
        plans: dict[int, RatePlan] = {}
        for rate in RATES:
            taps = {tap: heard for tap, (at, heard) in self.taps.items() if at == rate}
            watched = sorted(self.watched) if rate == 8000 else []
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
    if legs.in_codec[row] < AUDIO or legs.in_codec[row] not in legs.kinds[row]:
        legs.in_codec[row] = AUDIO + CODEC_NUMBER[codec_name(stream, stream.codec)]
