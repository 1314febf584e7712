"""Laws of negotiation: whatever is offered, the answer is valid for it (RFC 3264 §6)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sdp import (
    G722,
    OPUS,
    PCMA,
    PCMU,
    LocalMedia,
    Negotiation,
    NotAcceptable,
    Policy,
    SdpError,
    SessionDescription,
    Srtp,
)

TORTURE = Path(__file__).parents[3] / "shared" / "torture"
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
ATTRIBUTES = [
    "a=sendrecv",
    "a=sendonly",
    "a=recvonly",
    "a=inactive",
    "a=rtpmap:96 opus/48000/2",
    "a=rtpmap:97 telephone-event/8000",
    "a=rtpmap:98 telephone-event/48000",
    "a=rtpmap:0 nonsense",
    "a=rtpmap:8 PCMU/8000",
    "a=fmtp:97 0-15",
    "a=ptime:30",
    "a=maxptime:x",
    "a=rtcp-mux",
    "a=rtcp:5001",
    "c=IN IP4 0.0.0.0",
    "c=IN IP4 192.0.2.7",
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
    "b=AS:64",
]
KINDS = st.sampled_from(["audio", "audio", "audio", "video", "image"])
PROTOCOLS = st.sampled_from(["RTP/AVP", "RTP/AVP", "RTP/SAVP", "RTP/AVPF", "udptl"])
FORMATS = st.lists(
    st.sampled_from(["0", "8", "9", "13", "18", "96", "97", "98", "t38"]), max_size=8
)
SECTIONS = st.lists(
    st.builds(
        lambda kind, port, protocol, formats, lines: "\r\n".join(
            [f"m={kind} {port} {protocol} {' '.join(formats)}", *lines]
        ),
        KINDS,
        st.sampled_from([0, 4000, 65535]),
        PROTOCOLS,
        FORMATS,
        st.lists(st.sampled_from(ATTRIBUTES), max_size=8),
    ),
    min_size=1,
    max_size=4,
)
LOCALS = st.builds(
    lambda codecs, dtmf, noise, policy: LocalMedia(
        "192.0.2.1",
        16384,
        codecs=tuple(codecs),
        dtmf=dtmf,
        comfort_noise=noise,
        srtp=Srtp.draw(policy, random=bytes),
    ),
    st.lists(st.sampled_from([PCMA, PCMU, G722, OPUS]), min_size=1, unique=True),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Policy),
)
MAY_ANSWER = {
    "sendrecv": {"sendrecv", "sendonly", "recvonly", "inactive"},
    "sendonly": {"recvonly", "inactive"},
    "recvonly": {"sendonly", "inactive"},
    "inactive": {"inactive"},
}


def direction(description: SessionDescription, index: int) -> str:
    said = [a for a in description.media[index].attributes if a in MAY_ANSWER]
    return said[-1] if said else "sendrecv"


@given(sections=SECTIONS, local=LOCALS)
def test_an_answer_is_valid_for_its_offer(sections: list[str], local: LocalMedia) -> None:
    body = "\r\n".join(["v=0", "c=IN IP4 192.0.2.9", *sections]).encode()
    offered = SessionDescription.parse(body)
    try:
        octets, agreement = Negotiation(local).answer(body)
    except NotAcceptable:
        return
    answered = SessionDescription.parse(octets)

    assert [m.kind for m in answered.media] == [m.kind for m in offered.media]
    assert [m.protocol for m in answered.media] == [m.protocol for m in offered.media]
    (index,) = [i for i, line in enumerate(answered.media) if line.port]
    assert offered.media[index].port
    assert set(answered.media[index].formats) <= set(offered.media[index].formats)
    assert direction(answered, index) in MAY_ANSWER[direction(offered, index)]
    assert agreement.direction == direction(answered, index)
    assert (agreement.srtp_send is None) == (agreement.srtp_receive is None)
    if local.srtp.policy is Policy.REQUIRED:
        assert agreement.srtp_send is not None


@given(sections=SECTIONS, local=LOCALS)
def test_any_answer_is_taken_or_refused(sections: list[str], local: LocalMedia) -> None:
    leg = Negotiation(local)
    leg.offer()
    with suppress(SdpError):
        leg.conclude("\r\n".join(["v=0", "c=IN IP4 192.0.2.9", *sections]).encode())


@given(left=LOCALS, right=LOCALS)
def test_both_ends_see_the_same_stream(left: LocalMedia, right: LocalMedia) -> None:
    caller, callee = Negotiation(left), Negotiation(right)
    try:
        body, theirs = callee.answer(caller.offer())
    except NotAcceptable:
        return
    ours = caller.conclude(body)

    assert ours.codec.key == theirs.codec.key
    assert ours.send_payload_type == theirs.receive_payload_type
    assert ours.dtmf_send_payload_type == theirs.dtmf_receive_payload_type
    assert ours.srtp_send == theirs.srtp_receive


@given(st.binary(max_size=300))
def test_any_octets_in_a_media_section_raise_nothing_else(octets: bytes) -> None:
    body = b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 0 96\r\na=" + octets
    with suppress(SdpError):
        Negotiation(LocalMedia("192.0.2.1", 16384)).answer(body)


@pytest.mark.skipif(not TORTURE.is_dir(), reason="the torture messages are not here")
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("rfc4475/sdp01.dat", ["audio", "video"]),
        ("rfc5118/mult-ip-in-sdp.dat", ["audio", "video"]),
        ("rfc5118/ipv6-in-sdp.dat", ["audio", "video"]),
        ("rfc5118/ipv4-mapped-ipv6.dat", ["audio", "video"]),
    ],
)
def test_bodies_of_the_torture_messages(name: str, kinds: list[str]) -> None:
    body = (TORTURE / name).read_bytes().partition(b"\r\n\r\n")[2]

    assert [line.kind for line in SessionDescription.parse(body).media] == kinds
