"""Headers as a multimap, replies from a request's own text, nothing injected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.message import Headers, Response, SerializeError, reply
from softswitch.sip.parser import parse
from tests.sip.samples import request


def test_a_field_is_found_by_any_spelling() -> None:
    headers = Headers([("call-id", "a"), ("V", "b"), ("x-OWN-field", "c")])
    assert [headers.get(name) for name in ("CALL-ID", "Via", "X-Own-Field")] == ["a", "b", "c"]
    assert "i" in headers
    assert headers.get("Subject") is None


def test_fields_are_added_set_prepended_replaced_and_removed() -> None:
    headers = Headers([("Route", "b")])
    headers.add("Route", "c, d")
    headers.prepend("Route", "a")
    assert headers.all("Route") == ["a", "b", "c, d"]
    assert headers.values("Route") == ["a", "b", "c", "d"]
    headers.replace("Route", [])
    assert "Route" not in headers
    headers.set("Expires", "1")
    headers.set("expires", "2")
    headers.remove("Subject")
    assert list(headers.items()) == [("Expires", "2")]


def test_a_copy_is_independent() -> None:
    headers = Headers([("Via", "a")])
    headers.copy().add("Via", "b")
    assert headers.all("Via") == ["a"]


def test_a_reply_copies_what_the_rfc_says_and_adds_a_tag_once() -> None:
    """RFC 3261 §8.2.6.2."""
    asked = request(Timestamp="54")
    asked.headers.add("Via", "SIP/2.0/TCP second")
    answer = reply(asked, 486, to_tag="xy", headers=[("Retry-After", "5")])
    for name in ("Via", "From", "Call-ID", "CSeq"):
        assert answer.headers.all(name) == asked.headers.all(name)
    assert answer.to.tag == "xy"
    assert answer.reason == "Busy Here"
    assert "Timestamp" not in answer.headers

    asked.headers.set("To", answer.headers.get("To") or "")
    assert reply(asked, 200, to_tag="other").to.tag == "xy"
    assert reply(request(), 100, to_tag="xy").to.tag is None
    assert reply(asked, 100).headers.get("Timestamp") == "54"


def test_a_reply_does_not_share_lists_with_its_request() -> None:
    asked = request()
    reply(asked, 200).headers.add("Via", "x")
    assert len(asked.headers.all("Via")) == 1


def test_a_body_goes_with_its_type_and_true_length() -> None:
    answer = reply(request(), 200, body=b"v=0\r\n", content_type="application/sdp")
    answer.headers.set("Content-Length", "99")
    read = parse(answer.encode())
    assert (read.body, read.content_type) == (b"v=0\r\n", "application/sdp")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_value_can_begin_a_header(name: str, value: str) -> None:
    sent = request(Subject=value, X_Name=f'"{name}" <sip:a@b>')
    head = sent.encode().partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == 10
    assert b"\0" not in head


@pytest.mark.parametrize("place", ["uri", "method", "name"])
def test_a_line_break_in_our_own_start_line_is_a_bug(place: str) -> None:
    sent = request()
    if place == "name":
        sent.headers.fields["X\r\nY"] = ["z"]
    else:
        setattr(sent, place, "a\r\nRoute: <sip:b>")
    with pytest.raises(SerializeError):
        sent.encode()


def test_a_star_contact_is_no_address() -> None:
    asked = request(Contact="*")
    assert asked.wildcard
    assert asked.contacts == []
    assert not Response(200).wildcard
