"""What a trace remembers, whom it tells, and how it is drawn."""

from __future__ import annotations

import socket
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.types import Flow
from softswitch.transport.hep import HepSender, encode
from softswitch.transport.trace import Trace, Traced, ladder

US, ANNA, BORIS = ("192.0.2.1", 5060), ("192.0.2.11", 5071), ("2001:db8::12", 5072)
TO_ANNA, TO_BORIS = Flow("udp", US, ANNA), Flow("tcp", US, BORIS, 3)


def message(first: str, call_id: str = "one", user: str = "101") -> bytes:
    return (
        f"{first}\r\nFrom: <sip:{user}@pbx>;tag=1\r\nTo: <sip:102@pbx>\r\ni: {call_id}\r\n\r\n"
    ).encode()


def told(*messages: tuple[bool, Flow, bytes], kept: int = 100) -> Trace:
    ticks = count(1_700_000_000)
    trace = Trace(kept, clock=lambda: next(ticks) + 0.25)
    for incoming, flow, data in messages:
        trace.record(incoming, flow, data)
    return trace


CALL = (
    (True, TO_ANNA, message("INVITE sip:102@pbx SIP/2.0")),
    (False, TO_ANNA, message("SIP/2.0 100 Trying")),
    (False, TO_BORIS, message("INVITE sip:102@[2001:db8::12]:5072;transport=tcp SIP/2.0", "two")),
    (True, TO_BORIS, message("SIP/2.0 180 Ringing", "two")),
)


def test_the_ladder() -> None:
    assert ladder(told(*CALL).recent()) == [
        "                   192.0.2.11:5071              192.0.2.1:5060",
        "22:13:20.250              |--- INVITE sip:102@pbx --->|",
        "22:13:21.250              |<------- 100 Trying -------|",
        f"{'':19}192.0.2.11:5071              192.0.2.1:5060           [2001:db8::12]:5072",
        "22:13:22.250              |                           |- INVITE sip:102@[2001:d ->|",
        "22:13:23.250              |                           |<------ 180 Ringing -------|",
    ]


def test_only_so_much_is_kept() -> None:
    assert [each.first_line for each in told(*CALL, kept=1).recent()] == ["180 Ringing"]


def test_one_call_or_all_calls_of_an_extension() -> None:
    other = (True, TO_ANNA, message("OPTIONS sip:pbx SIP/2.0", "three", "1015"))
    trace = told(*CALL, other)

    assert len(trace.recent(call_id="one")) == 2
    assert len(trace.recent(extension="102")) == 5
    assert {each.call_id for each in trace.recent(extension="101")} == {"one", "two"}


def test_listeners_hear_from_now_on_until_they_stop() -> None:
    trace = told(CALL[0])
    heard: list[Traced] = []
    stop = trace.listen(heard.append)
    trace.record(*CALL[1])
    stop()
    trace.record(*CALL[2])

    assert [each.first_line for each in heard] == ["100 Trying"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([TO_ANNA, TO_BORIS]), st.binary())))
def test_anything_can_be_drawn(messages: list[tuple[bool, Flow, bytes]]) -> None:
    lines = ladder(
        told(*messages).recent(),
    )

    assert all(line.isprintable() for line in lines)


def test_a_crowd_fits_the_screen() -> None:
    flows = [Flow("udp", US, (f"192.0.2.{number}", 5060)) for number in range(20, 60)]
    lines = ladder(
        told(*((True, flow, message("OPTIONS sip:x SIP/2.0")) for flow in flows)).recent()
    )

    assert max(map(len, lines)) < 13 + 9 * 28


def test_a_hep_packet() -> None:
    """HEPv3: every chunk in hexadecimal, as Homer's specification lays them out."""
    packet = encode(Traced(1_700_000_000.25, True, TO_ANNA, message("OPTIONS sip:x SIP/2.0")), 7)
    payload = message("OPTIONS sip:x SIP/2.0")

    assert (
        packet
        == bytes.fromhex(
            "48455033"
            f"{len(packet):04x}"
            "0000 0001 0007 02"  # IPv4
            "0000 0002 0007 11"  # UDP
            "0000 0003 000a c000020b"  # source 192.0.2.11
            "0000 0004 000a c0000201"  # target 192.0.2.1
            "0000 0007 0008 13cf"  # source port 5071
            "0000 0008 0008 13c4"  # target port 5060
            "0000 0009 000a 6553f100"  # seconds
            "0000 000a 000a 0003d090"  # microseconds
            "0000 000b 0007 01"  # SIP
            "0000 000c 000a 00000007"  # capture id
            f"0000 000f {len(payload) + 6:04x}"
        )
        + payload
        + bytes.fromhex("0000 0011 0009")
        + b"one"
    )


def test_a_hep_packet_of_ipv6_over_tcp_with_a_password() -> None:
    packet = encode(Traced(1.0, False, Flow("tcp", ("::1", 5060), ("::2", 5070), 1), b"x"), 7, "pw")

    assert bytes.fromhex("0000 0001 0007 0a 0000 0002 0007 06 0000 0005 0016") in packet
    assert bytes.fromhex("0000 000e 0008") + b"pw" in packet


def test_copies_are_sent_to_the_collector() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(20)
        sender = HepSender(collector.getsockname(), 7)
        trace = told()
        trace.listen(sender)
        trace.record(*CALL[0])
        trace.record(True, Flow("udp", US, ("nonsense", 1)), b"x")
        sender.close()

        assert collector.recv(9999).startswith(b"HEP3")
        assert sender.lost == 1
