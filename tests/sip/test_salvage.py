"""Of a refused request, as much is kept as an answer needs, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.message import reply
from softswitch.sip.salvage import salvage
from tests.sip.samples import octets, request

SAMPLE = octets(request("OPTIONS"))


def test_the_five_fields_of_a_response_are_kept() -> None:
    kept = salvage(SAMPLE)
    assert kept is not None
    assert (kept.method, kept.uri) == ("OPTIONS", request().uri)
    assert set(kept.headers.fields) == {"Via", "From", "To", "Call-ID", "CSeq"}


def test_of_a_doubled_field_the_first_is_kept() -> None:
    kept = salvage(SAMPLE.replace(b"\r\n\r\n", b"\r\nTo: <sip:other>\r\n\r\n"))
    assert kept is not None
    assert kept.headers.all("To") == [f"<{request().uri}>"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("SIP/2.0/UDP 192.0.2.15;;,;,,", ["SIP/2.0/UDP 192.0.2.15"]),
        ("SIP/7.0/UDP h:5060;branch=x", ["SIP/7.0/UDP h:5060;branch=x"]),
        ("SIP/2.0/UDP a, SIP/2.0/TCP b", ["SIP/2.0/UDP a", "SIP/2.0/TCP b"]),
    ],
)
def test_broken_via_parameters_are_left_out(value: str, kept: list[str]) -> None:
    asked = salvage(octets(request("OPTIONS", Via=value)))
    assert asked is not None
    assert asked.headers.all("Via") == kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        octets(request("ACK")),
        octets(reply(request(), 200)),
        octets(request("OPTIONS", Via="nonsense")),
        SAMPLE.replace(b"Via:", b"X:"),
        SAMPLE.replace(b"\r\n\r\n", b"\r\nX: y" * 300),
    ],
)
def test_silence_where_no_answer_can_or_should_go(data: bytes) -> None:
    assert salvage(data) is None


@given(st.binary(max_size=200))
def test_any_octets_are_remains_or_nothing(data: bytes) -> None:
    for candidate in (data, SAMPLE[:90] + data):
        remains = salvage(candidate)
        if remains is not None:
            reply(remains, 400, to_tag="x").encode()
