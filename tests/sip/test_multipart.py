"""Parts of a body, octets intact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.multipart import Part, split
from softswitch.sip.types import ParseError

BODY = (
    b"preamble\r\n--cut \r\nContent-Type: application/SDP; x=y\r\n\r\nv=0\r\n\r\n--cut\r\n\r\n\0\n"
)


def test_parts_are_cut_at_the_boundary_and_nowhere_else() -> None:
    one, two = split('multipart/mixed; boundary="cut"', BODY + b"\r\n--cut--\r\nepilogue")
    assert (one.content_type, one.body) == ("application/sdp", b"v=0\r\n")
    assert two == Part({}, b"\0\n")
    assert two.content_type == "text/plain"


@given(st.lists(st.binary(max_size=30).filter(lambda b: b"--cut" not in b), min_size=1, max_size=5))
def test_octets_of_parts_are_untouched(bodies: list[bytes]) -> None:
    whole = b"".join(b"--cut\r\nA: b\r\n\r\n" + body + b"\r\n" for body in bodies) + b"--cut--"
    assert [part.body for part in split("multipart/mixed;boundary=cut", whole)] == bodies


def test_folded_fields_belong_to_their_part() -> None:
    body = b"--cut\r\nA:\r\n b\r\n  c\r\nContent-Type : x/Y\r\n\r\n1\r\n--cut--"
    (part,) = split("multipart/mixed;boundary=cut", body)
    assert (part.headers["a"], part.content_type) == ("b\r\n  c", "x/y")


@pytest.mark.parametrize("filling", [b"a", b"A: b\r\n  ", b"\r\n \t", b" "])
def test_absurd_part_headers_are_read_in_linear_time(filling: bytes) -> None:
    head = filling * (300_000 // len(filling))
    parts = split("multipart/mixed;boundary=c", b"--c\r\n" + head + b"\n\r\n\r\n1\r\n--c--")
    assert len(parts) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", BODY),
        ("multipart/mixed;boundary=cut", BODY),
        ("multipart/mixed;boundary=other", BODY),
        ("multipart/mixed;boundary=c", b"--c\r\n\r\n" * 100 + b"--c--"),
        (f"multipart/mixed;boundary={'c' * 71}", b""),
    ],
)
def test_a_body_without_clear_parts_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ParseError):
        split(content_type, body)
