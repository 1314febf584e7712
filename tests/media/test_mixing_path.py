"""The mixed path: tones go in, and are found, or proved absent, in what each listener gets."""

from __future__ import annotations

import numpy as np
import pytest

from media import commands
from media.codecs import make_codecs
from media.items import Tone
from media.pcm import Pcm
from tests.media.sounds import level_db, share, tone
from tests.media.test_relay import assert_continuous
from tests.media.virtual import Rtp, VirtualEngine

TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9, "OPUS": 111}
PRESENT, ABSENT = 0.05, 0.001


class Phones:
    """Legs that send tones and listen, each in its codec."""

    def __init__(self, engine: VirtualEngine) -> None:
        self.engine, self._codecs = engine, make_codecs()
        self._sounds: dict[int, tuple[str, Pcm]] = {}
        self._codec: dict[int, str] = {}

    def add(self, codec: str = "PCMU", frequency: float = 0.0) -> int:
        """A leg; it sends a tone if a frequency is given."""
        number = TYPES[codec]
        clock = self._codecs[codec].clock_rate
        leg = self.engine.leg(
            codec=codec, clock_rate=clock, send_pt=number, receive_pts={number: codec}
        )
        self._codec[leg] = codec
        if frequency:
            rate = self._codecs[codec].sample_rate
            self._sounds[leg] = codec, tone(frequency, rate, 3.0, 5000)
        return leg

    def talk(self, frames: int, first: int = 0) -> None:
        """Everybody sends `frames` of 20 ms, a tick after each."""
        for at in range(first, first + frames):
            packets = [(leg, self._packet(leg, at)) for leg in self._sounds]
            if packets:
                self.engine.receive(*packets)
            self.engine.tick()

    def _packet(self, leg: int, at: int) -> Rtp:
        name, sound = self._sounds[leg]
        codec = self._codecs[name]
        samples = codec.sample_rate // 50
        frame = sound[at * samples : (at + 1) * samples].reshape(1, -1)
        payloads, lengths = codec.encode([leg], frame)
        payload = payloads[0, : lengths[0]].tobytes()
        return Rtp(at, at * codec.clock_rate // 50, payload, TYPES[name])

    def heard(self, leg: int, rate: int = 8000) -> Pcm:
        """What the leg's phone plays, without the first half second."""
        codec = self._codecs[self._codec[leg]]
        frames = []
        for packet in self.engine.sent_to(leg):
            payload = np.frombuffer(packet.payload, np.uint8).reshape(1, -1)
            sound, samples = codec.decode([leg], payload, np.array([payload.shape[1]]), rate)
            frames.append(sound[0, : samples[0]])
        return np.concatenate(frames)[rate // 2 :]


@pytest.fixture
def phones() -> Phones:
    return Phones(VirtualEngine(rows=32))


CODECS = ("PCMU", "PCMA", "G722", "OPUS")


@pytest.mark.parametrize("one", CODECS)
@pytest.mark.parametrize("other", CODECS)
def test_any_codec_to_any(phones: Phones, one: str, other: str) -> None:
    first, second = phones.add(one, 440), phones.add(other, 1000)
    phones.engine.bridge(first, second)
    phones.talk(75)
    assert share(phones.heard(first), 1000) > 0.9
    assert share(phones.heard(second), 440) > 0.9


def test_in_a_room_nobody_hears_himself(phones: Phones) -> None:
    tones = {phones.add(frequency=f): f for f in (440, 1000, 1700, 2500)}
    room = phones.engine.number()
    phones.engine.do(commands.MakeRoom(room, 0, None))
    phones.engine.hear(room, *tones)
    for leg in tones:
        phones.engine.hear(leg, room)
    phones.talk(75)
    for leg, own in tones.items():
        heard = phones.heard(leg)
        assert share(heard, own) < ABSENT
        assert all(share(heard, other) > PRESENT for other in tones.values() if other != own)


def test_a_room_mixes_codecs_and_rates(phones: Phones) -> None:
    narrow, wide = phones.add("PCMA", 440), phones.add("G722", 1000)
    listener = phones.add("OPUS")
    room = phones.engine.number()
    phones.engine.do(commands.MakeRoom(room, 0, None))
    phones.engine.hear(room, narrow, wide)
    for leg in (narrow, wide, listener):
        phones.engine.hear(leg, room)
    phones.talk(75)
    assert share(phones.heard(narrow), 1000) > 0.9
    assert share(phones.heard(wide), 440) > 0.9
    heard = phones.heard(listener)
    assert share(heard, 440) > PRESENT
    assert share(heard, 1000) > PRESENT


def test_whisper_is_heard_by_the_agent_alone(phones: Phones) -> None:
    caller, agent, coach = (
        phones.add(frequency=440),
        phones.add(frequency=1000),
        phones.add(frequency=1700),
    )
    phones.engine.hear(caller, agent)
    phones.engine.hear(agent, caller, coach)
    phones.engine.hear(coach, caller, agent)
    phones.talk(75)
    assert share(phones.heard(caller), 1700) < ABSENT
    assert share(phones.heard(agent), 1700) > PRESENT
    assert share(phones.heard(coach), 440) > PRESENT
    assert share(phones.heard(coach), 1700) < ABSENT


def test_a_monitor_hears_both_and_is_heard_by_none_until_he_barges_in(phones: Phones) -> None:
    caller, agent, monitor = (phones.add(frequency=f) for f in (440, 1000, 1700))
    engine = phones.engine
    engine.bridge(caller, agent)
    engine.hear(monitor, caller, agent)
    phones.talk(75)
    for leg, other in ((caller, 1000), (agent, 440)):
        assert share(phones.heard(leg), other) > 0.9
        assert share(phones.heard(leg), 1700) < ABSENT
    assert all(share(phones.heard(monitor), f) > PRESENT for f in (440, 1000))
    engine.hear(caller, agent, monitor)
    engine.hear(agent, caller, monitor)
    phones.talk(75, first=75)
    for leg, other in ((caller, 1000), (agent, 440)):
        later = phones.heard(leg)[-8000:]
        assert all(share(later, f) > PRESENT for f in (other, 1700))
        assert_continuous(engine.sent_to(leg))


def test_the_mute_are_not_heard_and_the_deaf_do_not_hear(phones: Phones) -> None:
    loud, mute, deaf = (phones.add(frequency=f) for f in (440, 1000, 1700))
    room = phones.engine.number()
    phones.engine.do(commands.MakeRoom(room, 0, None))
    phones.engine.do(commands.Hear(room, {loud: 1.0, mute: 0.0, deaf: 1.0}))
    for leg in (loud, mute):
        phones.engine.hear(leg, room)
    phones.talk(75)
    assert share(phones.heard(loud), 1700) > 0.9
    assert share(phones.heard(loud), 1000) < ABSENT
    assert all(share(phones.heard(mute), f) > PRESENT for f in (440, 1700))
    assert phones.engine.sent_to(deaf) == []


@pytest.mark.parametrize("listener", ["PCMU", "PCMA"])
def test_comfort_noise_is_passed_on_or_made(phones: Phones, listener: str) -> None:
    """RFC 3389: relayed as it is; where sound is mixed, noise of that level is heard instead."""
    speaker, other = phones.add(frequency=440), phones.add(listener)
    phones.engine.hear(other, speaker)
    phones.talk(20)
    phones.engine.receive((speaker, Rtp(20, 20 * 160, bytes([50]), 13)))
    for _ in range(60):
        phones.engine.tick()
    sent = phones.engine.sent_to(other)
    if listener == "PCMU":
        assert (sent[-1].payload_type, sent[-1].payload) == (13, bytes([50]))
        assert len(sent) == 21
    else:
        assert level_db(phones.heard(other)[-4000:]) == pytest.approx(-50, abs=2)
    stats = phones.engine.stats(speaker)
    assert (stats.invalid, stats.lost) == (0, 0)


def test_late_duplicate_reordered_and_absurd_packets_are_counted(phones: Phones) -> None:
    speaker, other = phones.add(frequency=440), phones.add("PCMA")
    engine = phones.engine
    engine.hear(other, speaker)
    phones.talk(20)
    sound = bytes(160)
    for number, timestamp in ((21, 21), (20, 20), (21, 21), (22, 5000), (23, 4), (24, 24)):
        engine.receive((speaker, Rtp(number, 160 * timestamp, sound)))
    engine.tick()
    stats = engine.stats(speaker)
    assert (stats.duplicate, stats.reordered) == (1, 1)
    assert (stats.absurd, stats.late) == (1, 1)


def test_a_gain_of_a_quarter_is_twelve_decibels(phones: Phones) -> None:
    speaker, loud, quiet = phones.add(frequency=440), phones.add("PCMA"), phones.add("PCMA")
    phones.engine.hear(loud, speaker)
    phones.engine.do(commands.Hear(quiet, {speaker: 0.25}))
    phones.talk(75)
    ratio = np.std(phones.heard(loud)) / np.std(phones.heard(quiet))
    assert ratio == pytest.approx(4, rel=0.05)


def test_only_the_loudest_are_let_through(phones: Phones) -> None:
    loud, soft = phones.add(frequency=440), phones.add(frequency=1000)
    room, listener = phones.engine.number(), phones.add()
    phones.engine.do(commands.MakeRoom(room, 0, 1))
    phones.engine.do(commands.Hear(room, {loud: 1.0, soft: 0.2}))
    phones.engine.hear(listener, room)
    phones.talk(75)
    assert share(phones.heard(listener), 440) > 0.9
    assert share(phones.heard(listener), 1000) < ABSENT


def test_all_listeners_of_a_player_get_the_same_octets(phones: Phones) -> None:
    player = phones.engine.number()
    phones.engine.do(commands.Play(player, (Tone((440.0,)),), loop=True, shared=True))
    listeners = [phones.add("G722") for _ in range(3)]
    for leg in listeners:
        phones.engine.hear(leg, player)
    phones.talk(75)
    payloads = [[p.payload for p in phones.engine.sent_to(leg)] for leg in listeners]
    assert payloads[0] == payloads[1] == payloads[2]
    assert share(phones.heard(listeners[0]), 440) > 0.9


def test_a_change_is_heard_within_one_tick(phones: Phones) -> None:
    player = phones.engine.number()
    phones.engine.do(commands.Play(player, (Tone((440.0,)),), loop=True, shared=True))
    listener = phones.add()
    phones.engine.tick()
    phones.engine.hear(listener, player)
    phones.engine.tick()
    assert len(phones.engine.sent_to(listener)) == 1


def test_a_held_up_engine_makes_up_for_five_frames_and_skips_the_rest(phones: Phones) -> None:
    speaker, listener = phones.add(frequency=440), phones.add("PCMA")
    phones.engine.hear(listener, speaker)
    phones.talk(10)
    before = phones.engine.sent_to(listener)[-1]
    phones.engine.tick(frames=20)
    after = phones.engine.sent_to(listener)[10:]
    assert len(after) == 5
    assert (after[-1].timestamp - before.timestamp) % 2**32 == 20 * 160
