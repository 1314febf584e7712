"""Voice, silence and lost peers, and what is written to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from media import commands, events
from media.g711 import encode_ulaw
from media.items import Tone
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
