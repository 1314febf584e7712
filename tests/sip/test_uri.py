"""SIP URIs: read, written, compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.types import ParseError
from softswitch.sip.uri import SipUri

NAMES = st.text(st.sampled_from("abcXYZ019-_"), min_size=1, max_size=8)
URIS = st.builds(
    SipUri,
    scheme=st.sampled_from(["sip", "sips"]),
    user=st.none() | st.text(min_size=1, max_size=12),
    host=st.sampled_from(["office.example", "192.0.2.1", "[2001:db8::1]"]),
    port=st.none() | st.integers(0, 65535),
    params=st.dictionaries(NAMES.map(str.lower), st.just("") | st.text(max_size=8), max_size=3),
)


@given(uri=URIS)
def test_what_is_written_is_read_back_the_same(uri: SipUri) -> None:
    again = SipUri.parse(str(uri))
    assert again == uri
    assert (again.user, again.params) == (uri.user, dict(uri.params))


@given(st.text(max_size=60))
def test_any_text_is_a_uri_or_a_parse_error(text: str) -> None:
    for candidate in (text, "sip:" + text):
        try:
            SipUri.parse(candidate)
        except ParseError as fault:
            assert fault.status in (400, 416)


EQUAL = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equivalent_uris(one: str, other: str) -> None:
    """RFC 3261 §19.1.4."""
    assert SipUri.parse(one) == SipUri.parse(other)
    assert hash(SipUri.parse(one)) == hash(SipUri.parse(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_uris(one: str, other: str) -> None:
    """RFC 3261 §19.1.4."""
    assert SipUri.parse(one) != SipUri.parse(other)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("sip:", 400),
        ("sip:a@b@c", 400),
        ("sip:a b@c", 400),
        ("sip:a@c:70000", 400),
        ("sip:a@[::1", 400),
        ("sip:a@[12345::1]", 400),
        ("sip:a@c;x=1;X=2", 400),
        ("sip:a@c\r\nRoute: <sip:d>", 400),
        ("101", 400),
        ("http://a", 416),
    ],
)
def test_what_is_no_sip_uri_is_refused(text: str, status: int) -> None:
    with pytest.raises(ParseError) as fault:
        SipUri.parse(text)
    assert fault.value.status == status


def test_a_tel_uri_is_its_number() -> None:
    uri = SipUri.parse("tel:+7(495)123-45-67;phone-context=x")
    assert (uri.user, uri.host) == ("+7(495)123-45-67", "")
    assert str(uri) == "tel:+7(495)123-45-67;phone-context=x"


@pytest.mark.parametrize(
    ("text", "transport", "port"),
    [
        ("sip:a", "udp", 5060),
        ("sip:a;transport=TCP", "tcp", 5060),
        ("sips:a", "tls", 5061),
        ("sips:a;transport=tcp", "tls", 5061),
        ("sips:a:5070;transport=ws", "wss", 5070),
    ],
)
def test_the_transport_follows_from_scheme_and_parameter(
    text: str, transport: str, port: int
) -> None:
    """RFC 3263 §4.1."""
    uri = SipUri.parse(text)
    assert (uri.transport, uri.effective_port) == (transport, port)


def test_octets_that_are_no_utf8_survive() -> None:
    assert str(SipUri.parse("sip:%FF%00@a")) == "sip:%FF%00@a"
