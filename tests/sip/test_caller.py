"""Calls that go out: forks, CANCEL and its races, second attempts, reliable provisionals."""

from __future__ import annotations

import pytest

from softswitch.sip.events import (
    Answered,
    EndCause,
    Ended,
    Failed,
    OfferReceived,
    Progress,
)
from softswitch.sip.message import Request, Response
from softswitch.sip.reason import Reason
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import Flow, Target
from tests.support.builders import ANSWER, US, request, response
from tests.support.wire import Script

ELSEWHERE = Reason("SIP", 200, "Call completed elsewhere")


def calling(script: Script, **changes: object) -> tuple[Session, Request]:
    session = script.call(**changes)
    return session, script.request()


def established(script: Script, **changes: object) -> tuple[Session, Request, Request]:
    """A call that was answered: the session, its INVITE and its ACK."""
    session, invite = calling(script, **changes)
    script.receive(response(invite, 200, body=ANSWER))
    return session, invite, script.request()


def test_an_invite_says_who_we_are_and_what_we_can() -> None:
    """RFC 3261 §8.1.1, §13.2.1: the mandatory fields, Contact, Allow, Supported."""
    script = Script()
    session, invite = calling(script)
    assert (invite.method, invite.uri) == ("INVITE", "sip:peer@192.0.2.7")
    assert invite.via.sent_by == US
    assert (invite.via.branch or "").startswith("z9hG4bK")
    assert invite.via.params["rport"] == ""
    assert (invite.from_.tag, invite.to.tag, invite.call_id) == (
        session.local_tag,
        None,
        session.call_id,
    )
    assert invite.max_forwards == 70
    assert invite.contacts[0].uri == "sip:192.0.2.1:5060"
    assert "UPDATE" in invite.headers.values("Allow")
    assert set(invite.supported) == {"100rel", "replaces", "timer"}
    assert (invite.content_type, invite.body) == ("application/sdp", b"v=0\r\n")


def test_where_reliable_ringing_is_required_our_invite_says_so() -> None:
    _, invite = calling(Script(UaSettings(requires_reliable=True, address=US)))
    assert invite.require == ["100rel"]


def test_a_call_is_answered_acknowledged_and_ended() -> None:
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 100, to_tag=None))
    script.receive(response(invite, 180))
    script.receive(response(invite, 200, body=ANSWER))
    ack = script.request()
    assert (ack.method, ack.cseq.number) == ("ACK", invite.cseq.number)
    assert (ack.uri, ack.to.tag) == ("sip:peer@192.0.2.7:5060", "theirs")
    assert ack.via.branch != invite.via.branch  # a transaction of its own, §13.2.2.4
    session.hangup(Reason("Q.850", 16))
    bye = script.request()
    assert (bye.method, bye.cseq.number) == ("BYE", invite.cseq.number + 1)
    assert bye.headers.get("Reason") == "Q.850;cause=16"
    script.receive(response(bye, 200))
    match script.events:
        case [
            Progress(180, sdp=None),
            Answered(sdp=sdp),
            Ended(by_peer=False, cause=EndCause.BYE),
        ]:
            assert sdp == ANSWER
        case _:
            pytest.fail(str(script.events))
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_each_repeated_200_gets_the_same_ack_again() -> None:
    """RFC 3261 §13.2.2.4."""
    script = Script()
    _, invite, ack = established(script)
    for _ in range(10):
        script.receive(response(invite, 200, body=ANSWER))
    assert {message.via.branch for message in script.sent()} == {ack.via.branch}
    assert len(script.events) == 1


@pytest.mark.parametrize(("status", "reason"), [(486, "Busy Here"), (404, "Not Found")])
def test_a_refusal_is_told(status: int, reason: str) -> None:
    script = Script()
    _, invite = calling(script)
    script.receive(response(invite, status))
    assert script.summary() == ["ACK"]
    [failed] = script.events
    assert isinstance(failed, Failed)
    assert (failed.status, failed.reason, failed.contacts) == (status, reason, ())


def test_a_redirection_brings_its_contacts_best_first() -> None:
    """RFC 3261 §8.1.3.4: by q; who follows them is not decided here."""
    script = Script()
    _, invite = calling(script)
    contacts = "<sip:worse@192.0.2.8>;q=0.1, <sip:best@192.0.2.9>;q=0.9, <sip:first@192.0.2.9>"
    script.receive(response(invite, 302, contact=contacts))
    [failed] = script.events
    assert isinstance(failed, Failed)
    assert [contact.uri.split("@")[0] for contact in failed.contacts] == [
        "sip:first",
        "sip:best",
        "sip:worse",
    ]


def test_nobody_answers() -> None:
    """RFC 3261 §8.1.3.1: a time-out counts as 408."""
    script = Script()
    calling(script)
    script.run(100.0)
    assert script.events == [Failed(408, "Request Timeout", None)]
    assert set(script.ua.overview().values()) == {0}


def test_the_transport_fails() -> None:
    """RFC 3261 §8.1.3.1: a transport error counts as 503."""
    script = Script()
    calling(script)
    script.ua.transport_failed(Target("udp", "192.0.2.7", 5060), 0.0)
    assert script.events == [Failed(503, "Service Unavailable", None)]


# -- CANCEL, RFC 3261 §9 -----------------------------------------------------------------


def test_cancel_waits_for_a_provisional_response() -> None:
    """§9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent"."""
    script = Script()
    session, invite = calling(script)
    session.hangup(ELSEWHERE)
    session.hangup()
    assert script.sent() == []
    script.receive(response(invite, 100, to_tag=None))
    cancel = script.request()
    assert (cancel.method, cancel.uri, cancel.cseq.number) == (
        "CANCEL",
        invite.uri,
        invite.cseq.number,
    )
    assert cancel.headers.all("Via") == invite.headers.all("Via")
    assert cancel.to.tag is None
    assert cancel.headers.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    script.receive(response(invite, 180))
    script.receive(response(cancel, 200))
    script.receive(response(invite, 487))
    assert script.summary() == ["ACK"]
    assert [type(event) for event in script.events] == [Failed]
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() -> None:
    """§9.1, §15: the call exists, so it takes a BYE to end it."""
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 180))
    session.hangup()
    cancel = script.request()
    script.receive(response(cancel, 200))
    script.receive(response(invite, 200, body=ANSWER))
    ack, bye = script.sent()
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    assert (ack.method, bye.method) == ("ACK", "BYE")
    script.receive(response(invite, 200, body=ANSWER))
    assert script.summary() == ["ACK"]
    script.receive(response(bye, 200))
    assert [type(event) for event in script.events] == [Progress, Failed]
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_a_cancelled_invite_without_final_response_is_given_up_after_64_t1() -> None:
    """§9.1: "the client SHOULD then consider the original transaction cancelled"."""
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 180))
    script.clock.now = 10.0
    session.hangup()
    cancel = script.request()
    script.receive(response(cancel, 200))
    script.run(41.9)
    assert [type(event) for event in script.events] == [Progress]
    script.run(42.0)
    assert script.events[1:] == [Failed(487, "Request Terminated", None)]
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


# -- forks, RFC 3261 §13.2.2.4 -----------------------------------------------------------


def test_of_several_answers_the_first_counts_and_the_others_get_ack_and_bye() -> None:
    script = Script()
    _, invite = calling(script)
    for tag in ("one", "two", "three"):
        script.receive(response(invite, 180, to_tag=tag))
    assert script.ua.overview()["dialogs"] == 3
    script.receive(response(invite, 200, to_tag="two", body=ANSWER))
    assert script.summary() == ["ACK"]
    assert script.ua.overview()["dialogs"] == 1
    for tag in ("one", "four"):
        script.receive(response(invite, 200, to_tag=tag, body=ANSWER))
        ack, bye = script.sent()
        assert isinstance(ack, Request)
        assert isinstance(bye, Request)
        assert (ack.method, ack.to.tag) == ("ACK", tag)
        assert (bye.method, bye.to.tag) == ("BYE", tag)
        script.receive(response(invite, 200, to_tag=tag, body=ANSWER))
        assert script.summary() == ["ACK"]
        script.receive(response(bye, 200))
    assert [type(event) for event in script.events] == [Progress, Progress, Progress, Answered]
    assert script.ua.counters["surplus_answers"] == 2


def test_a_fork_that_answers_after_the_call_is_over_is_hung_up_too() -> None:
    script = Script()
    session, invite, _ = established(script)
    session.hangup()
    script.receive(response(script.request(), 200))
    script.receive(response(invite, 200, to_tag="late", body=ANSWER))
    assert script.summary() == ["ACK", "BYE"]


# -- second attempts ---------------------------------------------------------------------


def test_a_challenge_is_answered_once_with_the_next_cseq() -> None:
    """RFC 3261 §22.2: same Call-ID, From tag and To; CSeq one higher; a new branch."""
    script = Script()
    asked: list[tuple[str, str, int]] = []

    def credentials(method: str, uri: str, challenge: Response) -> tuple[str, str]:
        asked.append((method, uri, challenge.status))
        return "Authorization", "Digest response=x"

    _, invite = calling(script, credentials=credentials)
    script.receive(response(invite, 401))
    _, again = script.sent()
    assert isinstance(again, Request)
    assert again.cseq.number == invite.cseq.number + 1
    assert (again.call_id, again.from_.tag) == (invite.call_id, invite.from_.tag)
    assert again.via.branch != invite.via.branch
    assert again.headers.get("Authorization") == "Digest response=x"
    assert again.body == invite.body
    script.receive(response(again, 401))
    assert script.summary() == ["ACK"]
    assert asked == [("INVITE", "sip:peer@192.0.2.7", 401)]
    assert [event.status for event in script.events if isinstance(event, Failed)] == [401]


def test_a_stale_nonce_earns_another_attempt() -> None:
    """RFC 7616 §3.3: stale says that the password was right."""
    script = Script()
    _, invite = calling(script, credentials=lambda *_: ("Authorization", "Digest"))
    stale = (("WWW-Authenticate", 'Digest realm="x", nonce="y", stale=TRUE'),)
    script.receive(response(invite, 401))
    _, second = script.sent()
    assert isinstance(second, Request)
    script.receive(response(second, 401, headers=stale))
    assert script.summary() == ["ACK", "INVITE"]


def test_a_challenge_without_credentials_is_a_refusal() -> None:
    script = Script()
    _, invite = calling(script)
    script.receive(response(invite, 407))
    assert script.summary() == ["ACK"]
    assert [event.status for event in script.events if isinstance(event, Failed)] == [407]


def test_too_short_an_interval_is_raised_to_what_the_peer_wants() -> None:
    """RFC 4028 §7.3: 422 with Min-SE; the next INVITE asks for at least that."""
    script = Script(UaSettings(session_expires=120, address=US))
    _, invite = calling(script)
    assert invite.headers.get("Session-Expires") == "120"
    script.receive(response(invite, 422, headers=(("Min-SE", "600"),)))
    _, again = script.sent()
    assert isinstance(again, Request)
    assert again.headers.get("Session-Expires") == "600"
    assert again.headers.get("Min-SE") == "600"


# -- reliable provisional responses, RFC 3262 §4 ------------------------------------------


def reliable(number: int) -> tuple[tuple[str, str], ...]:
    return (("Require", "100rel"), ("RSeq", str(number)))


def test_a_reliable_response_is_acknowledged_once_and_in_order() -> None:
    script = Script()
    _, invite = calling(script)
    first = response(invite, 183, headers=reliable(7), body=ANSWER)
    script.receive(first)
    prack = script.request()
    assert (prack.method, prack.uri) == ("PRACK", "sip:peer@192.0.2.7:5060")
    assert prack.headers.get("RAck") == f"7 {invite.cseq.number} INVITE"
    assert prack.cseq.number == invite.cseq.number + 1
    script.receive(first)  # repeated: the PRACK's own transaction repeats that
    script.receive(response(invite, 180, headers=reliable(9)))  # 8 is missing
    assert script.sent() == []
    script.receive(response(invite, 180, headers=reliable(8)))
    assert script.summary() == ["PRACK"]
    assert [event.status for event in script.events if isinstance(event, Progress)] == [183, 180]


def test_numbers_of_forks_do_not_mix() -> None:
    """RFC 3262 §4: RSeq is counted for each early dialog."""
    script = Script()
    _, invite = calling(script)
    script.receive(response(invite, 183, to_tag="one", headers=reliable(7)))
    script.receive(response(invite, 183, to_tag="two", headers=reliable(900)))
    assert script.summary() == ["PRACK", "PRACK"]


def test_an_offer_in_a_reliable_response_is_answered_in_the_prack() -> None:
    """RFC 3262 §5: INVITE without offer, 183 with it."""
    script = Script()
    session, invite = calling(script, sdp=None)
    script.receive(response(invite, 183, headers=reliable(1), body=ANSWER))
    assert script.sent() == []
    session.answer(b"v=0 answer")
    prack = script.request()
    assert (prack.method, prack.body) == ("PRACK", b"v=0 answer")
    script.receive(response(prack, 200))
    script.receive(response(invite, 200))
    ack = script.request()
    assert (ack.method, ack.body) == ("ACK", b"")


def test_an_offer_in_the_200_is_answered_in_the_ack() -> None:
    """RFC 3261 §13.2.1: INVITE without offer; the ACK waits for our answer."""
    script = Script()
    session, invite = calling(script, sdp=None)
    script.receive(response(invite, 200, body=ANSWER))
    assert script.sent() == []
    assert [type(event) for event in script.events] == [Answered]
    session.answer(b"v=0 answer")
    ack = script.request()
    assert (ack.method, ack.body, ack.content_type) == ("ACK", b"v=0 answer", "application/sdp")
    session.answer(b"twice")
    assert script.sent() == []
    script.receive(response(invite, 200, body=ANSWER))
    assert script.request().body == b"v=0 answer"


def test_hanging_up_before_answering_a_late_offer_acknowledges_first() -> None:
    script = Script()
    session, invite = calling(script, sdp=None)
    script.receive(response(invite, 200, body=ANSWER))
    session.hangup()
    assert script.summary() == ["ACK", "BYE"]


# -- what comes inside an early dialog ------------------------------------------------------


def test_an_update_with_an_offer_before_the_answer_to_ours_is_glare() -> None:
    """RFC 3311 §5.2: 491 while our offer is unanswered."""
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 180))
    update = request(
        "UPDATE", to_tag=session.local_tag, call_id=session.call_id, body=ANSWER, number=1
    )
    script.receive(update)
    assert script.response().status == 491


def test_an_update_in_an_early_dialog_is_offered_to_the_owner() -> None:
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 183, headers=reliable(1), body=ANSWER))
    script.receive(response(script.request(), 200))
    update = request(
        "UPDATE", to_tag=session.local_tag, call_id=session.call_id, body=b"v=1", number=1
    )
    script.receive(update)
    assert script.events[-1] == OfferReceived(b"v=1", "UPDATE")
    session.answer(b"v=2")
    answer = script.response()
    assert (answer.status, answer.body) == (200, b"v=2")


def test_a_callee_that_hangs_up_an_early_dialog_is_not_called_on() -> None:
    """RFC 3261 §15 forbids it; what can be meant is clear."""
    script = Script()
    session, invite = calling(script)
    script.receive(response(invite, 180))
    script.receive(request("BYE", to_tag=session.local_tag, call_id=session.call_id, number=1))
    assert script.summary() == ["200", "CANCEL"]
    script.receive(response(invite, 487))
    assert [type(event) for event in script.events] == [Progress, Failed]


# -- routes, RFC 3261 §12.1.2 ----------------------------------------------------------------


def test_the_route_set_is_the_recorded_route_reversed() -> None:
    script = Script()
    _, invite = calling(script)
    recorded = (
        ("Record-Route", "<sip:192.0.2.20;lr>, <sip:192.0.2.21;lr>"),
        ("Record-Route", "<sip:192.0.2.22;lr>"),
    )
    script.receive(response(invite, 200, headers=recorded, body=ANSWER))
    [transmit] = script.ua.drain()
    assert transmit.destination == Target("udp", "192.0.2.22", 5060)
    text = transmit.data.decode()
    assert text.startswith("ACK sip:peer@192.0.2.7:5060 SIP/2.0\r\n")
    routes = [line for line in text.split("\r\n") if line.startswith("Route:")]
    assert routes == [f"Route: <sip:192.0.2.{n};lr>" for n in (22, 21, 20)]


def test_a_strict_router_gets_the_request_in_its_own_name() -> None:
    """RFC 3261 §12.2.1.1: its URI becomes the Request-URI, the target the last Route."""
    script = Script()
    _, invite = calling(script)
    recorded = (("Record-Route", "<sip:192.0.2.21;lr>, <sip:192.0.2.22>"),)
    script.receive(response(invite, 200, headers=recorded, body=ANSWER))
    ack = script.request()
    assert ack.uri == "sip:192.0.2.22"
    assert ack.headers.all("Route") == ["<sip:192.0.2.21;lr>", "<sip:peer@192.0.2.7:5060>"]


def test_ack_and_bye_reach_a_callee_behind_nat_by_the_hole_of_its_registration() -> None:
    """Whatever address its Contact believes in, also where both are private."""
    hole = Flow("udp", US, ("10.1.2.3", 33333))
    script = Script(flow=hole)
    session, invite = calling(script, uri="sip:peer@192.168.7.7:5060", target=hole)
    contact = "<sip:peer@192.168.7.7:5060>"
    script.receive(response(invite, 200, body=ANSWER, contact=contact))
    [ack] = script.ua.drain()
    session.hangup()
    [bye] = script.ua.drain()
    assert ack.data.startswith(b"ACK sip:peer@192.168.7.7:5060 ")
    assert ack.destination == bye.destination == hole
