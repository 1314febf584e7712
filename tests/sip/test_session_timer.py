"""Session timers (RFC 4028): who refreshes, when, and what happens when nobody does."""

from __future__ import annotations

import pytest

from softswitch.sip.events import EndCause, Ended
from softswitch.sip.message import Request, Response
from softswitch.sip.session import Session
from softswitch.sip.settings import UaSettings
from tests.sip.test_callee import answered
from tests.sip.test_caller import calling
from tests.sip.test_renegotiation import inside
from tests.support.builders import ANSWER, OFFER, US, ack_for, request, response
from tests.support.wire import Script

QUIET = UaSettings(address=US, session_expires=0)
EAGER = UaSettings(address=US, session_expires=600)


def incoming(settings: UaSettings, *headers: str) -> tuple[Script, Session, Response]:
    """A call that came in with these headers, answered and confirmed."""
    script = Script(settings)
    session, invite, success = answered(script, request("INVITE", body=OFFER, headers=headers))
    script.receive(ack_for(success, invite))
    script.events.clear()
    return script, session, success


def outgoing(settings: UaSettings, *headers: tuple[str, str]) -> tuple[Script, Session, Request]:
    """A call that went out and was answered with these headers."""
    script = Script(settings)
    session, invite = calling(script)
    script.receive(response(invite, 200, headers=headers, body=ANSWER))
    script.sent()
    script.events.clear()
    return script, session, invite


@pytest.mark.parametrize(
    ("settings", "headers", "agreed", "required"),
    [
        (QUIET, (), None, []),
        (QUIET, ("Supported: timer",), None, []),
        (QUIET, ("Supported: timer", "Session-Expires: 300"), "300;refresher=uac", ["timer"]),
        (
            QUIET,
            ("Supported: timer", "Session-Expires: 300;refresher=uas"),
            "300;refresher=uas",
            [],
        ),
        (QUIET, ("Session-Expires: 300",), "300;refresher=uas", []),
        (EAGER, (), "600;refresher=uas", []),
        (EAGER, ("Supported: timer",), "600;refresher=uac", ["timer"]),
        (EAGER, ("Supported: timer", "Session-Expires: 1800"), "600;refresher=uac", ["timer"]),
        (
            EAGER,
            ("Supported: timer", "Session-Expires: 1800", "Min-SE: 900"),
            "900;refresher=uac",
            ["timer"],
        ),
        (EAGER, ("Supported: timer", "Min-SE: 900"), "900;refresher=uac", ["timer"]),
        (EAGER, ("Supported: timer", "Session-Expires: soon"), "600;refresher=uac", ["timer"]),
    ],
)
def test_what_a_2xx_says_of_the_timer(
    settings: UaSettings, headers: tuple[str, ...], agreed: str | None, required: list[str]
) -> None:
    """§9, table 2: the refresher, and Require where the caller must refresh."""
    _, _, success = incoming(settings, *headers)
    assert success.headers.get("Session-Expires") == agreed
    assert success.require == required


def test_the_refresher_refreshes_at_half_the_interval_by_update_if_the_peer_takes_it() -> None:
    script, _, _ = outgoing(EAGER, ("Session-Expires", "600;refresher=uac"), ("Allow", "UPDATE"))
    assert script.run(299.9) == []
    script.run(299.99)
    script.clock.now = 300.0
    script.ua.handle_timer(300.0)
    update = script.request()
    assert (update.method, update.body) == ("UPDATE", b"")
    assert update.headers.get("Session-Expires") == "600;refresher=uac"
    script.receive(response(update, 200, headers=(("Session-Expires", "600;refresher=uac"),)))
    assert next(at for at, _ in script.run(600.0)) == 600.0
    assert script.events == []


def test_the_refresher_repeats_its_offer_where_update_is_not_taken() -> None:
    """§7.4: a re-INVITE with the same description and unchanged version."""
    script, _, invite = outgoing(EAGER, ("Session-Expires", "600;refresher=uac"))
    script.clock.now = 300.0
    script.ua.handle_timer(300.0)
    refresh = script.request()
    assert (refresh.method, refresh.body) == ("INVITE", invite.body)
    script.receive(response(refresh, 200, body=ANSWER))
    assert script.summary() == ["ACK"]
    assert script.events == []


def test_a_refresh_that_nobody_answers_ends_the_call() -> None:
    """RFC 3261 §12.2.1.2 and §10: nobody is there any more."""
    script, _, _ = outgoing(EAGER, ("Session-Expires", "600;refresher=uac"), ("Allow", "UPDATE"))
    script.run(400.0)
    assert script.events == [Ended(by_peer=True, cause=EndCause.GONE)]


def test_who_waits_in_vain_for_a_refresh_hangs_up_a_third_before_the_end() -> None:
    """§10: BYE min(32 s, a third) before the session expires."""
    script, _, _ = incoming(QUIET, "Supported: timer", "Session-Expires: 90;refresher=uac")
    assert script.run(59.9) == []
    assert script.run(60.0) == [(60.0, "BYE")]
    assert script.events == [Ended(by_peer=False, cause=EndCause.EXPIRED)], "no wait for the 200"
    script.run(100.0)
    assert set(script.ua.overview().values()) == {0}


def test_a_refresh_of_the_peer_s_starts_the_interval_anew() -> None:
    script, session, _ = incoming(QUIET, "Supported: timer", "Session-Expires: 300")
    script.run(200.0)
    headers = ("Supported: timer", "Session-Expires: 300;refresher=uac")
    script.receive(inside(session, "UPDATE", 2, headers=headers))
    success = script.response()
    assert success.headers.get("Session-Expires") == "300;refresher=uac"
    assert script.run(467.9) == []
    assert script.run(468.0) == [(468.0, "BYE")]


def test_a_peer_without_timers_is_refreshed_by_us() -> None:
    """§7.2: so that a peer that vanished is noticed all the same."""
    script, _, _ = outgoing(EAGER)
    assert script.run(299.0) == []
    assert script.run(300.0) == [(300.0, "INVITE")]


def test_who_asks_for_no_timer_and_gets_none_has_none() -> None:
    script, _, _ = outgoing(QUIET)
    assert script.run(100_000.0) == []


def test_an_update_with_too_small_an_interval_is_refused() -> None:
    """§8.1 for requests inside the dialog."""
    script, session, _ = incoming(QUIET)
    headers = ("Supported: timer", "Session-Expires: 30")
    script.receive(inside(session, "UPDATE", 2, headers=headers))
    refusal = script.response()
    assert (refusal.status, refusal.headers.get("Min-SE")) == (422, "90")
