"""SRTP on a leg: every suite, both ways; nothing plain in or out."""

from __future__ import annotations

import pytest

from media import commands, rtcp
from media.srtp import Protection
from media.stream import SrtpKey, Stream
from tests.media.virtual import Rtp, VirtualEngine

SOUND = bytes(range(160))
LENGTHS = {"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AEAD_AES_128_GCM": 28}


def secure(suite: str) -> tuple[VirtualEngine, int, int, Protection]:
    engine = VirtualEngine()
    ours, theirs = (SrtpKey(suite, bytes([n]) * LENGTHS[suite]) for n in (1, 2))
    one = engine.leg(srtp_send=ours, srtp_receive=theirs)
    other = engine.leg()
    engine.bridge(one, other)
    return engine, one, other, Protection(send=theirs, receive=ours)


@pytest.mark.parametrize("suite", LENGTHS)
def test_both_ways(suite: str) -> None:
    engine, one, other, peer = secure(suite)
    for sequence in range(3):
        packet = Rtp(sequence, 160 * sequence, SOUND)
        engine.receive((one, peer.protect(packet.encode())), (other, packet))
    assert [packet.payload for packet in engine.sent_to(other)] == [SOUND] * 3
    for sent in engine.backend.sent:
        if sent.socket == 2 * engine.row(one):
            assert SOUND not in sent.data
            plain = peer.unprotect(sent.data)
            assert plain is not None
            assert Rtp.decode(plain).payload == SOUND


def test_plain_forged_and_replayed_packets_are_dropped_and_counted() -> None:
    engine, one, other, peer = secure("AEAD_AES_128_GCM")
    packet = peer.protect(Rtp(1, 0, SOUND).encode())
    engine.receive((one, Rtp(1, 0, SOUND)))
    engine.receive((one, packet[:-1] + bytes([packet[-1] ^ 1])))
    engine.receive((one, packet))
    engine.receive((one, packet))
    assert len(engine.sent_to(other)) == 1
    assert engine.stats(one).unauthentic == 3


def test_a_stranger_without_keys_is_not_latched_on_to() -> None:
    engine, one, _, _ = secure("AES_CM_128_HMAC_SHA1_80")
    keys = [SrtpKey("AES_CM_128_HMAC_SHA1_80", bytes([n]) * 30) for n in (1, 2)]
    stream = Stream(engine.peer(one), latch=True, srtp_send=keys[0], srtp_receive=keys[1])
    engine.do(commands.Connect(one, stream))
    engine.receive((one, Rtp(1, 0, SOUND)), source=("203.0.113.1", 99))
    assert engine.stats(one).remote == engine.peer(one)


def test_a_repeated_offer_with_the_same_keys_goes_on_where_it_was() -> None:
    engine, one, other, peer = secure("AEAD_AES_128_GCM")
    engine.receive((one, peer.protect(Rtp(1, 0, SOUND).encode())))
    engine.do(commands.Connect(one, engine.core.board.streams[one]))
    engine.receive((one, peer.protect(Rtp(2, 160, SOUND).encode())))
    assert len(engine.sent_to(other)) == 2


def test_rtcp_is_protected_too() -> None:
    engine, one, _, peer = secure("AES_CM_128_HMAC_SHA1_80")
    for _ in range(500):
        engine.tick()
    sent = [s.data for s in engine.backend.sent if s.socket == 2 * engine.row(one) + 1]
    plain = peer.unprotect_rtcp(sent[0])
    assert plain is not None
    assert len(rtcp.parse(plain)) == 1


@pytest.mark.parametrize(
    ("suite", "length"), [("AES_256_CM_HMAC_SHA1_80", 46), ("AEAD_AES_128_GCM", 30)]
)
def test_keys_that_fit_no_suite_are_refused_by_name(suite: str, length: int) -> None:
    with pytest.raises(ValueError, match=suite):
        SrtpKey(suite, bytes(length))
