"""Whom a leg believes: its peer, whoever that turns out to be, and no stranger."""

from __future__ import annotations

from typing import Any

from media import commands, events
from media.stream import Stream
from media.types import Address
from tests.media.virtual import Rtp, VirtualEngine

NAT: Address = ("198.51.100.7", 4000)
STRANGER: Address = ("203.0.113.66", 6666)
SOUND = bytes(160)


def bridged(**agreed: Any) -> tuple[VirtualEngine, int, int]:
    engine = VirtualEngine()
    one, other = engine.leg(**agreed), engine.leg()
    engine.bridge(one, other)
    return engine, one, other


def test_without_nat_only_the_signalled_address_is_heard() -> None:
    engine, one, other = bridged()
    engine.receive((one, Rtp(1, 0, SOUND)), source=STRANGER)
    assert engine.sent_to(other) == []
    engine.receive((one, Rtp(1, 0, SOUND)))
    assert len(engine.sent_to(other)) == 1
    assert engine.stats(one).bleed == 1


def test_with_nat_the_first_source_in_the_window_wins() -> None:
    engine, one, other = bridged(latch=True)
    engine.receive((one, Rtp(1, 0, SOUND)), source=NAT)
    engine.receive((one, Rtp(1, 0, SOUND)), source=STRANGER)
    engine.receive((other, Rtp(1, 0, SOUND)))
    assert engine.told(events.SourceChanged) == [events.SourceChanged(one, NAT)]
    assert len(engine.sent_to(other)) == 1
    assert engine.backend.sent[-1].to == NAT
    assert engine.stats(one).bleed == 1


def test_the_signalled_address_outranks_a_source_found_in_the_window() -> None:
    engine, one, _ = bridged(latch=True)
    engine.receive((one, Rtp(1, 0, SOUND)), source=STRANGER)
    engine.receive((one, Rtp(1, 0, SOUND, ssrc=9)))
    assert engine.told(events.SourceChanged)[-1] == events.SourceChanged(one, engine.peer(one))


def test_after_the_window_nobody_is_latched_on_to() -> None:
    engine, one, other = bridged(latch=True)
    engine.now += engine.settings.latch_window + 0.1
    engine.receive((one, Rtp(1, 0, SOUND)), source=NAT)
    assert engine.sent_to(other) == []


def test_what_is_not_agreed_rtp_wins_nothing() -> None:
    engine, one, _ = bridged(latch=True)
    engine.receive((one, Rtp(1, 0, SOUND, payload_type=77)), source=STRANGER)
    engine.receive((one, b"\x00\x01" + bytes(18)), source=STRANGER)
    engine.receive((one, b""), source=STRANGER)
    assert engine.told(events.SourceChanged) == []


def test_it_moves_when_the_old_source_is_proven_silent() -> None:
    engine, one, _ = bridged(latch=True)
    engine.receive((one, Rtp(1, 0, SOUND)), source=NAT)
    engine.now += engine.settings.latch_window + 1
    engine.receive((one, Rtp(2, 0, SOUND)), source=NAT)
    engine.now += engine.settings.source_silence - 0.1
    engine.receive((one, Rtp(1, 0, SOUND)), source=STRANGER)
    assert len(engine.told(events.SourceChanged)) == 1
    engine.now += 0.2
    engine.receive((one, Rtp(1, 0, SOUND)), source=STRANGER)
    assert engine.told(events.SourceChanged)[-1] == events.SourceChanged(one, STRANGER)


def test_a_new_offer_opens_the_window_again_and_keeps_sending_meanwhile() -> None:
    engine, one, other = bridged(latch=True)
    engine.receive((one, Rtp(1, 0, SOUND)), source=NAT)
    engine.now += 60
    engine.receive((one, Rtp(2, 0, SOUND)), source=NAT)
    engine.do(commands.Connect(one, Stream(engine.peer(one), latch=True)))
    engine.receive((other, Rtp(1, 0, SOUND)))
    assert engine.backend.sent[-1].to == NAT
    elsewhere = ("198.51.100.7", 4002)
    engine.receive((one, Rtp(1, 0, SOUND, ssrc=5)), source=elsewhere)
    assert engine.told(events.SourceChanged)[-1] == events.SourceChanged(one, elsewhere)


def test_port_zero_is_sent_nothing() -> None:
    engine, one, other = bridged()
    engine.do(commands.Connect(other, Stream(("192.0.2.9", 0))))
    engine.receive((one, Rtp(1, 0, SOUND)))
    assert engine.sent_to(other) == []


def test_an_ipv6_peer_is_told_from_an_ipv6_stranger() -> None:
    engine = VirtualEngine()
    engine.sockets.ipv6 = True
    peer: Address = ("2001:db8::1", 4000)
    one, other = engine.leg(Stream(peer)), engine.leg()
    engine.bridge(one, other)
    engine.receive((one, Rtp(1, 0, SOUND)), source=("2001:db8::2", 4000))
    engine.receive((one, Rtp(1, 0, SOUND)), source=("2001:db8::1", 4002))
    engine.receive((one, Rtp(1, 0, SOUND)), source=("192.0.2.1", 4000))
    assert engine.sent_to(other) == []
    engine.receive((one, Rtp(1, 0, SOUND)), source=peer)
    assert len(engine.sent_to(other)) == 1
