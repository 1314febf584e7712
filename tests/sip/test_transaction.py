"""The four machines: what they send, when, and what they absorb (RFC 3261 §17, RFC 6026)."""

from __future__ import annotations

import pytest

from softswitch.sip.draft import Draft
from softswitch.sip.layer import Transactions, server_key
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.timers import TimerHeap, Timers
from softswitch.sip.transaction import (
    ClientTransaction,
    ServerTransaction,
    State,
    Transmit,
)
from softswitch.sip.types import Destination, Flow, Instant, Target
from tests.support.builders import FLOW, PEER, US, ack_for, request

UDP = Target("udp", *PEER)
TCP = Target("tcp", *PEER)
STREAM = Flow("tcp", US, PEER, 7)
INVITE = Draft(
    "INVITE", "sip:b@192.0.2.7", "From: <sip:a@x>;tag=1\r\nCall-ID: c\r\n", "<sip:b@x>", 4
)
OPTIONS = Draft(
    "OPTIONS", "sip:b@192.0.2.7", "From: <sip:a@x>;tag=1\r\nCall-ID: c\r\n", "<sip:b@x>", 4
)


class Bench:
    """A transaction layer, what it sent, and what it told the owner."""

    def __init__(self) -> None:
        self.heap = TimerHeap()
        self.output: list[Transmit] = []
        self.heard: list[int | None] = []
        self.history: list[bytes] = []
        self.layer = Transactions(Timers(), self.heap, self.output, self.via, 1300)

    @staticmethod
    def via(destination: Destination, branch: str) -> str:
        return f"SIP/2.0/{destination.transport.upper()} 192.0.2.1:5060;branch={branch}"

    def send(self, draft: Draft, destination: Destination, at: Instant = 0.0) -> ClientTransaction:
        return self.layer.send(draft, destination, "z9hG4bKours", self.hear, at)

    def hear(self, response: Response | None) -> None:
        self.heard.append(response.status if response else None)

    def answer(self, status: int, method: str = "INVITE", at: Instant = 0.0) -> None:
        """What the peer answers finds its transaction, or nothing happens."""
        via = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours"
        text = (
            f"SIP/2.0 {status} x\r\n{via}\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\n"
            f"Call-ID: c\r\nCSeq: 4 {method}\r\nContent-Length: 0\r\n\r\n"
        )
        response = parse(text.encode())
        assert isinstance(response, Response)
        client = self.layer.find_client(response)
        if client is not None:
            client.receive(response, at)

    def serve(self, message: Request, flow: Flow = FLOW, at: Instant = 0.0) -> ServerTransaction:
        key = server_key(message, message.method)
        return self.layer.serve(key, message, flow, flow, at)

    def sent(self) -> list[str]:
        self.history += [data for data, _ in self.output]
        first = [data.split(b" ", 2) for data, _ in self.output]
        self.output.clear()
        return [(w[1] if w[0] == b"SIP/2.0" else w[0]).decode() for w in first]

    def play(self, until: Instant) -> list[tuple[Instant, list[str]]]:
        log = []
        while (at := self.heap.next_timeout()) is not None and at <= until:
            alarm = self.heap.take_due(at)
            assert alarm is not None
            alarm.ring(at)
            log.append((at, self.sent()))
        return log

    @property
    def alive(self) -> int:
        return len(self.layer.clients) + len(self.layer.servers)


# -- INVITE client, §17.1.1 ---------------------------------------------------------------


def test_an_unanswered_invite_is_repeated_doubling_and_given_up_after_64_t1() -> None:
    """§17.1.1.2: timer A doubles without limit, timer B ends it."""
    bench = Bench()
    client = bench.send(INVITE, UDP)
    assert bench.sent() == ["INVITE"]
    *repeats, last = bench.play(100.0)
    assert repeats == [(at, ["INVITE"]) for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert last == (32.0, [])
    assert (bench.heard, client.failure, bench.alive) == ([None], 408, 0)


def test_over_a_stream_an_invite_is_sent_once() -> None:
    """§17.1.1.2: "if a reliable transport is being used, the client SHOULD NOT start timer A"."""
    bench = Bench()
    bench.send(INVITE, TCP)
    bench.sent()
    assert bench.play(100.0) == [(32.0, [])]
    assert bench.heard == [None]


def test_a_provisional_response_stops_the_repetition_for_ever() -> None:
    """§17.1.1.2: "SHOULD NOT retransmit the request any longer" in Proceeding."""
    bench = Bench()
    bench.send(INVITE, UDP)
    bench.sent()
    bench.answer(100, at=0.2)
    bench.answer(180, at=0.3)
    assert bench.play(10_000.0) == []
    assert (bench.heard, bench.alive) == ([100, 180], 1)


@pytest.mark.parametrize("status", [302, 486, 603])
def test_a_refusal_is_acknowledged_each_time_and_told_once(status: int) -> None:
    """§17.1.1.2: in Completed, every repeated refusal gets the same ACK until timer D."""
    bench = Bench()
    bench.send(INVITE, UDP)
    bench.sent()
    bench.answer(status, at=1.0)
    first = bench.output[-1].data
    bench.answer(status, at=2.0)
    assert bench.output[-1].data == first
    assert bench.sent() == ["ACK", "ACK"]
    assert bench.heard == [status]
    assert bench.play(100.0) == [(33.0, [])]
    assert bench.alive == 0


def test_the_ack_of_a_refusal_repeats_the_invite_and_takes_the_response_s_to() -> None:
    """§17.1.1.3: same branch, Call-ID, From and CSeq number; To with the response's tag."""
    bench = Bench()
    bench.send(INVITE, UDP)
    bench.answer(486)
    ack = parse(bench.output[-1].data)
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, ack.cseq.number) == ("ACK", INVITE.uri, 4)
    assert (ack.via.branch, ack.to.tag, ack.from_.tag) == ("z9hG4bKours", "2", "1")


def test_every_success_reaches_the_owner_for_64_t1() -> None:
    """RFC 6026 §7.2: in Accepted, 2xx pass up and get no ACK here; refusals are dropped."""
    bench = Bench()
    bench.send(INVITE, UDP)
    bench.sent()
    for status, at in ((200, 1.0), (200, 1.5), (486, 2.0), (180, 3.0), (200, 30.0)):
        bench.answer(status, at=at)
    assert (bench.heard, bench.sent()) == ([200, 200, 200], [])
    assert bench.play(100.0) == [(33.0, [])]
    bench.answer(200, at=33.1)
    assert (bench.heard, bench.alive) == ([200, 200, 200], 0)


def test_over_a_stream_a_refused_invite_is_forgotten_at_once() -> None:
    """§17.1.1.2: timer D is zero for reliable transports."""
    bench = Bench()
    bench.send(INVITE, TCP)
    bench.answer(486)
    assert (bench.sent(), bench.alive) == (["INVITE", "ACK"], 0)


# -- non-INVITE client, §17.1.2 ----------------------------------------------------------


def test_an_unanswered_request_is_repeated_up_to_t2_apart() -> None:
    """§17.1.2.2: timer E doubles up to T2, timer F ends it."""
    bench = Bench()
    client = bench.send(OPTIONS, UDP)
    bench.sent()
    *repeats, last = bench.play(100.0)
    schedule = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert repeats == [(at, ["OPTIONS"]) for at in schedule]
    assert (last, client.failure, bench.heard) == ((32.0, []), 408, [None])


def test_a_provisional_response_slows_the_repetition_to_t2() -> None:
    """§17.1.2.2: in Proceeding, timer E is reset with T2; F still ends it."""
    bench = Bench()
    bench.send(OPTIONS, UDP)
    bench.sent()
    bench.answer(100, "OPTIONS", 0.2)
    assert [at for at, _ in bench.play(100.0)] == [
        0.5,
        4.5,
        8.5,
        12.5,
        16.5,
        20.5,
        24.5,
        28.5,
        32.0,
    ]
    assert bench.heard == [100, None]


def test_a_final_response_is_told_once_and_its_repetitions_absorbed_for_t4() -> None:
    bench = Bench()
    bench.send(OPTIONS, UDP)
    bench.sent()
    bench.answer(200, "OPTIONS", 1.0)
    bench.answer(200, "OPTIONS", 2.0)
    assert bench.heard == [200]
    assert bench.play(100.0) == [(6.0, [])]
    assert bench.alive == 0


def test_a_response_of_another_method_is_not_ours() -> None:
    """§17.1.3: the method in CSeq tells a CANCEL's response from the INVITE's."""
    bench = Bench()
    bench.send(OPTIONS, UDP)
    bench.answer(200, "INVITE")
    bench.answer(200, "CANCEL")
    assert bench.heard == []


def test_cancel_shares_the_branch_and_keeps_its_own_answers() -> None:
    """§9.1: a CANCEL has the INVITE's branch; §17.1.3: CSeq tells them apart."""
    bench = Bench()
    bench.send(INVITE, UDP)
    heard: list[int] = []
    bench.layer.send(
        INVITE.cancel(), UDP, "z9hG4bKours", lambda r: heard.append(r.status if r else 0), 0.0
    )
    bench.answer(200, "CANCEL")
    bench.answer(487)
    assert (heard, bench.heard) == ([200], [487])


# -- transport ---------------------------------------------------------------------------


def test_a_transport_failure_ends_what_was_not_answered() -> None:
    """§17.1.4, §8.1.3.1: the owner treats it as 503."""
    bench = Bench()
    waiting = bench.send(OPTIONS, UDP)
    bench.layer.transport_failed(UDP, 0.1)
    assert (waiting.failure, bench.heard, bench.alive) == (503, [None], 0)
    bench.layer.transport_failed(UDP, 0.2)
    assert bench.heard == [None]


def test_a_large_request_goes_by_tcp_and_by_udp_if_that_fails() -> None:
    """§18.1.1: larger than the path allows means a stream; no stream there means UDP."""
    bench = Bench()
    large = Draft("MESSAGE", "sip:b@192.0.2.7", INVITE.head, INVITE.to, 4, "", b"x" * 2000)
    client = bench.send(large, UDP)
    assert client.destination == TCP
    assert b"SIP/2.0/TCP" in bench.output[-1].data
    bench.layer.transport_failed(TCP, 1.0)
    assert client.destination == UDP
    assert b"SIP/2.0/UDP" in bench.output[-1].data
    bench.layer.transport_failed(UDP, 2.0)
    assert (client.failure, bench.heard) == (503, [None])


def test_a_large_request_keeps_to_the_flow_of_who_registered_by_udp() -> None:
    bench = Bench()
    large = Draft("MESSAGE", "sip:b@192.0.2.7", INVITE.head, INVITE.to, 4, "", b"x" * 2000)
    assert bench.send(large, FLOW).destination == FLOW


def test_answers_to_a_broken_connection_go_to_the_port_in_sent_by() -> None:
    """§18.2.2: "open a connection to the IP address in received … port in sent-by"."""
    bench = Bench()
    tx = bench.serve(request("INVITE", via="192.0.2.7:5080"), STREAM)
    bench.layer.transport_failed(STREAM, 0.0)
    assert tx.destination == Target("tcp", "192.0.2.7", 5080)


# -- INVITE server, §17.2.1 --------------------------------------------------------------


def test_a_repeated_invite_gets_the_last_provisional_again_octet_for_octet() -> None:
    bench, invite = Bench(), request("INVITE")
    tx = bench.serve(invite)
    tx.repeat()
    assert bench.output == []
    tx.respond(reply(invite, 100), 0.0)
    tx.respond(reply(invite, 180, to_tag="ours"), 0.1)
    for _ in range(10):
        tx.repeat()
    assert len({data for data, _ in bench.output[1:]}) == 1
    assert bench.sent() == ["100", *["180"] * 11]


def test_a_refusal_is_repeated_until_timer_h_gives_up() -> None:
    """§17.2.1: G doubles from T1 to T2; H gives up after 64*T1."""
    bench, invite = Bench(), request("INVITE")
    bench.serve(invite).respond(reply(invite, 486, to_tag="ours"), 0.0)
    bench.sent()
    *repeats, last = bench.play(100.0)
    schedule = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert repeats == [(at, ["486"]) for at in schedule]
    assert (last, bench.alive) == ((32.0, []), 0)


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_a_stranger_is_asked_for_his_password_once_and_forgotten(method: str) -> None:
    """§26.3.2.4: else whoever is named in a false Via gets eleven messages for one."""
    bench, asked = Bench(), request(method)
    bench.serve(asked).respond(reply(asked, 401, to_tag="ours"), 0.0)
    assert (bench.sent(), bench.alive) == (["401"], 0)
    assert bench.play(100.0) == []


def test_a_wrong_password_is_refused_once_and_remembered() -> None:
    """So that the same request again is not judged, and counted, again."""
    bench, asked = Bench(), request("INVITE", headers=("Authorization: Digest x=1",))
    tx = bench.serve(asked)
    tx.respond(reply(asked, 401, to_tag="ours"), 0.0)
    tx.repeat()
    assert bench.sent() == ["401", "401"]
    assert bench.play(100.0) == [(32.0, [])]


def test_over_a_stream_a_refusal_is_sent_once() -> None:
    bench, invite = Bench(), request("INVITE")
    bench.serve(invite, STREAM).respond(reply(invite, 486, to_tag="ours"), 0.0)
    bench.sent()
    assert bench.play(100.0) == [(32.0, [])]


def test_the_ack_ends_the_repetition_and_its_own_repetitions_are_absorbed() -> None:
    """§17.2.1: Confirmed absorbs ACKs for T4 (timer I)."""
    bench, invite = Bench(), request("INVITE")
    tx = bench.serve(invite)
    tx.respond(reply(invite, 486, to_tag="ours"), 0.0)
    bench.sent()
    assert tx.receive_ack(0.3)  # type: ignore[attr-defined]
    assert tx.receive_ack(0.4)  # type: ignore[attr-defined]
    assert bench.play(100.0) == [(5.3, [])]
    assert bench.alive == 0


def test_after_a_success_repeated_invites_are_absorbed_and_acks_passed_on() -> None:
    """RFC 6026 §7.1: Accepted answers nothing itself and lasts 64*T1 (timer L)."""
    bench, invite = Bench(), request("INVITE")
    tx = bench.serve(invite)
    tx.respond(reply(invite, 200, to_tag="ours"), 0.0)
    bench.sent()
    tx.repeat()
    assert bench.sent() == []
    assert not tx.receive_ack(0.1)  # type: ignore[attr-defined]
    assert tx.state is State.ACCEPTED
    assert bench.play(100.0) == [(32.0, [])]


def test_nothing_follows_a_final_response() -> None:
    bench, invite = Bench(), request("INVITE")
    tx = bench.serve(invite)
    for status in (200, 486, 180, 200):
        tx.respond(reply(invite, status, to_tag="ours"), 0.0)
    assert bench.sent() == ["200"]


# -- non-INVITE server, §17.2.2 ----------------------------------------------------------


def test_a_repeated_request_is_silent_until_answered_then_gets_the_same_answer() -> None:
    """§17.2.2: Trying discards, Proceeding and Completed repeat; timer J is 64*T1."""
    bench, options = Bench(), request()
    tx = bench.serve(options)
    tx.repeat()
    assert bench.sent() == []
    tx.respond(reply(options, 100), 1.0)
    tx.repeat()
    assert bench.sent() == ["100", "100"]
    tx.respond(reply(options, 200, to_tag="ours"), 2.0)
    tx.respond(reply(options, 404, to_tag="ours"), 2.1)
    tx.repeat()
    assert bench.sent() == ["200", "200"]
    assert bench.play(100.0) == [(34.0, [])]


def test_over_a_stream_an_answered_request_is_forgotten_at_once() -> None:
    bench, options = Bench(), request()
    bench.serve(options, STREAM).respond(reply(options, 200, to_tag="ours"), 0.0)
    assert bench.alive == 0


def test_a_request_that_nobody_answers_is_forgotten_with_its_client() -> None:
    bench = Bench()
    bench.serve(request())
    assert bench.play(100.0) == [(32.0, [])]
    assert bench.alive == 0


# -- matching, §17.2.3 -------------------------------------------------------------------


def test_a_branch_of_rfc_3261_is_matched_with_sent_by_and_method() -> None:
    first = request("INVITE", branch="z9hG4bKx", number=1)
    assert server_key(first, "INVITE") == server_key(
        request("ACK", branch="z9hG4bKx", call_id="other"), "INVITE"
    )
    for other in (
        request("INVITE", branch="z9hG4bKx", via="192.0.2.7:5062"),
        request("INVITE", branch="z9hG4bKx", via="192.0.2.8:5060"),
        request("INVITE", branch="z9hG4bKx", number=2),  # pyVoIP, after a challenge
        request("INVITE", branch="z9hG4bKy"),
    ):
        assert server_key(first, "INVITE") != server_key(other, "INVITE")
    assert server_key(first, "INVITE") != server_key(first, "CANCEL")


def test_without_magic_cookie_all_that_rfc_2543_had_must_be_equal() -> None:
    """§17.2.3: Request-URI, From tag, Call-ID, CSeq number and top Via; the ACK's To differs."""
    first = request("INVITE", branch="1")
    same = request("ACK", branch="1", to_tag="ours")
    assert server_key(first, "INVITE") == server_key(same, "INVITE")
    for other in (
        request("INVITE", branch="1", uri="sip:other@192.0.2.1"),
        request("INVITE", branch="1", from_tag="x"),
        request("INVITE", branch="1", call_id="x"),
        request("INVITE", branch="1", number=2),
        request("INVITE", branch="2"),
        request("INVITE", branch=""),
    ):
        assert server_key(first, "INVITE") != server_key(other, "INVITE")


def test_an_ack_without_branch_finds_the_refused_invite() -> None:
    bench, invite = Bench(), request("INVITE", branch="")
    tx = bench.serve(invite)
    refusal = reply(invite, 486, to_tag="ours")
    tx.respond(refusal, 0.0)
    ack = ack_for(refusal, invite)
    assert bench.layer.servers[server_key(ack, "INVITE")] is tx


def test_a_failure_is_told_to_those_alone_whose_way_it_was() -> None:
    """§18.4; and nobody else is even looked at, however many there are."""
    bench = Bench()
    for number in range(50):
        elsewhere = Target("udp", "192.0.2.9", 5060 + number)
        bench.layer.send(OPTIONS, elsewhere, f"z9hG4bK{number}", bench.hear, 0.0)
    bench.send(OPTIONS, UDP)
    assert set(bench.layer.waiting[UDP]) == {bench.layer.clients["z9hG4bKours"]}
    bench.layer.transport_failed(Target("udp", "203.0.113.1", 5060), 0.0)
    assert bench.heard == []
    bench.layer.transport_failed(UDP, 0.0)
    assert (bench.heard, UDP in bench.layer.waiting) == ([None], False)
    bench.play(100.0)
    assert not bench.layer.waiting
