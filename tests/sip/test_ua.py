"""What the user agent asks of every message, and what it survives (RFC 3261 §8.2)."""

from __future__ import annotations

import pytest

from softswitch.sip.callee import Callee
from softswitch.sip.events import Event
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.transaction import ServerTransaction
from softswitch.sip.types import Flow, ParseError, Target
from tests.sip.test_callee import answered
from tests.support.builders import ANSWER, FLOW, OFFER, PEER, US, ack_for, request, response
from tests.support.wire import Script


@pytest.mark.parametrize(
    ("message", "status", "header"),
    [
        (request("DANCE"), 501, "Allow"),
        (request(uri="mailto:us@example.org"), 416, None),
        (request(headers=("Require: 100rel, flying, Swimming",)), 420, "Unsupported"),
        (request("INVITE", headers=("Require: flying",)), 420, "Unsupported"),
        (request("INVITE", body=b"x", content_type="text/plain"), 415, "Accept"),
        (request("INVITE", body=OFFER, headers=("Content-Encoding: gzip",)), 415, "Accept"),
        (request("INVITE", headers=("Accept: text/nobody-knows",)), 406, None),
        (request("BYE", to_tag="nobody"), 481, None),
        (request("INFO", to_tag="nobody"), 481, None),
        (request("SUBSCRIBE", to_tag="nobody"), 481, None),
    ],
)
def test_what_cannot_be_served_is_refused_for_its_first_fault(
    message: Request, status: int, header: str | None
) -> None:
    script = Script()
    script.receive(message)
    refusal = script.response()
    assert refusal.status == status
    assert refusal.to.tag
    assert header is None or header in refusal.headers
    assert script.ua.counters[f"refused_{status}"] == 1
    if message.method == "INVITE":
        script.receive(ack_for(refusal, message))
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_unsupported_names_what_we_lack_and_nothing_else() -> None:
    """§8.2.2.3."""
    script = Script()
    script.receive(request(headers=("Require: 100rel, flying, Swimming",)))
    assert script.response().headers.get("Unsupported") == "flying, swimming"


@pytest.mark.parametrize(
    "headers",
    [
        ("Accept: application/sdp;level=1, text/x",),
        ("Accept: application/*",),
        ("Require: timer",),
        ("Content-Disposition: render;handling=optional",),
    ],
)
def test_what_can_be_served_is(headers: tuple[str, ...]) -> None:
    script = Script()
    body = b"x" if "Disposition" in headers[0] else b""
    script.receive(request("INVITE", headers=headers, body=body, content_type="text/plain"))
    assert script.summary() == ["480"]  # no hook is set: nobody takes calls here


def test_a_call_that_is_challenged_at_once_gets_no_100_before() -> None:
    """After a 100, pyVoIP takes no challenge; a 100 is owed only to who must wait (§17.2.1)."""
    script = Script()
    script.ua.on_invite = lambda session: session.reject(401)
    script.receive(request("INVITE", body=OFFER))
    assert script.summary() == ["401"]
    script.ua.on_invite = lambda session: None
    script.receive(request("INVITE", body=OFFER, number=2))
    assert script.summary() == ["100"]


def test_a_multipart_body_is_searched_for_its_description() -> None:
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"--b\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--b--\r\n"
    )
    script = Script()
    sessions: list[Callee] = []
    script.ua.on_invite = sessions.append
    script.receive(request("INVITE", body=body, content_type="multipart/mixed;boundary=b"))
    assert sessions[0].remote_sdp == OFFER


def test_the_same_request_by_two_ways_is_served_once() -> None:
    """§8.2.2.2: a fork before us; the second copy gets 482."""
    script = Script()
    script.ua.on_invite = lambda session: None
    first = request("INVITE", branch="z9hG4bKone")
    script.receive(first)
    script.receive(request("INVITE", branch="z9hG4bKtwo"))
    assert script.summary() == ["100", "482"]


def test_whoever_repeats_a_cseq_after_a_challenge_is_forgiven() -> None:
    """Clumsy phones do not count on; the refused copy is no longer under way."""
    script = Script()
    script.ua.on_request = lambda tx, asked: script.ua.respond(tx, reply(asked, 401))
    script.receive(request("REGISTER"))
    script.receive(request("REGISTER"))
    assert script.summary() == ["401", "401"]


def test_other_requests_are_the_hook_s_and_repeated_ones_are_not() -> None:
    script = Script()
    seen: list[str] = []

    def on_request(tx: ServerTransaction, asked: Request) -> None:
        seen.append(asked.method)
        script.ua.respond(tx, reply(asked, 200, to_tag="ours"))

    script.ua.on_request = on_request
    for _ in range(3):
        for method in ("OPTIONS", "REGISTER", "MESSAGE"):
            script.receive(request(method, branch=f"z9hG4bK{method}", call_id=method))
    assert seen == ["OPTIONS", "REGISTER", "MESSAGE"]
    assert script.summary() == ["200"] * 9


def test_without_hooks_nothing_is_served() -> None:
    script = Script()
    script.receive(request("MESSAGE"))
    assert script.response().status == 403


# -- faulty messages -----------------------------------------------------------------------


def test_a_faulty_request_is_answered_and_leaves_no_trace() -> None:
    script = Script()
    text = b"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1;rport\r\n\r\n"
    with pytest.raises(ParseError) as caught:
        parse(text)
    script.ua.receive_faulty(caught.value, FLOW)
    [transmit] = script.ua.drain()
    assert transmit.data.startswith(b"SIP/2.0 400 ")
    assert transmit.destination == FLOW
    assert set(script.ua.overview().values()) == {0}
    assert script.ua.counters["faulty"] == 1


def test_faults_that_cannot_be_answered_meet_silence() -> None:
    script = Script()
    script.ua.receive_faulty(ParseError("no idea"), FLOW)
    assert script.sent() == []


def test_a_response_to_nothing_is_counted() -> None:
    script = Script()
    session = script.call()
    invite = script.request()
    session.hangup()
    script.run(100.0)
    script.receive(response(invite, 200))
    assert script.sent() == []
    assert script.ua.counters["stray_responses"] == 1


# -- our own faults ------------------------------------------------------------------------


class FeatureError(Exception):
    """A fault in a feature."""


def crash(*_: object) -> None:
    raise FeatureError


def observed(script: Script) -> list[Session | None]:
    crashes: list[Session | None] = []
    script.ua.on_crash = lambda fault, session: crashes.append(session)
    return crashes


def test_a_hook_that_fails_costs_its_call_a_500_and_nobody_else_anything() -> None:
    script = Script()
    crashes = observed(script)
    script.ua.on_invite = crash
    invite = request("INVITE")
    script.receive(invite)
    [refusal] = script.sent()
    assert isinstance(refusal, Response)
    assert refusal.status == 500
    assert len(crashes) == 1
    script.receive(ack_for(refusal, invite))
    script.ua.on_request = crash
    script.receive(request("MESSAGE", call_id="other"))
    assert script.response().status == 500
    assert script.ua.counters["crashes"] == 2
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_an_event_handler_that_fails_ends_its_established_call_by_bye() -> None:
    script = Script()
    session, invite, success = answered(script)
    crashes = observed(script)
    session.on_event = crash
    script.receive(ack_for(success, invite))
    assert script.summary() == ["BYE"]
    assert crashes == [session]
    assert script.ua.overview()["sessions"] == 0


def test_an_event_handler_that_fails_cancels_its_call() -> None:
    script = Script()
    crashes = observed(script)
    session = script.call(on_event=crash)
    invite = script.request()
    script.receive(response(invite, 180))
    assert script.summary() == ["CANCEL"]
    assert crashes == [session]
    script.receive(response(invite, 487))
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


# -- where answers go, RFC 3261 §18.2, RFC 3581 ---------------------------------------------


@pytest.mark.parametrize(
    ("via", "remote", "answered_to", "received", "rport"),
    [
        ("192.0.2.7:5060", PEER, PEER, None, None),
        ("192.0.2.7", PEER, PEER, None, None),
        ("192.0.2.7:5062", PEER, ("192.0.2.7", 5062), None, None),
        ("192.0.2.7:5062;rport", PEER, PEER, "192.0.2.7", 5060),
        (
            "10.1.1.1:5060;rport",
            ("198.51.100.1", 4000),
            ("198.51.100.1", 4000),
            "198.51.100.1",
            4000,
        ),
        ("10.1.1.1:5062", ("198.51.100.1", 4000), ("198.51.100.1", 5062), "198.51.100.1", None),
        ("192.0.2.7;received=192.0.2.99", PEER, PEER, "192.0.2.7", None),
        ("192.0.2.7;rport=99", PEER, PEER, "192.0.2.7", 5060),
        ("192.0.2.7;maddr=192.0.2.66", PEER, PEER, None, None),
    ],
)
def test_answers_go_back_to_where_the_request_came_from(
    via: str,
    remote: tuple[str, int],
    answered_to: tuple[str, int],
    received: str | None,
    rport: int | None,
) -> None:
    script = Script()
    script.receive(request("MESSAGE", via=via), Flow("udp", US, remote))
    [transmit] = script.ua.drain()
    assert transmit.destination == Flow("udp", US, answered_to)
    answer = parse(transmit.data)
    assert (answer.via.received, answer.via.rport) == (received, rport)


def test_a_symmetric_peer_is_answered_where_it_sent_from_though_it_asks_for_nothing() -> None:
    """Old phones behind NAT know no rport."""
    script = Script(UaSettings(symmetric=True, address=US))
    outside = Flow("udp", US, ("198.51.100.1", 4000))
    script.receive(request("MESSAGE", via="10.1.1.1:5062"), outside)
    [transmit] = script.ua.drain()
    assert transmit.destination == outside


def test_over_a_stream_answers_go_back_along_it() -> None:
    script = Script()
    flow = Flow("tcp", US, ("192.0.2.7", 40000), 9)
    script.receive(request("MESSAGE", via="192.0.2.7:5060"), flow)
    [transmit] = script.ua.drain()
    assert transmit.destination == flow


def test_ipv6_is_written_with_brackets_where_it_must_be() -> None:
    script = Script()
    flow = Flow("udp", ("2001:db8::1", 5060), ("2001:db8::7", 5060))
    script.ua.on_invite = lambda session: session.progress(180)
    script.receive(request("INVITE", via="[2001:db8::7]:5060"), flow)
    [ringing] = script.sent()
    assert ringing.contacts[0].uri == "sip:[2001:db8::1]:5060"
    script.ua.advertise = lambda destination: ("2001:db8::1", 5060)
    script.call(target=Target("udp", "2001:db8::7", 5060))
    assert script.request().via.host == "[2001:db8::1]"


# -- requests of ours outside dialogs -------------------------------------------------------


def test_a_request_of_ours_gets_what_it_lacks_and_its_challenge_answered() -> None:
    script = Script()
    heard: list[int | None] = []
    options = Request("OPTIONS", "sip:192.0.2.7")
    options.headers.add("From", "<sip:us@example.org>")
    options.headers.add("To", "<sip:192.0.2.7>")
    options.headers.add("Subject", "ping")
    script.ua.request(
        options,
        Target("udp", *PEER),
        lambda answer: heard.append(answer.status if answer else None),
        lambda method, uri, challenge: ("Proxy-Authorization", "Digest"),
    )
    first = script.request()
    assert first.from_.tag
    assert (first.cseq.number, first.max_forwards) == (1, 70)
    assert first.headers.get("Subject") == "ping"
    script.receive(response(first, 407))
    second = script.request()
    assert (second.cseq.number, second.call_id) == (2, first.call_id)
    assert second.headers.get("Proxy-Authorization") == "Digest"
    script.receive(response(second, 100))
    script.receive(response(second, 200))
    assert heard == [200]


def test_a_line_break_in_a_header_is_a_fault_of_ours() -> None:
    script = Script()
    with pytest.raises(ValueError, match="line break"):
        script.call(headers=[("Subject", "x\r\nRoute: <sip:evil>")])


def test_replaces_finds_the_session_that_it_means() -> None:
    """RFC 3891 §3: to-tag is ours, from-tag the peer's."""
    script = Script()
    session, _, _ = answered(script)
    assert script.ua.find_session("a-call", session.local_tag, "theirs") is session
    assert script.ua.find_session("a-call", "theirs", session.local_tag) is None


def test_events_may_end_the_call_they_tell_of() -> None:
    """Verbs are allowed from within handlers."""
    script = Script()
    session, invite, success = answered(script)

    def hang_up(event: Event) -> None:
        script.events.append(event)
        session.hangup()

    session.on_event = hang_up
    script.receive(ack_for(success, invite))
    script.receive(response(script.request(), 200))
    assert len(script.events) == 2


def test_answering_within_the_hook_is_allowed() -> None:
    script = Script()

    def on_invite(session: Callee) -> None:
        session.progress(180)
        session.accept(ANSWER)

    script.ua.on_invite = on_invite
    script.receive(request("INVITE", body=OFFER))
    assert script.summary() == ["180", "200"]
