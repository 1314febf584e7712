"""Offers and answers: RFC 3264, RFC 4568, and the habits of phones."""

from __future__ import annotations

import pytest

from softswitch.sdp import (
    G722,
    OPUS,
    PCMA,
    PCMU,
    Agreement,
    Codec,
    Direction,
    LocalMedia,
    NotAcceptable,
    Policy,
    SessionDescription,
    Srtp,
    answer,
    conclude,
    family,
    offer,
)

LOCAL = LocalMedia("192.0.2.1", 16384, session_id=77)
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # RFC 4568 §9.1, 30 octets


def described(*lines: str, address: str = "192.0.2.9") -> SessionDescription:
    """A peer's description with these lines after the usual beginning."""
    version = 6 if ":" in address else 4
    head = [
        "v=0",
        f"o=- 1 1 IN IP{version} {address}",
        "s=-",
        f"c=IN IP{version} {address}",
        "t=0 0",
    ]
    return SessionDescription.parse("\r\n".join([*head, *lines]).encode())


def agreed(*lines: str, local: LocalMedia = LOCAL, address: str = "192.0.2.9") -> Agreement:
    return answer(described(*lines, address=address), local)[1]


def answered(*lines: str, local: LocalMedia = LOCAL) -> list[str]:
    """The lines of our answer from the first m= on."""
    text = answer(described(*lines), local)[0].encode().decode()
    return text[text.index("m=") :].split("\r\n")[:-1]


def test_an_ordinary_offer_is_answered_with_what_both_know() -> None:
    body, agreement = answer(
        described(
            "m=audio 4000 RTP/AVP 0 8 18 101",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
        ),
        LOCAL,
    )
    assert body.encode().decode().split("\r\n") == [
        "v=0",
        "o=- 77 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 16384 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    assert (agreement.remote_address, agreement.remote_port) == ("192.0.2.9", 4000)
    assert agreement.remote_rtcp == ("192.0.2.9", 4001)
    assert agreement.codecs == (PCMA,)
    assert (agreement.send_payload_type, agreement.receive_payload_type) == (8, 8)
    assert agreement.direction is Direction.SENDRECV
    assert not agreement.held


def test_our_order_of_codecs_counts() -> None:
    local = LocalMedia("192.0.2.1", 16384, codecs=(PCMU, PCMA))

    assert agreed("m=audio 4000 RTP/AVP 8 0", local=local).codec == PCMU


def test_every_other_line_is_refused_in_its_place() -> None:
    """RFC 3264 §6: "the answer MUST have exactly the same number of m= lines"."""
    assert [
        line
        for line in answered(
            "m=image 4002 udptl t38",
            "m=audio 4000 RTP/AVP 0",
            "m=audio 4004 RTP/AVP 8",
            "m=video 4006 RTP/AVP 96 97",
            "m=audio 0 RTP/AVP 0",
        )
        if line.startswith("m=")
    ] == [
        "m=image 0 udptl t38",
        "m=audio 16384 RTP/AVP 0",
        "m=audio 0 RTP/AVP 8",
        "m=video 0 RTP/AVP 96 97",
        "m=audio 0 RTP/AVP 0",
    ]


def test_the_first_usable_audio_line_is_taken() -> None:
    """RTP/SAVP beside RTP/AVP, as phones with optional encryption offer."""
    crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
    lines = ["m=audio 4000 RTP/SAVP 0", crypto, "m=audio 4002 RTP/AVP 0"]

    assert agreed(*lines).remote_port == 4002
    assert agreed(*lines, local=secured(Policy.OPTIONAL)).remote_port == 4000


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ([], 304),
        (["m=video 4000 RTP/AVP 96"], 304),
        (["m=audio 0 RTP/AVP 0"], 304),
        (["m=audio 4000 RTP/AVP 2 18"], 305),
        (["m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], 305),
        (["m=audio 4000 RTP/AVP 13"], 305),
        (["m=audio 4000 RTP/AVP"], 305),
        (["m=audio 4000 RTP/SAVP 0"], 302),
        (["m=audio 4000 UDP/TLS/RTP/SAVPF 0"], 302),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example.com"], 301),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"], 301),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::9"], 301),
        (["m=audio 4000 RTP/AVP 0", "c=IN IP6 fe80::1%eth0"], 301),
        (["m=audio 4000 RTP/AVP " + "0 " * 200], 305),
    ],
)
def test_where_nothing_fits_the_offer_is_not_acceptable(lines: list[str], warning: int) -> None:
    with pytest.raises(NotAcceptable) as caught:
        agreed(*lines)
    assert caught.value.warning == warning


@pytest.mark.parametrize(
    ("said", "ours", "held"),
    [
        ("sendrecv", Direction.SENDRECV, False),
        ("sendonly", Direction.RECVONLY, True),
        ("recvonly", Direction.SENDONLY, False),
        ("inactive", Direction.INACTIVE, True),
    ],
)
def test_direction_is_turned_round(said: str, ours: Direction, held: bool) -> None:
    agreement = agreed("m=audio 4000 RTP/AVP 0", f"a={said}")

    assert (agreement.direction, agreement.held) == (ours, held)
    assert f"a={ours}" in answered("m=audio 4000 RTP/AVP 0", f"a={said}")


def test_a_direction_of_the_session_holds_for_streams_that_say_nothing() -> None:
    assert agreed("a=sendonly", "m=audio 4000 RTP/AVP 0").direction is Direction.RECVONLY
    lines = ["a=sendonly", "m=audio 4000 RTP/AVP 0", "a=sendrecv"]
    assert agreed(*lines).direction is Direction.SENDRECV


@pytest.mark.parametrize("zeros", ["IN IP4 0.0.0.0", "IN IP6 ::"])
def test_hold_of_the_old_style(zeros: str) -> None:
    """RFC 3264 §8.4: an address of zeros means that nothing is to be sent there."""
    agreement = agreed("m=audio 4000 RTP/AVP 0", f"c={zeros}")

    assert (agreement.direction, agreement.held) == (Direction.RECVONLY, True)


def test_dynamic_numbers_are_kept_as_the_peer_offered_them() -> None:
    local = LocalMedia("192.0.2.1", 16384, codecs=(OPUS, G722))
    lines = answered(
        "m=audio 4000 RTP/AVP 111 9 110 126",
        "a=rtpmap:111 OPUS/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:9 G722/16000",
        "a=rtpmap:110 telephone-event/48000",
        "a=rtpmap:126 telephone-event/8000",
        local=local,
    )
    assert lines[:4] == [
        "m=audio 16384 RTP/AVP 111 9 110 126",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 useinbandfec=1",
        "a=rtpmap:9 G722/8000",
    ]


@pytest.mark.parametrize(
    ("codecs", "number", "clock"),
    [((OPUS, PCMA), 110, 48000), ((PCMA, OPUS), 126, 8000), ((G722,), 126, 8000)],
)
def test_events_run_at_the_clock_of_the_codec(
    codecs: tuple[Codec, ...], number: int, clock: int
) -> None:
    """RFC 4733 §2.1: what Chromium offers, and which of the two is meant."""
    agreement = agreed(
        "m=audio 4000 RTP/AVP 111 9 8 110 126",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:110 telephone-event/48000",
        "a=rtpmap:126 telephone-event/8000",
        local=LocalMedia("192.0.2.1", 16384, codecs=codecs),
    )
    assert (agreement.dtmf_send_payload_type, agreement.dtmf_clock_rate) == (number, clock)


def test_events_at_another_clock_are_better_than_none() -> None:
    """baresip offers Opus with events of 8000 Hz only."""
    agreement = agreed(
        "m=audio 4000 RTP/AVP 96 97",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:97 telephone-event/8000",
        local=LocalMedia("192.0.2.1", 16384, codecs=(OPUS,)),
    )
    assert (agreement.dtmf_receive_payload_type, agreement.dtmf_clock_rate) == (97, 8000)


def test_no_events_where_the_peer_has_none() -> None:
    assert agreed("m=audio 4000 RTP/AVP 0").dtmf_send_payload_type is None


def test_comfort_noise_only_where_it_is_wanted() -> None:
    wanting = LocalMedia("192.0.2.1", 16384, comfort_noise=True)

    assert not agreed("m=audio 4000 RTP/AVP 0 13").comfort_noise
    assert agreed("m=audio 4000 RTP/AVP 0 13", local=wanting).comfort_noise
    assert answered("m=audio 4000 RTP/AVP 0 13", local=wanting)[0] == "m=audio 16384 RTP/AVP 0 13"


@pytest.mark.parametrize(
    ("lines", "ptime"),
    [
        ([], 20),
        (["a=ptime:30"], 30),
        (["a=ptime:35"], 20),
        (["a=ptime:" + "9" * 5000], 20),
        (["a=maxptime:150"], 20),
        (["a=ptime:60", "a=maxptime:40"], 40),
        (["a=maxptime:0"], 10),
    ],
)
def test_packets_are_as_long_as_the_peer_likes(lines: list[str], ptime: int) -> None:
    assert agreed("m=audio 4000 RTP/AVP 0", *lines).ptime == ptime


@pytest.mark.parametrize(
    ("lines", "rtcp", "mux"),
    [
        (["a=rtcp:4100"], ("192.0.2.9", 4100), False),
        (["a=rtcp:4100 IN IP4 192.0.2.8"], ("192.0.2.8", 4100), False),
        (["a=rtcp:4100 nonsense"], ("192.0.2.9", 4100), False),
        (["a=rtcp:70000"], ("192.0.2.9", 4001), False),
        (["a=rtcp-mux", "a=rtcp:4100"], ("192.0.2.9", 4000), True),
    ],
)
def test_where_rtcp_goes(lines: list[str], rtcp: tuple[str, int], mux: bool) -> None:
    agreement = agreed("m=audio 4000 RTP/AVP 0", *lines)

    assert (agreement.remote_rtcp, agreement.rtcp_mux) == (rtcp, mux)
    assert ("a=rtcp-mux" in answered("m=audio 4000 RTP/AVP 0", *lines)) is mux


def test_our_own_rtcp_port_is_named_where_it_is_not_the_next() -> None:
    odd = LocalMedia("192.0.2.1", 16384, rtcp_port=20001)

    assert "a=rtcp:20001" in answered("m=audio 4000 RTP/AVP 0", local=odd)
    next_door = LocalMedia("192.0.2.1", 16384, rtcp_port=16385)
    assert "rtcp" not in "".join(answered("m=audio 4000 RTP/AVP 0", local=next_door))


def test_ipv6() -> None:
    remote = described("m=audio 4000 RTP/AVP 0", address="2001:db8::9")
    body, agreement = answer(remote, LocalMedia("2001:db8::1", 16384))

    assert family(remote) == 6
    assert agreement.remote_address == "2001:db8::9"
    assert b"c=IN IP6 2001:db8::1\r\n" in body.encode()


def test_mapped_ipv4_is_ipv4() -> None:
    """RFC 5118 §4.10 shows such a body."""
    remote = described("m=audio 4000 RTP/AVP 0", address="::ffff:192.0.2.2")

    assert family(remote) == 4
    assert answer(remote, LOCAL)[1].remote_address == "192.0.2.2"


def test_the_time_of_the_offer_is_repeated() -> None:
    """RFC 3264 §6: "the "t=" line in the answer MUST equal that of the offer"."""
    remote = described("m=audio 4000 RTP/AVP 0")
    remote.time = "3338481189 3370017201"

    assert answer(remote, LOCAL)[0].time == "3338481189 3370017201"


def secured(policy: Policy) -> LocalMedia:
    srtp = Srtp.draw(policy, random=lambda size: bytes(range(size)))
    return LocalMedia("192.0.2.1", 16384, srtp=srtp)


def test_keys_of_the_peers_first_good_suite_are_taken() -> None:
    body, agreement = answer(
        described(
            "m=audio 4000 RTP/SAVP 0",
            f"a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}",
            "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:tooshort",
            f"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4",
            f"a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP",
            f"a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^31",
            f"a=crypto:6 AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
        ),
        secured(Policy.REQUIRED),
    )
    assert agreement.srtp_receive is not None and agreement.srtp_send is not None
    assert agreement.srtp_receive.suite == agreement.srtp_send.suite == "AES_CM_128_HMAC_SHA1_32"
    assert len(agreement.srtp_receive.key) == 30
    assert agreement.srtp_send.key == bytes(range(30))
    crypto = [line for line in body.media[0].attributes if line.startswith("crypto")]
    assert [line.split()[0] for line in crypto] == ["crypto:5"]


@pytest.mark.parametrize(
    ("policy", "protocol", "keys", "outcome"),
    [
        (Policy.NONE, "RTP/AVP", True, "plain"),
        (Policy.NONE, "RTP/SAVP", True, "refused"),
        (Policy.OPTIONAL, "RTP/AVP", False, "plain"),
        (Policy.OPTIONAL, "RTP/AVP", True, "secure"),
        (Policy.OPTIONAL, "RTP/SAVP", True, "secure"),
        (Policy.OPTIONAL, "RTP/SAVP", False, "refused"),
        (Policy.REQUIRED, "RTP/AVP", False, "refused"),
        (Policy.REQUIRED, "RTP/AVP", True, "secure"),
        (Policy.REQUIRED, "RTP/SAVP", True, "secure"),
    ],
)
def test_who_is_encrypted(policy: Policy, protocol: str, keys: bool, outcome: str) -> None:
    lines = [f"m=audio 4000 {protocol} 0"]
    lines += [f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"] * keys
    try:
        found = "secure" if agreed(*lines, local=secured(policy)).srtp_send else "plain"
    except NotAcceptable:
        found = "refused"

    assert found == outcome


@pytest.mark.parametrize(
    ("policy", "protocol", "keys"),
    [
        (Policy.NONE, "RTP/AVP", 0),
        (Policy.OPTIONAL, "RTP/AVP", 3),
        (Policy.REQUIRED, "RTP/SAVP", 3),
    ],
)
def test_what_an_offer_says_about_encryption(policy: Policy, protocol: str, keys: int) -> None:
    (line,) = offer(secured(policy)).media

    assert line.protocol == protocol
    assert sum(attribute.startswith("crypto:") for attribute in line.attributes) == keys


def test_two_of_us_agree_whoever_offers() -> None:
    """Offer, answer and conclusion see the same stream from both ends."""
    left = LocalMedia("192.0.2.1", 16384, codecs=(OPUS, PCMA), srtp=Srtp.draw(Policy.REQUIRED))
    right = LocalMedia("192.0.2.2", 20000, codecs=(G722, OPUS), srtp=Srtp.draw(Policy.OPTIONAL))
    offered = offer(left)
    body, theirs = answer(SessionDescription.parse(offered.encode()), right)
    ours = conclude(offered, SessionDescription.parse(body.encode()), left)

    assert (ours.remote_address, ours.remote_port) == ("192.0.2.2", 20000)
    assert ours.codec.key == theirs.codec.key == OPUS.key
    assert ours.srtp_send == theirs.srtp_receive
    assert ours.srtp_receive == theirs.srtp_send
    assert ours.dtmf_send_payload_type == theirs.dtmf_receive_payload_type
    assert ours.dtmf_clock_rate == 48000


def test_an_answer_may_number_the_codec_differently() -> None:
    """RFC 3264 §5.1: each side sends under the numbers that the other side named."""
    local = LocalMedia("192.0.2.1", 16384, codecs=(OPUS,))
    answered = described("m=audio 4000 RTP/AVP 120", "a=rtpmap:120 opus/48000/2")
    agreement = conclude(offer(local), answered, local)

    assert (agreement.send_payload_type, agreement.receive_payload_type) == (120, 96)


def test_an_answer_that_explains_no_numbers_means_ours() -> None:
    local = LocalMedia("192.0.2.1", 16384, codecs=(OPUS, PCMA))
    agreement = conclude(offer(local), described("m=audio 4000 RTP/AVP 96 102"), local)

    assert agreement.codec.key == OPUS.key
    assert (agreement.dtmf_send_payload_type, agreement.dtmf_clock_rate) == (102, 48000)


@pytest.mark.parametrize("lines", [[], ["m=audio 0 RTP/AVP 0"], ["m=video 4000 RTP/AVP 8"]])
def test_a_refused_stream_ends_the_negotiation(lines: list[str]) -> None:
    with pytest.raises(NotAcceptable):
        conclude(offer(LOCAL), described(*lines), LOCAL)
