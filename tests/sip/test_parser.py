"""Octets become a message, or a refusal that can still be answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.types import ParseError
from tests.sip.samples import octets, request

SAMPLE = octets(request())
LINES = SAMPLE.split(b"\r\n")


def refusal(data: bytes) -> ParseError:
    with pytest.raises(ParseError) as fault:
        parse(data)
    return fault.value


def with_line(line: bytes) -> bytes:
    """The sample with one more header line."""
    return b"\r\n".join([*LINES[:-2], line, b"", b""])


@given(st.binary(max_size=300))
def test_any_octets_are_a_message_or_a_parse_error(data: bytes) -> None:
    try:
        parse(data)
    except ParseError as fault:
        assert 400 <= fault.status <= 513


@given(at=st.integers(0, len(SAMPLE)), drop=st.integers(0, 9), insert=st.binary(max_size=9))
def test_a_damaged_message_is_read_and_answered_or_refused(
    at: int, drop: int, insert: bytes
) -> None:
    try:
        message = parse(SAMPLE[:at] + insert + SAMPLE[at + drop :])
    except ParseError as fault:
        if fault.request is not None:
            reply(fault.request, fault.status, to_tag="x").encode()
        return
    assert isinstance(message, Request)
    parse(reply(message, 200, to_tag="x").encode())
    _ = message.via, message.from_, message.to, message.cseq, message.contacts


VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip)


@given(
    headers=st.dictionaries(st.sampled_from(["Subject", "X-Note", "User-Agent"]), VALUES),
    body=st.binary(max_size=50),
)
def test_what_we_emit_is_read_back_the_same(headers: dict[str, str], body: bytes) -> None:
    sent = request(**{name.replace("-", "_"): value for name, value in headers.items()})
    sent.body = body
    read = parse(sent.encode())
    assert isinstance(read, Request)
    assert (read.method, read.uri, read.body) == (sent.method, sent.uri, body)
    read.headers.remove("Content-Length")
    assert read.headers == sent.headers
    assert parse(read.encode()).encode() == sent.encode()


def test_octets_that_are_no_utf8_survive() -> None:
    read = parse(with_line(b"Subject: \xff\xfe"))
    assert b"Subject: \xff\xfe\r\n" in read.encode()


def test_compact_names_and_folded_lines() -> None:
    """RFC 3261 §7.3.1, §7.3.3."""
    read = parse(with_line(b"k : timer,\r\n\t path\r\ns:\r\n a\r\n  b"))
    assert read.supported == ["timer", "path"]
    assert read.headers.get("subject") == "a b"


def test_leading_crlf_is_ignored_and_so_is_what_follows_the_body() -> None:
    """RFC 3261 §7.5, §18.3."""
    read = parse(b"\r\n\r\n" + octets(request(), body=b"ab\0\r\n") + b"INVITE")
    assert read.body == b"ab\0\r\n"


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    """RFC 3261 §18.3."""
    assert parse(SAMPLE.replace(b"Content-Length: 0\r\n", b"") + b"rest").body == b"rest"


@pytest.mark.parametrize(
    "name", ["CSeq", "From", "To", "Call-ID", "Max-Forwards", "Content-Length", "i", "f"]
)
def test_what_may_stand_once_is_refused_when_it_comes_twice(name: str) -> None:
    line = next(line for line in LINES if line.lower().startswith(FULL[name].lower().encode()))
    fault = refusal(with_line(name.encode() + b":" + line.partition(b":")[2]))
    assert fault.status == 400
    assert "twice" in fault.reason


FULL = {
    **{n: n for n in ("CSeq", "From", "To", "Call-ID", "Max-Forwards", "Content-Length")},
    "i": "Call-ID",
    "f": "From",
}


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_missing_mandatory_field_is_refused(name: str) -> None:
    kept = [line for line in LINES if not line.startswith(name.encode() + b":")]
    fault = refusal(b"\r\n".join(kept))
    assert fault.status == 400
    assert (fault.request is None) == (name == "Via")


@pytest.mark.parametrize(
    "line",
    [
        b"Subject: a\rb",
        b"Subject: a\nb",
        b"Subject: a\0b",
        b'Subject: "a\0b"',
        b'Subject: "a\\\nb"',
        b"Bad Name: x",
        b"no colon",
        b": x",
        b"Route: <sip:a@b",
        b'Contact: "Anna" <sip:joe@example.org>;;;;',
        b"Max-Forwards: 256",
        b"Contact: *, <sip:a@b>",
    ],
)
def test_a_broken_line_is_refused(line: bytes) -> None:
    assert refusal(with_line(line)).status == 400


def test_control_characters_may_stand_as_quoted_pairs() -> None:
    """RFC 3261 §25.1 quoted-pair."""
    assert parse(with_line(b'Subject: "\\\0\\\x07"')).headers.get("Subject") == '"\\\0\\\x07"'


@pytest.mark.parametrize("length", [b"1", b"-1", b"+0", b"1e3", b"", b"9" * 1000, "٣".encode()])
def test_a_lying_or_senseless_content_length_is_refused(length: bytes) -> None:
    data = SAMPLE.replace(b"Content-Length: 0", b"Content-Length: " + length)
    assert refusal(data).status == 400


def test_ten_thousand_vias_are_refused_and_not_answered() -> None:
    via = b"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
    lines = refusal(LINES[0] + b"\r\n" + via * 1500 + SAMPLE.partition(b"\r\n")[2])
    assert (lines.status, lines.request) == (513, None)
    values = b"Via: " + b",".join([b"SIP/2.0/UDP h"] * 2000)
    assert refusal(with_line(values)).status == 513
    assert refusal(with_line(b"X: " + b"y" * 70_000)).status == 513


@pytest.mark.parametrize("filling", [b" ", b"\t\r\n ", b"a ", b";", b";a", b'"', b"<", b"\\", b","])
@pytest.mark.parametrize("name", [b"To", b"Contact", b"Via", b"X"])
def test_absurd_values_are_judged_in_linear_time(name: bytes, filling: bytes) -> None:
    """Each takes milliseconds; were a pattern to backtrack, minutes."""
    value = b"<sip:a@b>" + filling * (60_000 // len(filling)) + b"x"
    for data in (with_line(name + b":" + value), with_line(name + b": " + value[9:])):
        try:
            parse(data)
        except ParseError as fault:
            assert fault.status in (400, 513)


def test_deep_nesting_costs_no_stack() -> None:
    parse(with_line(b"User-Agent: " + b"(" * 30_000))
    refusal(with_line(b"Contact: " + b'"\\' * 15_000))
    refusal(with_line(b"Contact: " + b"<" * 30_000))


def test_another_version_is_505() -> None:
    fault = refusal(SAMPLE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1))
    assert fault.status == 505
    assert fault.request is not None


def test_the_method_of_cseq_must_be_that_of_the_request() -> None:
    assert refusal(SAMPLE.replace(b"1 INVITE", b"1 BYE")).status == 400
    unknown = SAMPLE.replace(b"INVITE sip", b"DANCE sip")
    assert refusal(unknown).status == 501


def test_an_ack_and_a_response_are_never_answered() -> None:
    assert refusal(octets(request("ACK")).replace(b"From: ", b"From: <")).request is None
    assert refusal(b"SIP/2.0 999 x\r\nVia: SIP/2.0/UDP h\r\n\r\n").request is None


def test_a_response_keeps_its_reason() -> None:
    read = parse(reply(request(), 486, "Занято").encode())
    assert isinstance(read, Response)
    assert (read.status, read.reason) == (486, "Занято")
