"""Addresses, Via, CSeq: read strictly, written safely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    format_params,
    parse_params,
    parse_seconds,
    quote,
    split_commas,
    unquote,
)
from softswitch.sip.types import ParseError


@given(st.text(max_size=40))
def test_a_quoted_display_name_says_what_was_given_but_for_control_characters(name: str) -> None:
    written = str(NameAddr(name, "sip:a@b"))
    assert "\r" not in written
    assert "\n" not in written
    if name.isprintable():
        assert NameAddr.parse(written).display == name
        assert unquote(quote(name)) == name


@given(st.dictionaries(st.text("abc-x", min_size=1, max_size=5), st.text(max_size=9), max_size=4))
def test_parameters_are_read_back_as_written(params: dict[str, str]) -> None:
    again = parse_params(format_params(params))
    assert again.keys() == params.keys()
    assert all(again[name] == value for name, value in params.items() if value.isprintable())


@given(st.text(st.sampled_from('ab,;<>"\\ =sip:@/20.UDP'), max_size=40))
def test_any_text_is_a_value_or_a_parse_error(text: str) -> None:
    for read in (NameAddr.parse, Via.parse, CSeq.parse, parse_params, split_commas):
        try:
            read(text)
        except ParseError as fault:
            assert fault.status in (400, 416)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        ('"a, b" <sip:a>, <sip:b,c>', ['"a, b" <sip:a>', "<sip:b,c>"]),
        (r'"a\", b" <x:y>,c', [r'"a\", b" <x:y>', "c"]),
        ("", [""]),
        ('"a",,b', ['"a"', "", "b"]),
    ],
)
def test_commas_in_quotes_and_brackets_do_not_split(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts


@pytest.mark.parametrize("text", ['"a, b', "<sip:a, b", '<sip:a>, "b'])
def test_an_unclosed_quote_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        split_commas(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "101",
        "sip:",
        '"Anna <sip:a@b>',
        "Bell, Alexander <sip:a@b>",
        "< sip:a@b >",
        "<sip:a@b>;;",
        "<sip:a@b>;tag=",
        "<sip:a@b>;tag=1;TAG=2",
        "sip:a@b?Route=c",
        "<sip:a@b> junk",
        "<sip:a@b>, <sip:c@d>",
    ],
)
def test_a_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        NameAddr.parse(text)


def test_without_brackets_parameters_belong_to_the_header() -> None:
    """RFC 3261 §20.10."""
    assert NameAddr.parse("sip:a@b;tag=1").params == {"tag": "1"}
    assert NameAddr.parse("<sip:a@b;x=1>").sip_uri.params == {"x": "1"}


def test_contact_preferences_are_bounded() -> None:
    assert [NameAddr.parse(f"<sip:a>;q={q}").q for q in ("0.3", "7", "-1", "x")] == [0.3, 1, 0, 1]
    assert NameAddr.parse("<sip:a>;expires=60").expires == 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0000000000060", 60), ("9" * 5000, 2**32 - 1), ("-1", None), ("٣", None)],
)
def test_seconds_never_overflow(text: str, seconds: int | None) -> None:
    assert parse_seconds(text) == seconds


def test_a_via_tells_where_it_was_seen() -> None:
    via = Via.parse("SIP/2.0/UDP [2001:DB8::1];branch=z9hG4bK1;received=[2001:db8::2];rport=99")
    assert via.sent_by == ("[2001:db8::1]", 5060)
    assert (via.received, via.rport, via.branch) == ("2001:db8::2", 99, "z9hG4bK1")
    assert Via.parse(str(via)) == via
    assert Via.parse("SIP/2.0/TLS h;rport").sent_by == ("h", 5061)


@pytest.mark.parametrize("text", ["SIP/2.0/UDP", "SIP/2.0/UDP h:99999", "UDP h", "SIP/2.0/UDP h;;"])
def test_a_malformed_via_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        Via.parse(text)


@pytest.mark.parametrize("text", ["1", "INVITE", "-1 INVITE", "2147483648 INVITE", "1 IN VITE"])
def test_a_malformed_cseq_is_refused(text: str) -> None:
    """RFC 3261 §8.1.1.5: below 2**31."""
    with pytest.raises(ParseError):
        CSeq.parse(text)
