"""The messages of RFC 4475 and RFC 5118, each read or refused as the RFC judges it.

They lie beside the project, not in it; where they are absent these tests say so and skip.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softswitch.sip import multipart
from softswitch.sip.framing import FramingError, StreamFramer
from softswitch.sip.headers import NameAddr
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.types import ParseError
from softswitch.sip.uri import SipUri

TORTURE = Path(__file__).parents[3] / "shared" / "torture"
CATALOGUE = TORTURE / "expected.toml"
MESSAGES: dict[str, dict[str, Any]] = (
    tomllib.loads(CATALOGUE.read_text("utf-8"))["messages"] if CATALOGUE.exists() else {}
)
HARMLESS = {"baddate"}
"""Invalid by the RFC only in a field that nobody reads: better not to refuse a call for it."""

READABLE = [name for name, m in MESSAGES.items() if m["valid"] or name in HARMLESS]
BROKEN = [name for name in MESSAGES if name not in READABLE]

pytestmark = pytest.mark.skipif(
    not MESSAGES, reason="the torture messages are absent: no ../shared/torture/expected.toml"
)


def octets(name: str) -> bytes:
    return TORTURE.joinpath(MESSAGES[name]["file"]).read_bytes()


@pytest.mark.parametrize("name", READABLE)
def test_what_is_valid_is_read(name: str) -> None:
    message = parse(octets(name))
    for field, expected in MESSAGES[name]["parse"].items():
        if field in READERS:
            assert (field, READERS[field](message)) == (field, expected)
        elif field in ADDRESS_FIELDS:
            assert_address(ADDRESS_FIELDS[field](message), expected)
        elif field == "contact":
            for address, one in zip(message.contacts, expected, strict=True):
                assert_address(address, one)
        elif field == "headers":
            assert {name: message.headers.get(name) for name in expected} == expected
        elif field == "via_top":
            assert {key: getattr(message.via, key) for key in expected} == expected
        else:
            assert field in ELSEWHERE


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_with_the_status_that_it_deserves(name: str) -> None:
    expected = MESSAGES[name]
    with pytest.raises(ParseError) as fault:
        parse(octets(name))
    if expected["kind"] == "response":
        assert fault.value.request is None
        return
    assert fault.value.status in expected.get("best", expected["codes"])[:1]
    if not expected.get("reply", {}).get("silence_ok"):
        assert_answerable(fault.value)


def assert_answerable(fault: ParseError) -> None:
    """The refusal can be built, and reads well where the request's own fields did."""
    assert fault.request is not None
    answer = reply(fault.request, fault.status, to_tag="x")
    assert answer.headers.all("Via")
    assert f"SIP/2.0 {fault.status} ".encode() in answer.encode()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_stream_gives_the_same_message_or_loses_its_framing(name: str) -> None:
    """Whole, octet by octet, and two in one segment."""
    whole = octets(name)
    framed = frames(whole, len(whole))
    assert frames(whole, 1) == framed
    if isinstance(framed, list) and framed and not MESSAGES[name].get("stream", {}).get("close"):
        assert frames(whole + whole, 2 * len(whole))[: len(framed)] == framed


def frames(data: bytes, size: int) -> Any:
    framer, found = StreamFramer(), []
    try:
        for at in range(0, len(data), size):
            found += framer.feed(data[at : at + size], now=0.0)
    except FramingError as fault:
        return [*found, *fault.before, fault.reason]
    return found


@pytest.mark.parametrize("name", [name for name in READABLE if MESSAGES[name]["kind"] == "request"])
def test_what_was_read_can_be_answered_and_the_answer_read(name: str) -> None:
    request = parse(octets(name))
    assert isinstance(request, Request)
    answer = parse(reply(request, 404, to_tag="x").encode())
    assert [str(via) for via in answer.vias] == [str(via) for via in request.vias]
    assert answer.from_ == request.from_
    assert "tag" in answer.to.params


def test_foreign_uri_schemes_are_416() -> None:
    """RFC 4475 §3.3.2, §3.3.3."""
    for name in ("unkscm", "novelsc"):
        request = parse(octets(name))
        assert isinstance(request, Request)
        with pytest.raises(ParseError) as fault:
            _ = request.request_uri
        assert fault.value.status == 416


def assert_address(address: NameAddr, expected: dict[str, Any]) -> None:
    read: dict[str, Callable[[], Any]] = {
        "display": lambda: address.display,
        "uri": lambda: address.uri,
        "tag": lambda: address.tag,
        "user": lambda: address.sip_uri.user,
        "host": lambda: address.sip_uri.host,
        "port": lambda: address.sip_uri.port,
        "uri_params": lambda: address.sip_uri.params,
        "uri_headers": lambda: address.sip_uri.headers,
    }
    for field, value in expected.items():
        if field == "params":
            beside_tag = {name: text for name, text in address.params.items() if name != "tag"}
            assert beside_tag == {name.lower(): text for name, text in value.items()}
        else:
            assert (field, read[field]()) == (field, value)


def requested(message: Request | Response) -> SipUri:
    assert isinstance(message, Request)
    return message.request_uri


def parts(message: Request | Response) -> list[multipart.Part]:
    return multipart.split(message.headers.get("Content-Type") or "", message.body)


READERS: dict[str, Callable[[Any], Any]] = {
    "method": lambda m: m.method,
    "uri": lambda m: m.uri,
    "status": lambda m: m.status,
    "reason": lambda m: m.reason,
    "vias": lambda m: len(m.vias),
    "via": lambda m: [via.host for via in m.vias],
    "via_transports": lambda m: [via.transport for via in m.vias],
    "call_id": lambda m: m.call_id,
    "cseq": lambda m: m.cseq.number,
    "cseq_method": lambda m: m.cseq.method,
    "max_forwards": lambda m: m.max_forwards,
    "body": lambda m: len(m.body),
    "content_type": lambda m: m.headers.get("Content-Type"),
    "route": lambda m: m.headers.values("Route"),
    "uri_user": lambda m: requested(m).user,
    "uri_password": lambda m: requested(m).password,
    "uri_host": lambda m: requested(m).host,
    "uri_port": lambda m: requested(m).port,
    "parts": lambda m: len(parts(m)),
    "part_lengths": lambda m: [len(part.body) for part in parts(m)],
}
ADDRESS_FIELDS: dict[str, Callable[[Any], NameAddr]] = {
    "from": lambda m: m.from_,
    "to": lambda m: m.to,
}
ELSEWHERE = {"sdp", "trailing"}
"""What the session description says is read by another package; surplus octets by nobody."""
