"""A stream is cut the same however the network splits it, and within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.framing import Frame, FramingError, KeepAlive, Limits, StreamFramer
from softswitch.sip.parser import parse
from tests.sip.samples import octets, request

SMALL = Limits(head=400, body=50, patience=10.0)


def feed_split(data: bytes, cuts: list[int]) -> list[Frame]:
    """Everything that comes out when `data` is fed in pieces."""
    framer, frames, start = StreamFramer(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        frames += framer.feed(data[start:cut], now=0.0)
        start = cut
    return frames


@given(cuts=st.lists(st.integers(0, 10_000), max_size=40))
def test_any_split_gives_the_same_frames(cuts: list[int]) -> None:
    one = octets(request("OPTIONS"), body=b"\r\n\r\n\0INVITE")
    two = octets(request("INVITE"))
    stream = b"\r\n\r\n" + one + two + b"\r\n" + one + b"\r\n\r\n"

    assert feed_split(stream, cuts) == feed_split(stream, [])
    assert [f for f in feed_split(stream, cuts) if isinstance(f, bytes)] == [one, two, one]


def test_every_octet_alone_is_enough() -> None:
    message = octets(request("MESSAGE"), body="привет".encode())
    assert feed_split(message, list(range(len(message)))) == [message]


def test_a_double_crlf_between_messages_is_a_ping() -> None:
    """RFC 5626 §4.4.1."""
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r\n", now=0.0)[-1] is KeepAlive.PING
    assert framer.feed(b"\r\n", now=1.0) == [KeepAlive.PONG]
    assert framer.feed(b"\r\n", now=2.0) == [KeepAlive.PING]
    assert framer.next_timeout() is None


def test_a_folded_or_compact_content_length_counts() -> None:
    for spelling in (b"l:5", b"CONTENT-LENGTH \t:\r\n  5"):
        message = b"OPTIONS sip:a SIP/2.0\r\n" + spelling + b"\r\n\r\n12345"
        assert StreamFramer().feed(message + b"\r\n", now=0.0) == [message, KeepAlive.PONG]


def test_an_unfinished_message_has_a_deadline_that_more_octets_do_not_move() -> None:
    framer = StreamFramer(SMALL)
    framer.feed(b"INV", now=5.0)
    framer.feed(b"ITE sip:101@", now=14.0)
    assert framer.next_timeout() == 15.0


def test_the_deadline_ends_with_the_message_and_a_new_one_begins_with_the_next() -> None:
    message = octets(request("OPTIONS"))
    framer = StreamFramer()
    framer.feed(message[:10], now=0.0)
    framer.feed(message[10:] + b"INV", now=7.0)
    assert framer.next_timeout() == 17.0
    assert StreamFramer().next_timeout() is None


@pytest.mark.parametrize(
    ("length", "status"),
    [(b"51", 413), (b"9" * 5000, 413), (b"-1", 400), (b"5x", 400), (b"", 400)],
)
def test_a_senseless_length_is_refused_when_stated(length: bytes, status: int) -> None:
    framer = StreamFramer(SMALL)
    head = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: "
    limits = SMALL if len(length) < 100 else Limits()
    framer = StreamFramer(limits)

    with pytest.raises(FramingError) as fault:
        framer.feed(head + length + b"\r\n\r\n", now=0.0)

    assert fault.value.status == status
    assert fault.value.request is not None
    assert fault.value.request.headers.all("Via") == ["SIP/2.0/TCP h;branch=z9hG4bK1"]


def test_two_lengths_that_differ_lose_the_framing() -> None:
    """RFC 4475 §3.3.9."""
    with pytest.raises(FramingError, match="differing"):
        StreamFramer().feed(b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\nl: 5\r\n\r\n", now=0.0)


def test_a_stream_needs_content_length() -> None:
    """RFC 3261 §20.14."""
    with pytest.raises(FramingError, match="no Content-Length"):
        StreamFramer().feed(b"OPTIONS sip:a SIP/2.0\r\n\r\n", now=0.0)


def test_headers_without_end_are_refused_at_the_limit() -> None:
    framer = StreamFramer(SMALL)
    assert framer.feed(b"x" * 400, now=0.0) == []
    with pytest.raises(FramingError) as fault:
        framer.feed(b"x", now=0.0)
    assert (fault.value.status, fault.value.request) == (513, None)


def test_what_was_whole_before_the_fault_is_not_lost() -> None:
    message = octets(request("OPTIONS"))
    with pytest.raises(FramingError) as fault:
        StreamFramer().feed(message + b"x\r\n\r\n", now=0.0)
    assert fault.value.before == [message]


@given(pieces=st.lists(st.binary(max_size=200), max_size=20))
def test_any_octets_give_frames_or_a_framing_error(pieces: list[bytes]) -> None:
    framer = StreamFramer(SMALL)
    try:
        for piece in pieces:
            framer.feed(piece, now=0.0)
    except FramingError as fault:
        assert fault.status in (400, 413, 513)


@given(head=st.binary(max_size=120), body=st.binary(max_size=60))
def test_a_frame_is_exactly_head_and_body(head: bytes, body: bytes) -> None:
    message = b"A sip:b SIP/2.0\r\nX:" + head.replace(b"\r", b"").replace(b"\n", b"")
    message += b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert StreamFramer().feed(message, now=0.0) == [message]


def test_a_framed_message_parses() -> None:
    (frame,) = StreamFramer().feed(octets(request("OPTIONS")), now=0.0)
    assert isinstance(frame, bytes)
    assert parse(frame).call_id == request("OPTIONS").call_id
