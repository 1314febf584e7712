"""What one leg must remember from offer to offer (RFC 3264 §8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softswitch.sdp import (
    OPUS,
    PCMA,
    PCMU,
    Direction,
    LocalMedia,
    Negotiation,
    NotAcceptable,
    SdpError,
    SessionDescription,
)

LOCAL = LocalMedia("192.0.2.1", 16384, codecs=(PCMA, PCMU))
HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


def version(body: bytes) -> int:
    return int(SessionDescription.parse(body).origin.split()[2])


def test_the_version_grows_only_when_something_changed() -> None:
    leg = Negotiation(LOCAL)
    first, _ = leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
    again, _ = leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
    held, _ = leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n")
    still, _ = leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n")

    assert first == again
    assert held == still
    assert [version(body) for body in (first, held)] == [1, 2]


def test_our_own_hold_and_back() -> None:
    leg = Negotiation(LOCAL)
    leg.offer()
    leg.conclude(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")

    leg.local = replace(leg.local, direction=Direction.SENDONLY)
    held = leg.offer()
    agreement = leg.conclude(HEAD + b"m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n")
    assert (version(held), agreement.direction) == (2, Direction.SENDONLY)
    assert b"a=sendonly\r\n" in held

    leg.local = replace(leg.local, direction=Direction.SENDRECV)
    assert version(leg.offer()) == 3
    resumed = leg.conclude(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
    assert resumed.direction is Direction.SENDRECV


def test_no_line_disappears_from_a_new_offer() -> None:
    """RFC 3264 §8: refused lines stay, with port 0, in their places."""
    leg = Negotiation(LOCAL)
    leg.answer(
        HEAD + b"m=video 4002 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\nm=image 4004 udptl t38\r\n"
    )
    lines = SessionDescription.parse(leg.offer()).media

    assert [(line.kind, line.port) for line in lines] == [
        ("video", 0),
        ("audio", 16384),
        ("image", 0),
    ]
    answered = b"m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\nm=image 0 udptl t38\r\n"
    assert leg.conclude(HEAD + answered).codec == PCMU


def test_a_payload_type_keeps_its_meaning() -> None:
    """RFC 3264 §8.3.2: 96 was the peer's number for something else, 107 its Opus."""
    leg = Negotiation(replace(LOCAL, codecs=(OPUS, PCMA)))
    leg.answer(HEAD + b"m=audio 4000 RTP/AVP 107\r\na=rtpmap:107 opus/48000/2\r\n")
    (line,) = SessionDescription.parse(leg.offer()).media

    assert "rtpmap:107 opus/48000/2" in line.attributes


def test_numbers_of_events_do_not_wander() -> None:
    leg = Negotiation(LOCAL)
    leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n")
    (line,) = SessionDescription.parse(leg.offer()).media

    assert line.formats == ["8", "0", "96"]


def test_an_agreed_mux_is_offered_again() -> None:
    leg = Negotiation(LOCAL)
    leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\n")

    assert b"a=rtcp-mux" in leg.offer()


def test_several_answers_to_one_offer() -> None:
    """Early media of one fork, then the answer of another: the last one counts."""
    leg = Negotiation(LOCAL)
    leg.offer()
    leg.conclude(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")

    assert leg.conclude(HEAD + b"m=audio 5000 RTP/AVP 0\r\n").remote_port == 5000


def test_what_raises_changes_nothing() -> None:
    leg = Negotiation(LOCAL)
    _, before = leg.answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
    with pytest.raises(NotAcceptable):
        leg.answer(HEAD + b"m=audio 4000 RTP/AVP 18\r\n")

    assert leg.agreement == before


def test_an_answer_needs_an_offer() -> None:
    with pytest.raises(SdpError):
        Negotiation(LOCAL).conclude(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
