"""The syntax of session descriptions: what is read, what is forgiven, what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sdp import Connection, SdpError, SessionDescription

# RFC 8866 §5, with its long b= and u= lines.
EXAMPLE = b"""v=0\r
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r
s=Call to John Smith\r
i=SDP Offer #1\r
u=http://www.jdoe.example.com/home.html\r
e=Jane Doe <jane@jdoe.example.com>\r
p=+1 617 555-6011\r
c=IN IP4 198.51.100.1\r
t=0 0\r
m=audio 49170 RTP/AVP 0\r
m=audio 49180 RTP/AVP 0\r
m=video 51372 RTP/AVP 99\r
c=IN IP6 2001:db8::2\r
a=rtpmap:99 h263-1998/90000\r
"""


def test_the_example_of_the_rfc_comes_back_octet_for_octet() -> None:
    description = SessionDescription.parse(EXAMPLE)

    assert [line.kind for line in description.media] == ["audio", "audio", "video"]
    assert description.connection == Connection("198.51.100.1")
    assert description.connection_of(description.media[2]) == Connection("2001:db8::2", 6)
    assert description.encode() == EXAMPLE


@pytest.mark.parametrize(
    "body",
    [
        b"v=0\nm=audio 4000 RTP/AVP 0",
        b"v=0\rm=audio 4000 RTP/AVP 0\r",
        b"\r\nv=0\r\n\r\nm=audio 4000 RTP/AVP 0\r\n\r\n",
        b"v=0 \r\nm=audio  4000  RTP/AVP  0 \r\n\0",
        b"v=0\r\ns=\xe9t\xe9\r\nt=now later\r\nm=audio 4000/1 RTP/AVP 0\r\n",
    ],
    ids=["bare LF", "bare CR", "blank lines", "blanks and NUL", "Latin-1 and a wrong time"],
)
def test_what_phones_get_wrong_is_forgiven(body: bytes) -> None:
    (line,) = SessionDescription.parse(body).media

    assert (line.kind, line.port, line.protocol, line.formats) == ("audio", 4000, "RTP/AVP", ["0"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v=1\r\n",
        b"m=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio\r\n",
        b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio -1 RTP/AVP 0\r\n",
        "v=0\r\nm=audio ٤٠٠٠ RTP/AVP 0\r\n".encode(),
        b"v=0\r\nnonsense\r\n",
        b"v=0\r\nc=IN IP4\r\n",
        b"v=0\r\nc=IN IP4 " + b"9" * 300 + b"\r\n",
        b"v=0\r\ns=a\0b\r\nt=0 0\r\n",
        b"v=0\r\n" + b"m=audio 4000 RTP/AVP 0\r\n" * 65,
        b"v=0\r\n" + b"a=x\r\n" * 5000,
        b"v=0\r\ns=" + b"x" * 70000,
    ],
)
def test_what_cannot_be_answered_is_refused(body: bytes) -> None:
    with pytest.raises(SdpError):
        SessionDescription.parse(body)


@given(st.binary(max_size=400))
def test_any_octets_are_read_or_refused(body: bytes) -> None:
    with suppress(SdpError):
        SessionDescription.parse(b"v=0\r\n" + body)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["s=", "i=x", "b=AS:64", "k=clear:a", "c=IN IP4 192.0.2.1", "c=IN IP6 ::1", "t=1 2"]
        ),
        st.sampled_from(["a=sendonly", "a=", "a=rtpmap:0 PCMU/8000", "m=audio 9 RTP/AVP 0 8"]),
        st.from_regex(r"\A[a-z]=[^\n\r\0]{0,20}\Z").filter(lambda line: line[0] not in "cm"),
    ),
    max_size=30,
)


@given(LINES)
def test_what_was_written_is_read_back_the_same(lines: list[str]) -> None:
    """parse ∘ encode is the identity on what we emit."""
    body = SessionDescription.parse("\r\n".join(["v=0", *lines]).encode()).encode()

    assert SessionDescription.parse(body).encode() == body
