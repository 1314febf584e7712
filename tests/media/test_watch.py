"""Voice, silence and lost peers, and what is written to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from media import commands, events
from media.detection import FEATURES
from media.g711 import encode_ulaw
from media.items import Tone
from media.pcm import Pcm
from tests.media.sounds import share, tone
from tests.media.virtual import Rtp, VirtualEngine


def speak(
    engine: VirtualEngine, frequencies: dict[int, float], frames: int, first: int = 0
) -> None:
    """Each leg sends its tone; frequency 0 is silence."""
    for at in range(first, first + frames):
        packets = []
        for leg, frequency in frequencies.items():
            sound = tone(frequency, 8000, 5.0, 6000)[160 * at : 160 * at + 160]
            packets.append((leg, Rtp(at, 160 * at, encode_ulaw(sound).tobytes())))
        engine.receive(*packets)
        engine.tick()


def test_silence_is_told_after_its_time() -> None:
    engine = VirtualEngine()
    leg = engine.leg()
    engine.do(commands.Detect(leg, silence=1.0, voice=True))
    speak(engine, {leg: 440.0}, 50)
    assert engine.told(events.Silent) == []
    assert engine.told(events.Spoke) == [events.Spoke(leg, True)]
    speak(engine, {leg: 0.0}, 80, first=50)
    assert engine.told(events.Silent) == [events.Silent(leg, 1.0)]
    assert engine.told(events.Spoke)[-1] == events.Spoke(leg, False)


def test_a_lost_peer_is_told_once_until_it_comes_back() -> None:
    engine = VirtualEngine()
    leg = engine.leg()
    engine.do(commands.Detect(leg, starved=1.0))
    speak(engine, {leg: 440.0}, 10)
    for _ in range(100):
        engine.tick()
    assert engine.told(events.Starved) == [events.Starved(leg, 1.0)]
    speak(engine, {leg: 440.0}, 2, first=10)
    for _ in range(60):
        engine.tick()
    assert len(engine.told(events.Starved)) == 2


def test_a_relayed_call_is_recorded_each_side_in_its_channel(tmp_path: Path) -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    engine.bridge(one, other)
    path = tmp_path / "call.wav"
    recorder = engine.number()
    engine.do(commands.Record(recorder, str(path), one, other, 8000, True, "wav"))
    speak(engine, {one: 440.0, other: 1000.0}, 100)
    engine.do(commands.Close(recorder))
    engine.core.close()
    engine.tick()
    (told,) = engine.told(events.Recorded)
    assert told == events.Recorded(recorder, str(path), 2.0, None)
    sound, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    assert share(sound[4000:, 0], 440) > 0.95
    assert share(sound[4000:, 1], 1000) > 0.95
    relayed = [packet.payload for packet in engine.sent_to(other)]
    assert len(relayed) == 100


def test_a_room_is_recorded_whole(tmp_path: Path) -> None:
    engine = VirtualEngine()
    one, other = engine.leg(), engine.leg()
    room, recorder = engine.number(), engine.number()
    engine.do(commands.MakeRoom(room, 0, None))
    engine.hear(room, one, other)
    path = tmp_path / "room.wav"
    engine.do(commands.Record(recorder, str(path), room, None, 16000, False, "wav"))
    speak(engine, {one: 440.0, other: 1000.0}, 100)
    engine.do(commands.Close(recorder))
    engine.core.close()
    sound, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    assert share(sound[8000:], 440, rate) > 0.2
    assert share(sound[8000:], 1000, rate) > 0.2


def test_a_player_that_ends_is_told() -> None:
    engine = VirtualEngine()
    leg, player = engine.leg(), engine.number()
    engine.do(commands.Play(player, (Tone((440.0,), ms=100),), loop=False, shared=False))
    engine.hear(leg, player)
    for _ in range(10):
        engine.tick()
    assert engine.told(events.Played) == [events.Played(player)]
    loud = [np.frombuffer(p.payload, np.uint8).std() > 1 for p in engine.sent_to(leg)]
    assert sum(loud) == 5


def call_a_machine(sound: dict[int, Pcm], engine: VirtualEngine) -> None:
    """Each leg sends its sound, then a second of silence."""
    length = max(map(len, sound.values())) + 8000
    padded = {
        leg: np.append(pcm, np.zeros(length - len(pcm), np.int16)) for leg, pcm in sound.items()
    }
    for at in range(length // 160):
        payloads = {leg: encode_ulaw(pcm[160 * at :][:160]) for leg, pcm in padded.items()}
        engine.receive(
            *((leg, Rtp(at, 160 * at, octets.tobytes())) for leg, octets in payloads.items())
        )
        engine.tick()


def test_a_fax_calling_one_answering_and_a_beep_are_told_by_name() -> None:
    """T.30: 1100 Hz for half a second calls, 2100 Hz for three seconds answers."""
    engine = VirtualEngine()
    calling, answering, box, person = (engine.leg() for _ in range(4))
    for leg in (calling, answering, box, person):
        engine.do(commands.Detect(leg, signals=True))
    sounds = {
        calling: tone(1100, seconds=0.5, level=6000),
        answering: tone(2100, seconds=3.0, level=6000),
        box: tone(1000, seconds=0.4, level=6000),
        person: np.asarray(np.random.default_rng(1).normal(0, 3000, 8000), np.int16),
    }
    call_a_machine(sounds, engine)
    told = {event.leg: event for event in engine.log if isinstance(event, events.Signal)}
    assert len(told) == len(engine.told(events.Signal)) == 3
    assert {leg: event.name for leg, event in told.items()} == {
        calling: "cng",
        answering: "ced",
        box: "beep",
    }
    assert abs(told[box].ms - 400) <= 40


def test_a_classifier_is_told_how_each_frame_sounded_in_order() -> None:
    engine = VirtualEngine()
    leg, unwatched = engine.leg(), engine.leg()
    engine.do(commands.Detect(leg, voice=True, signals=True, features=True))
    sound = np.concatenate([tone(1000, seconds=0.4, level=6000), np.zeros(1600, np.int16)])
    call_a_machine({leg: sound, unwatched: sound}, engine)
    frames = 0
    for event in engine.log:
        assert isinstance(event, events.Features | events.Spoke | events.Signal)
        assert event.leg == leg
        if isinstance(event, events.Features):
            frames += len(event.vectors)
    vectors = [
        v for event in engine.log if isinstance(event, events.Features) for v in event.vectors
    ]
    peaks = [dict(zip(FEATURES, vector, strict=True))["peak"] for vector in vectors]
    loud = [vector[FEATURES.index("level")] > -30 for vector in vectors]
    assert sum(loud) == 20
    assert all(abs(peak - 1000) < 6 for peak, is_loud in zip(peaks, loud, strict=True) if is_loud)
    engine.tick()
    engine.do(commands.Close(leg))
    rest, closed = engine.log[-2:]
    assert isinstance(rest, events.Features)
    assert isinstance(closed, events.Closed)
    assert len(rest.vectors) == (frames + 1) % 10
