"""Changing a session that exists: re-INVITE, UPDATE, glare, refusals, refreshes."""

from __future__ import annotations

import pytest

from softswitch.sip.callee import Callee
from softswitch.sip.events import (
    Confirmed,
    EndCause,
    Ended,
    OfferAnswered,
    OfferReceived,
    OfferRefused,
    RequestReceived,
)
from softswitch.sip.message import Request, Response
from softswitch.sip.session import Session
from softswitch.sip.types import Flow
from tests.sip.test_callee import answered
from tests.sip.test_caller import established
from tests.support.builders import ANSWER, OFFER, US, ack_for, request, response
from tests.support.wire import Script

HOLD = OFFER + b"a=sendonly\r\n"
HELD = ANSWER + b"a=recvonly\r\n"


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def session(script: Script) -> Callee:
    """A call that came in and is confirmed."""
    session, invite, success = answered(script)
    script.receive(ack_for(success, invite))
    script.events.clear()
    return session


def inside(session: Session, method: str, number: int, **changes: object) -> Request:
    """A request of the peer's inside the dialog of `session`."""
    assert session.dialog is not None
    fields: dict[str, object] = {
        "to_tag": session.local_tag,
        "from_tag": session.dialog.remote_tag,
        "call_id": session.call_id,
        "number": number,
    }
    return request(method, **{**fields, **changes})  # type: ignore[arg-type]


# -- the peer's ---------------------------------------------------------------------------


def test_a_re_invite_is_answered_by_the_owner_and_repeated_until_the_ack(
    script: Script, session: Callee
) -> None:
    invite = inside(session, "INVITE", 2, body=HOLD)
    script.receive(invite)
    assert script.events == [OfferReceived(HOLD, "INVITE")]
    assert script.sent() == []
    session.answer(HELD)
    success = script.response()
    assert (success.status, success.body) == (200, HELD)
    assert (session.remote_sdp, session.local_sdp) == (HOLD, HELD)
    assert script.run(1.0) == [(0.5, "200")]
    script.receive(ack_for(success, invite))
    assert script.run(30.0) == []


def test_a_refused_offer_leaves_the_session_as_it_was(script: Script, session: Callee) -> None:
    invite = inside(session, "INVITE", 2, body=HOLD)
    script.receive(invite)
    session.refuse_offer(488)
    refusal = script.response()
    assert refusal.status == 488
    script.receive(ack_for(refusal, invite))
    assert (session.remote_sdp, session.local_sdp) == (OFFER, ANSWER)
    assert session.is_established


def test_a_re_invite_without_offer_asks_for_ours(script: Script, session: Callee) -> None:
    """RFC 3261 §14.2: the 200 carries our offer, the ACK the answer."""
    script.receive(inside(session, "INVITE", 2))
    assert script.events == [OfferReceived(None, "INVITE")]
    session.answer(ANSWER)
    assert script.response().body == ANSWER
    script.receive(inside(session, "ACK", 2, body=HOLD))
    assert script.events[1:] == [Confirmed(HOLD)]


def test_a_refresh_that_changes_nothing_is_answered_without_the_owner(
    script: Script, session: Callee
) -> None:
    """RFC 4028 §7.4: the same description again is no offer to think about."""
    invite = inside(session, "INVITE", 2, body=OFFER)
    script.receive(invite)
    success = script.response()
    assert (success.status, success.body) == (200, ANSWER)
    assert script.events == []


def test_a_second_re_invite_before_the_first_is_answered_gets_500(
    script: Script, session: Callee
) -> None:
    """RFC 3261 §14.2: 500 with Retry-After between 0 and 10 s."""
    script.receive(inside(session, "INVITE", 2, body=HOLD))
    script.receive(inside(session, "INVITE", 3, body=OFFER))
    refusal = script.response()
    assert refusal.status == 500
    assert 0 <= int(refusal.headers.get("Retry-After") or -1) <= 10


def test_a_cancelled_re_invite_gets_487_and_the_call_goes_on(
    script: Script, session: Callee
) -> None:
    invite = inside(session, "INVITE", 2, body=HOLD)
    script.receive(invite)
    script.receive(inside(session, "CANCEL", 2, branch=invite.via.branch))
    assert script.summary() == ["200", "487"]
    session.answer(HELD)
    assert script.sent() == []
    assert session.is_established


def test_a_bye_while_an_offer_waits_refuses_the_offer(script: Script, session: Callee) -> None:
    """RFC 3261 §15.1.2: pending requests get 487."""
    script.receive(inside(session, "INVITE", 2, body=HOLD))
    script.receive(inside(session, "BYE", 3))
    assert sorted(script.summary()) == ["200", "487"]


def test_an_update_is_answered_at_once_and_needs_no_ack(script: Script, session: Callee) -> None:
    """RFC 3311 §5.2."""
    script.receive(inside(session, "UPDATE", 2, body=HOLD))
    assert script.events == [OfferReceived(HOLD, "UPDATE")]
    session.answer(HELD)
    assert script.response().body == HELD
    assert script.run(30.0) == []
    script.receive(inside(session, "UPDATE", 3))
    empty = script.response()
    assert (empty.status, empty.body) == (200, b"")


def test_an_answer_that_took_too_long_changes_nothing(script: Script, session: Callee) -> None:
    """After 64*T1 the peer has given its UPDATE up; both keep what they had."""
    script.receive(inside(session, "UPDATE", 2, body=HOLD))
    script.run(33.0)
    session.answer(HELD)
    assert script.sent() == []
    assert (session.remote_sdp, session.local_sdp) == (OFFER, ANSWER)


def test_a_new_contact_is_the_new_target(script: Script, session: Callee) -> None:
    """RFC 3261 §12.2.2: a target refresh."""
    script.receive(inside(session, "UPDATE", 2, contact="<sip:moved@192.0.2.99:5070>"))
    script.sent()
    session.hangup()
    [transmit] = script.ua.drain()
    assert transmit.data.startswith(b"BYE sip:moved@192.0.2.99:5070 SIP/2.0\r\n")
    assert transmit.destination == ("udp", "192.0.2.99", 5070)


def test_a_phone_behind_nat_is_reached_where_it_sends_from() -> None:
    natted = Flow("udp", US, ("198.51.100.1", 33333))
    script = Script(flow=natted)
    invite = request("INVITE", body=OFFER, via="10.0.0.5:5060;rport", contact="<sip:p@10.0.0.5>")
    session, _, success = answered(script, invite)
    assert success.via.params["received"] == "198.51.100.1"
    assert success.via.rport == 33333
    script.receive(ack_for(success, invite))
    session.hangup()
    [transmit] = script.ua.drain()
    assert transmit.destination == natted
    assert transmit.data.startswith(b"BYE sip:p@10.0.0.5 SIP/2.0\r\n")


def test_a_request_out_of_order_gets_500(script: Script, session: Callee) -> None:
    """RFC 3261 §12.2.2."""
    script.receive(inside(session, "INFO", 0))
    assert script.response().status == 500


def test_other_requests_are_the_owner_s(script: Script, session: Callee) -> None:
    info = inside(session, "INFO", 2)
    script.receive(info)
    [event] = script.events
    assert isinstance(event, RequestReceived)
    assert event.request is info
    event.respond(202, headers=[("X-Seen", "yes")])
    event.respond(500)
    answer = script.response()
    assert (answer.status, answer.headers.get("X-Seen")) == (202, "yes")


def test_options_inside_a_dialog_is_answered_for_the_owner(script: Script, session: Callee) -> None:
    script.receive(inside(session, "OPTIONS", 2))
    assert script.response().status == 200
    assert script.events == []


# -- ours ---------------------------------------------------------------------------------


def test_our_offer_is_answered_and_acknowledged_each_time(script: Script, session: Callee) -> None:
    session.offer(HELD)
    invite = script.request()
    assert (invite.method, invite.body) == ("INVITE", HELD)
    assert (invite.to.tag, invite.from_.tag) == ("theirs", session.local_tag)
    answer = response(invite, 200, body=HOLD)
    script.receive(answer)
    ack = script.request()
    assert (ack.method, ack.cseq.number) == ("ACK", invite.cseq.number)
    script.receive(answer)
    assert script.request().via.branch == ack.via.branch
    assert script.events == [OfferAnswered(HOLD)]
    assert (session.local_sdp, session.remote_sdp) == (HELD, HOLD)


def test_a_refusal_of_our_offer_is_told_and_the_call_goes_on(
    script: Script, session: Callee
) -> None:
    session.offer(HELD)
    script.receive(response(script.request(), 488))
    assert script.summary() == ["ACK"]
    assert script.events == [OfferRefused(488)]
    assert session.is_established
    assert session.local_sdp == ANSWER


def test_an_offer_waits_for_the_one_before_it(script: Script, session: Callee) -> None:
    """RFC 3261 §14.1: no new INVITE while another is in progress; the latest wish counts."""
    session.offer(b"v=1")
    first = script.request()
    session.offer(b"v=2")
    session.offer(b"v=3")
    assert script.sent() == []
    script.receive(response(first, 200, body=HOLD))
    _, second = script.sent()
    assert isinstance(second, Request)
    assert second.body == b"v=3"


def test_an_offer_waits_for_the_ack_of_our_200(script: Script) -> None:
    """RFC 3261 §14.1: not before the server transaction of the INVITE is through."""
    session, invite, success = answered(script)
    session.offer(HELD)
    assert script.sent() == []
    script.receive(ack_for(success, invite))
    assert script.summary() == ["INVITE"]


def test_an_offer_waits_until_we_have_answered_the_peer_s(script: Script, session: Callee) -> None:
    script.receive(inside(session, "UPDATE", 2, body=HOLD))
    session.offer(b"v=1")
    assert script.sent() == []
    session.answer(HELD)
    assert script.summary() == ["200", "INVITE"]


@pytest.mark.parametrize(("initiator", "low", "high"), [(False, 0.0, 2.0), (True, 2.1, 4.0)])
def test_glare_is_settled_by_waiting(initiator: bool, low: float, high: float) -> None:
    """RFC 3261 §14.1: both sent INVITE, both get 491; the Call-ID's owner waits longer."""
    script = Script()
    if initiator:
        session: Session = established(script)[0]
    else:
        session, first, success = answered(script)
        script.receive(ack_for(success, first))
    session.offer(HELD)
    ours = script.request()
    theirs = inside(session, "INVITE", 5, body=HOLD)
    script.receive(theirs)
    refusal = script.response()
    assert refusal.status == 491
    script.receive(ack_for(refusal, theirs))
    script.receive(response(ours, 491))
    assert script.summary() == ["ACK"]
    [(at, what), *_] = script.run(4.0)
    assert what == "INVITE"
    assert low <= at <= high
    assert round(at * 100) == pytest.approx(at * 100)


def test_a_peer_that_is_always_busy_has_refused(script: Script, session: Callee) -> None:
    session.offer(HELD)
    for _ in range(8):
        invite = next(message for message in script.sent() if isinstance(message, Request))
        script.receive(response(invite, 491))
        script.sent()
        at = script.ua.next_timeout()
        while script.ua.transactions.clients and not script.events and at is not None:
            script.clock.now = max(at, script.clock.now)
            script.ua.handle_timer(script.clock.now)
            if any(b"INVITE" in transmit.data[:6] for transmit in script.ua.output):
                break
            at = script.ua.next_timeout()
    assert script.events == [OfferRefused(491)]


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_lost_the_dialog_ends_the_call(
    script: Script, session: Callee, status: int
) -> None:
    """RFC 3261 §12.2.1.2."""
    session.offer(HELD)
    script.receive(response(script.request(), status))
    assert script.events == [Ended(by_peer=True, cause=EndCause.GONE)]
    assert script.ua.overview()["sessions"] == 0


def test_an_info_that_finds_no_dialog_ends_the_call_but_a_notify_does_not(
    script: Script, session: Callee
) -> None:
    """RFC 5057 §5.1: a NOTIFY speaks for its subscription only."""
    heard: list[Response | None] = []
    session.send("NOTIFY", [("Event", "refer")], b"SIP/2.0 200 OK", "message/sipfrag", heard.append)
    notify = script.request()
    assert notify.content_type == "message/sipfrag"
    script.receive(response(notify, 481))
    assert session.is_established
    session.send("INFO")
    script.receive(response(script.request(), 481))
    assert [r.status for r in heard if r] == [481]
    assert script.events == [Ended(by_peer=True, cause=EndCause.GONE)]


def test_a_challenge_inside_the_dialog_is_answered(script: Script, session: Callee) -> None:
    session.credentials = lambda method, uri, challenge: ("Authorization", f"Digest for {method}")
    session.offer(HELD)
    first = script.request()
    script.receive(response(first, 401))
    _, again = script.sent()
    assert isinstance(again, Request)
    assert again.cseq.number == first.cseq.number + 1
    assert again.headers.get("Authorization") == "Digest for INVITE"
    script.receive(response(again, 200, body=HOLD))
    script.sent()
    session.hangup()
    bye = script.request()
    script.receive(response(bye, 407))
    again = script.request()
    assert again.headers.get("Authorization") == "Digest for BYE"


def test_the_answer_to_a_re_invite_that_crossed_our_bye_is_still_acknowledged(
    script: Script, session: Callee
) -> None:
    session.offer(HELD)
    invite = script.request()
    session.hangup()
    bye = script.request()
    script.receive(response(invite, 200, body=HOLD))
    assert script.summary() == ["ACK"]
    script.receive(response(bye, 200))
    assert [type(event) for event in script.events] == [Ended]
