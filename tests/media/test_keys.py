"""DTMF through the engine: told once, and passed on in the listener's own form."""

from __future__ import annotations

from typing import Any

import numpy as np

from media import commands, events
from media.dtmf import InbandDetector
from media.g711 import decode_ulaw, encode_ulaw
from media.tones import dtmf
from tests.media.virtual import Rtp, VirtualEngine

SOUND = bytes([0xFF]) * 160
WITH_EVENTS: dict[str, Any] = {"dtmf_receive_pt": 101, "dtmf_send_pt": 101}


def press(engine: VirtualEngine, leg: int, key: int = 5, lose: tuple[int, ...] = ()) -> None:
    """100 ms of a key as RFC 4733 sends it: updates, then the end three times."""
    for at in range(7):
        ticks = 160 * min(at + 1, 5)
        payload = bytes((key, 0x0A | (0x80 if at >= 4 else 0))) + ticks.to_bytes(2, "big")
        if at not in lose:
            engine.receive((leg, Rtp(10 + at, 1600, payload, payload_type=101, marker=at == 0)))
        engine.tick()


def events_in(packets: list[Rtp], payload_type: int = 101) -> list[Rtp]:
    return [packet for packet in packets if packet.payload_type == payload_type]


def test_a_relayed_key_is_told_once_and_its_packets_go_on() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(**WITH_EVENTS), engine.leg(**WITH_EVENTS)
    engine.bridge(one, other)
    press(engine, one)
    assert engine.told(events.Dtmf) == [events.Dtmf(one, "5", 100, "event")]
    assert len(events_in(engine.sent_to(other))) == 7


def test_a_key_whose_ends_are_all_lost_is_told_all_the_same() -> None:
    engine = VirtualEngine()
    one = engine.leg(**WITH_EVENTS)
    press(engine, one, lose=(0, 4, 5, 6))
    for _ in range(50):
        engine.tick()
    assert [told.digit for told in engine.told(events.Dtmf)] == ["5"]  # type: ignore[union-attr]


def test_a_listener_in_another_codec_gets_the_key_as_its_own_event() -> None:
    engine = VirtualEngine()
    one = engine.leg(**WITH_EVENTS)
    other = engine.leg(
        codec="PCMA", send_pt=8, receive_pts={8: "PCMA"}, dtmf_send_pt=97, dtmf_receive_pt=97
    )
    engine.bridge(one, other)
    press(engine, one, key=11)
    for _ in range(20):
        engine.tick()
    sent = events_in(engine.sent_to(other), 97)
    assert {packet.payload[0] for packet in sent} == {11}
    assert len({packet.timestamp for packet in sent}) == 1
    assert [packet.marker for packet in sent] == [True] + [False] * (len(sent) - 1)
    assert sum(packet.payload[1] >> 7 for packet in sent) == 3


def test_a_listener_without_events_hears_the_tones() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(**WITH_EVENTS), engine.leg()
    engine.bridge(one, other)
    press(engine, one, key=7)
    for _ in range(25):
        engine.tick()
    detector = InbandDetector(1)
    heard = [
        found
        for packet in engine.sent_to(other)
        for found in detector.feed(
            np.zeros(1, np.intp),
            decode_ulaw(np.frombuffer(packet.payload, np.uint8)).reshape(1, -1),
        )
    ]
    assert [key for _, key, _ in heard] == ["7"]


def test_a_listener_who_is_told_by_signalling_hears_no_tones() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(**WITH_EVENTS), engine.leg(tones=False)
    engine.bridge(one, other)
    press(engine, one, key=7)
    before = len(engine.sent_to(other))
    for _ in range(25):
        engine.tick()
    assert len(engine.sent_to(other)) == before


def test_sound_is_withheld_while_keys_are_sent_and_the_stream_goes_on_after() -> None:
    engine = VirtualEngine()
    one, other = engine.leg(**WITH_EVENTS), engine.leg(**WITH_EVENTS)
    engine.bridge(one, other)
    engine.do(commands.SendDtmf(other, "12", 100))
    for at in range(40):
        engine.receive((one, Rtp(at, 160 * at, SOUND)))
        engine.tick()
    sent = engine.sent_to(other)
    numbers = [packet.sequence for packet in sent]
    assert [(n - numbers[0]) % 0x10000 for n in numbers] == list(range(len(sent)))
    kinds = [packet.payload_type for packet in sent]
    assert kinds[-5:] == [0] * 5
    pressed = events_in(sent)
    assert [packet.payload[0] for packet in pressed if packet.marker] == [1, 2]


def test_tones_in_the_sound_are_told_when_they_are_listened_for() -> None:
    engine = VirtualEngine()
    one = engine.leg()
    engine.do(commands.Detect(one, dtmf_inband=True))
    sound = np.concatenate(
        [np.zeros(1600, np.int16), dtmf("9", 100, 8000), np.zeros(3200, np.int16)]
    )
    for at in range(len(sound) // 160):
        payload = encode_ulaw(sound[160 * at : 160 * at + 160]).tobytes()
        engine.receive((one, Rtp(at, 160 * at, payload)))
        engine.tick()
    assert [(told.digit, told.by) for told in engine.told(events.Dtmf)] == [("9", "inband")]  # type: ignore[union-attr]
