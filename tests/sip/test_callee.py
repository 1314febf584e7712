"""Calls that come in: answers and refusals, CANCEL, ACK, reliable provisionals."""

from __future__ import annotations

import pytest

from softswitch.sip.callee import Callee
from softswitch.sip.events import (
    Cancelled,
    Confirmed,
    EndCause,
    Ended,
    Event,
    OfferAnswered,
    OfferReceived,
)
from softswitch.sip.message import Request, Response
from softswitch.sip.reason import Reason
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import Flow, Target
from tests.support.builders import ANSWER, OFFER, PEER, US, ack_for, request
from tests.support.wire import Script

RELIABLE = ("Supported: 100rel", "Allow: UPDATE")


def incoming(script: Script, invite: Request | None = None) -> tuple[Callee, Request]:
    """A call that came in, its 100 looked at."""
    sessions: list[Callee] = []

    def on_invite(session: Callee) -> None:
        session.on_event = script.events.append
        sessions.append(session)

    script.ua.on_invite = on_invite
    invite = invite or request("INVITE", body=OFFER)
    script.receive(invite)
    assert script.summary() == ["100"]
    [session] = sessions
    return session, invite


def answered(script: Script, invite: Request | None = None) -> tuple[Callee, Request, Response]:
    """A call that we answered: the session, its INVITE and our 200."""
    session, invite = incoming(script, invite)
    session.accept(ANSWER)
    return session, invite, script.response()


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def test_a_call_rings_is_answered_and_ended_by_the_caller() -> None:
    script = Script()
    session, invite = incoming(script)
    assert (session.remote_sdp, session.remote_party.uri) == (OFFER, "sip:peer@example.org")
    session.progress(180)
    ringing = script.response()
    assert (ringing.status, ringing.to.tag) == (180, session.local_tag)
    assert ringing.contacts[0].uri == "sip:192.0.2.1:5060"
    session.accept(ANSWER)
    success = script.response()
    assert (success.status, success.to.tag) == (200, session.local_tag)
    assert (success.body, success.content_type) == (ANSWER, "application/sdp")
    assert {"Allow", "Supported", "Contact"} <= success.headers.fields.keys()
    script.receive(ack_for(success, invite))
    bye = request("BYE", to_tag=session.local_tag, number=2)
    script.receive(bye)
    assert script.response().status == 200
    assert script.events == [Confirmed(None), Ended(by_peer=True, cause=EndCause.BYE, request=bye)]
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_the_recorded_route_is_copied_into_what_makes_a_dialog() -> None:
    """RFC 3261 §12.1.1; our requests then follow it in order."""
    script = Script()
    route = "<sip:192.0.2.20;lr>, <sip:192.0.2.21;lr>"
    session, invite = incoming(script, request("INVITE", headers=(f"Record-Route: {route}",)))
    session.accept(ANSWER)
    success = script.response()
    assert success.headers.all("Record-Route") == [route]
    script.receive(ack_for(success, invite))
    session.hangup()
    [transmit] = script.ua.drain()
    assert transmit.destination == Target("udp", "192.0.2.20", 5060)
    assert b"Route: <sip:192.0.2.20;lr>\r\nRoute: <sip:192.0.2.21;lr>\r\n" in transmit.data


@pytest.mark.parametrize("status", [302, 404, 486, 503, 603])
def test_a_refusal_is_repeated_until_its_ack(status: int) -> None:
    script = Script()
    session, invite = incoming(script)
    session.reject(status, headers=[("Retry-After", "5")])
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Retry-After")) == (status, "5")
    assert script.run(1.6) == [(0.5, str(status)), (1.5, str(status))]
    script.receive(ack_for(refusal, invite))
    assert script.run(100.0) == []
    assert script.events == [Ended(by_peer=False, cause=EndCause.REJECTED)]
    assert set(script.ua.overview().values()) == {0}


@pytest.mark.parametrize("verb", ["progress", "accept"])
def test_an_invite_without_contact_is_refused_when_it_would_make_a_dialog(verb: str) -> None:
    """RFC 3261 §8.1.1.8; not before, so that strangers are asked for a password first."""
    script = Script()
    session, _ = incoming(script, request("INVITE", contact=None))
    session.progress(180) if verb == "progress" else session.accept(ANSWER)
    refusal = script.response()
    assert (refusal.status, refusal.to.tag) == (400, session.local_tag)
    assert script.events == [Ended(by_peer=False, cause=EndCause.REJECTED)]


def test_an_invite_without_contact_can_be_refused_for_other_reasons() -> None:
    script = Script()
    session, _ = incoming(script, request("INVITE", contact=None))
    session.reject(401)
    assert script.summary() == ["401"]


def test_verbs_after_the_end_have_no_effect() -> None:
    script = Script()
    session, _ = incoming(script)
    session.reject(486)
    script.sent()
    session.accept(ANSWER)
    session.progress(180)
    session.reject(404)
    session.hangup()
    session.offer(OFFER)
    session.answer(OFFER)
    session.refuse_offer()
    session.send("INFO")
    assert script.sent() == []


def test_hanging_up_an_unanswered_call_refuses_it_for_the_reason_given() -> None:
    script = Script()
    session, _ = incoming(script)
    session.hangup(Reason("SIP", 486))
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Reason")) == (486, "SIP;cause=486")


# -- ACK, RFC 3261 §13.3.1.4 ----------------------------------------------------------------


def test_the_200_is_repeated_until_its_ack_even_over_a_stream() -> None:
    script = Script(flow=Flow("tcp", US, PEER, 3))
    _, invite, success = answered(script)
    schedule = [(0.5, "200"), (1.5, "200"), (3.5, "200"), (7.5, "200"), (11.5, "200")]
    assert script.run(12.0) == schedule
    script.receive(ack_for(success, invite))
    assert script.run(30.0) == []


def test_a_200_without_ack_ends_the_session_by_bye() -> None:
    script = Script()
    answered(script)
    log = script.run(32.0)
    assert log[-1] == (32.0, "BYE")
    ended = Ended(by_peer=False, cause=EndCause.NO_ACK)
    assert script.events == [ended], "whoever he talks with does not wait for an answer to the BYE"
    script.run(64.0)
    assert script.events == [ended]
    script.run(200.0)
    assert set(script.ua.overview().values()) == {0}


def test_a_repeated_invite_is_not_a_second_call() -> None:
    script = Script()
    _, invite, _ = answered(script)
    for _ in range(10):
        script.receive(request("INVITE", branch=invite.via.branch, body=OFFER))
    assert script.sent() == []
    assert script.ua.counters["retransmissions"] == 10


def test_an_ack_with_another_to_tag_is_forgiven_where_one_session_fits() -> None:
    """What pyVoIP sends; an exact peer would end its calls after 32 s."""
    script = Script()
    _, invite, success = answered(script)
    script.receive(ack_for(success, invite, to_tag="invented"))
    assert script.events == [Confirmed(None)]
    assert script.ua.counters["forgiven_ack_tags"] == 1
    assert script.run(40.0) == []


def test_an_ack_that_fits_nothing_is_counted_and_not_answered() -> None:
    script = Script()
    _, invite, success = answered(script)
    stranger = request("ACK", number=invite.cseq.number, to_tag="x", from_tag="other")
    script.receive(stranger)
    script.receive(request("ACK", number=99, to_tag=success.to.tag))
    assert script.sent() == []
    assert script.ua.counters["stray_acks"] == 1
    assert script.run(0.6) == [(0.5, "200")]


def test_the_callee_s_bye_waits_for_the_ack() -> None:
    """RFC 3261 §15: "MUST NOT send a BYE on a confirmed dialog until it has received an ACK"."""
    script = Script()
    session, invite, success = answered(script)
    session.hangup()
    assert script.sent() == []
    script.receive(ack_for(success, invite))
    assert script.summary() == ["BYE"]


def test_the_caller_s_bye_may_come_before_its_ack() -> None:
    script = Script()
    session, _, _ = answered(script)
    script.receive(request("BYE", to_tag=session.local_tag, number=2))
    assert script.summary() == ["200"]
    assert kinds(script.events) == [Ended]
    assert script.run(100.0) == []


def test_a_late_offer_is_answered_in_the_ack() -> None:
    script = Script()
    session, invite, success = answered(script, request("INVITE"))
    assert success.body == ANSWER
    ack = request("ACK", number=1, to_tag=session.local_tag, body=OFFER)
    script.receive(ack)
    assert script.events == [Confirmed(OFFER)]
    assert session.remote_sdp == OFFER
    assert invite.body == b""


# -- CANCEL, RFC 3261 §9.2 -------------------------------------------------------------------


def cancel_of(invite: Request, *headers: str) -> Request:
    return request("CANCEL", branch=invite.via.branch, headers=headers, contact=None)


def test_a_cancelled_call_gets_200_and_487() -> None:
    script = Script()
    session, invite = incoming(script)
    session.progress(180)
    script.sent()
    script.receive(cancel_of(invite, "Reason: SIP;cause=200"))
    ok, terminated = script.sent()
    assert isinstance(ok, Response)
    assert isinstance(terminated, Response)
    assert (ok.status, ok.cseq.method, terminated.status) == (200, "CANCEL", 487)
    assert ok.to.tag == terminated.to.tag == session.local_tag
    assert script.events == [Cancelled(("SIP;cause=200",))]
    script.receive(ack_for(terminated, invite))
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    """§9.2: a final response was sent, so CANCEL "has no effect" but its 200."""
    script = Script()
    _, invite, _ = answered(script)
    script.receive(cancel_of(invite))
    assert script.response().status == 200
    assert script.events == []


def test_a_cancel_of_nothing_gets_481() -> None:
    script = Script()
    script.receive(request("CANCEL", contact=None))
    assert script.response().status == 481


def test_a_bye_in_an_early_dialog_cancels_the_call() -> None:
    """RFC 3261 §15.1.2: 200 for the BYE, 487 for the pending INVITE."""
    script = Script()
    session, _ = incoming(script)
    session.progress(180)
    script.sent()
    script.receive(request("BYE", to_tag=session.local_tag, number=2))
    assert script.summary() == ["200", "487"]
    assert kinds(script.events) == [Cancelled]


# -- reliable provisional responses, RFC 3262 §3 -------------------------------------------


def prack_for(provisional: Response, number: int = 2, **changes: object) -> Request:
    rack = changes.pop("rack", None) or f"{provisional.headers.get('RSeq')} 1 INVITE"
    return request(
        "PRACK",
        number=number,
        to_tag=provisional.to.tag,
        headers=(f"RAck: {rack}",),
        **changes,  # type: ignore[arg-type]
    )


def test_early_media_is_reliable_if_the_caller_supports_that() -> None:
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=RELIABLE))
    session.progress(180)
    ringing = script.response()
    assert "RSeq" not in ringing.headers
    session.progress(183, ANSWER)
    progress = script.response()
    assert progress.require == ["100rel"]
    assert 1 <= int(progress.headers.get("RSeq") or 0) < 2**31
    assert script.run(4.0) == [(0.5, "183"), (1.5, "183"), (3.5, "183")]
    script.receive(prack_for(progress))
    assert script.response().status == 200
    assert script.run(40.0) == []


def test_without_100rel_nobody_is_answered_reliably() -> None:
    script = Script(UaSettings(supported=("timer",), address=US))
    session, _ = incoming(script, request("INVITE", headers=RELIABLE, body=OFFER))
    session.progress(183, ANSWER)
    assert script.response().headers.get("RSeq") is None
    script.receive(request("INVITE", headers=("Require: 100rel",), call_id="2", branch="2"))
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Unsupported")) == (420, "100rel")


def test_where_it_is_required_callers_without_100rel_get_421() -> None:
    """RFC 3261 §21.4.16; who has it gets even a mere 180 reliably."""
    script = Script(UaSettings(requires_reliable=True, address=US))
    script.receive(request("INVITE", body=OFFER))
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Require")) == (421, "100rel")
    able = request("INVITE", headers=RELIABLE, body=OFFER, call_id="2", branch="2")
    session, _ = incoming(script, able)
    session.progress(180)
    assert script.response().require == ["100rel"]


def test_a_caller_that_requires_it_gets_every_provisional_reliably_one_at_a_time() -> None:
    """§3: "MUST NOT send a second reliable provisional response until the first is
    acknowledged"."""
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=("Require: 100rel",)))
    session.progress(180)
    session.progress(183)
    ringing = script.response()
    assert ringing.status == 180
    script.receive(prack_for(ringing))
    ok, progress = script.sent()
    assert isinstance(progress, Response)
    assert {ok.cseq.method, progress.cseq.method} == {"PRACK", "INVITE"}


def test_the_200_waits_for_the_prack_of_an_answer_and_does_not_repeat_it() -> None:
    """§3: "MUST NOT send a 2xx … until unacknowledged with a session description"."""
    script = Script()
    session, invite = incoming(script, request("INVITE", body=OFFER, headers=RELIABLE))
    session.progress(183, ANSWER)
    progress = script.response()
    session.accept(ANSWER)
    assert script.sent() == []
    script.receive(prack_for(progress))
    ok, success = script.sent()
    assert isinstance(success, Response)
    assert (ok.cseq.method, success.status, success.body) == ("PRACK", 200, b"")
    script.receive(ack_for(success, invite))
    assert kinds(script.events) == [Confirmed]


def test_the_200_does_not_wait_for_the_prack_of_mere_ringing() -> None:
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=("Require: 100rel",)))
    session.progress(180)
    ringing = script.response()
    session.accept(ANSWER)
    assert script.response().status == 200
    script.receive(prack_for(ringing))
    assert script.response().status == 200


def test_a_prack_that_fits_no_response_gets_481() -> None:
    """§3: "If the PRACK does not match an unacknowledged reliable provisional response"."""
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=RELIABLE))
    session.progress(183, ANSWER)
    progress = script.response()
    for number, rack in enumerate(
        ("1 1 INVITE", "x", f"{progress.headers.get('RSeq')} 9 INVITE"), 2
    ):
        script.receive(prack_for(progress, number, rack=rack))
        assert script.response().status == 481
    script.receive(prack_for(progress, 5))
    assert script.response().status == 200
    script.receive(prack_for(progress, 6))
    assert script.response().status == 481


def test_without_prack_the_call_is_given_up() -> None:
    """§3: after 64*T1 the INVITE is rejected with a 5xx."""
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=RELIABLE))
    session.progress(183, ANSWER)
    script.sent()
    log = script.run(32.0)
    assert [at for at, status in log if status == "183"] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert log[-1] == (32.0, "504")
    assert script.events == [Ended(by_peer=False, cause=EndCause.NO_PRACK)]


def test_our_offer_in_a_reliable_response_is_answered_in_the_prack() -> None:
    """§5: the INVITE had no offer, the 183 makes it."""
    script = Script()
    session, _ = incoming(script, request("INVITE", headers=RELIABLE))
    session.progress(183, ANSWER)
    progress = script.response()
    assert progress.body == ANSWER
    script.receive(prack_for(progress, body=OFFER))
    assert script.response().status == 200
    assert script.events == [OfferAnswered(OFFER)]
    session.accept()
    assert script.response().body == b""


def test_an_offer_in_a_prack_is_answered_in_its_200() -> None:
    """§5: once the first offer is answered, the PRACK may carry another."""
    script = Script()
    session, _ = incoming(script, request("INVITE", body=OFFER, headers=RELIABLE))
    session.progress(183, ANSWER)
    script.receive(prack_for(script.response(), body=b"v=1"))
    assert script.events == [OfferReceived(b"v=1", "PRACK")]
    assert script.sent() == []
    session.answer(b"v=2")
    success = script.response()
    assert (success.status, success.cseq.method, success.body) == (200, "PRACK", b"v=2")


def test_an_offer_before_the_answer_is_made_by_nobody() -> None:
    """An unreliable 183 may not carry an offer (RFC 6337 §2.2): the SDP is left out."""
    script = Script()
    session, _ = incoming(script, request("INVITE"))
    session.progress(183, ANSWER)
    assert script.response().body == b""


def test_intervals_that_are_too_small_are_refused_with_ours() -> None:
    """RFC 4028 §8.1: 422 and Min-SE."""
    script = Script(UaSettings(min_se=120, address=US))
    script.receive(request("INVITE", headers=("Supported: timer", "Session-Expires: 100")))
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Min-SE")) == (422, "120")
