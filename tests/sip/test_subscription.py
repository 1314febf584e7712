"""Dialogs that a SUBSCRIBE makes (RFC 6665)."""

from __future__ import annotations

import pytest

from softswitch.sip.message import Request
from softswitch.sip.subscription import Subscription
from softswitch.sip.transaction import ServerTransaction
from tests.support.builders import request, response
from tests.support.wire import Script

ACTIVE = [("Event", "message-summary"), ("Subscription-State", "active;expires=60")]


def subscribed(script: Script) -> Subscription:
    """A subscription whose 200 was looked at."""
    subscriptions: list[Subscription] = []

    def on_refresh(tx: ServerTransaction, asked: Request) -> None:
        subscriptions[0].accept(tx, asked, [("Expires", "30")])

    def on_request(tx: ServerTransaction, asked: Request) -> None:
        subscriptions.append(script.ua.subscribed(tx, asked, on_refresh, [("Expires", "60")]))

    script.ua.on_request = on_request
    script.receive(request("SUBSCRIBE", headers=("Event: message-summary", "Expires: 60")))
    success = script.response()
    assert (success.status, success.headers.get("Expires")) == (200, "60")
    assert success.to.tag == subscriptions[0].local_tag
    return subscriptions[0]


def test_notifications_follow_the_subscription_in_its_dialog() -> None:
    script = Script()
    subscription = subscribed(script)
    for number in (1, 2):
        subscription.notify(ACTIVE, b"Messages-Waiting: yes\r\n")
        notify = script.request()
        assert (notify.method, notify.cseq.number) == ("NOTIFY", number)
        assert (notify.to.tag, notify.from_.tag) == ("theirs", subscription.local_tag)
        assert notify.headers.get("Event") == "message-summary"
        script.receive(response(notify, 200))
    assert subscription.is_open


def test_a_subscribe_inside_the_dialog_refreshes_it() -> None:
    script = Script()
    subscription = subscribed(script)
    again = request("SUBSCRIBE", to_tag=subscription.local_tag, number=2)
    script.receive(again)
    assert script.response().headers.get("Expires") == "30"
    script.receive(request("SUBSCRIBE", to_tag=subscription.local_tag, number=1))
    assert script.response().status == 500
    script.receive(request("INFO", to_tag=subscription.local_tag, number=3))
    assert script.response().status == 405


@pytest.mark.parametrize("status", [404, 481, None])
def test_a_subscriber_that_is_gone_is_forgotten(status: int | None) -> None:
    """§4.2.2: 481, or no answer at all, removes the subscription."""
    script = Script()
    subscription = subscribed(script)
    subscription.notify(ACTIVE)
    if status is not None:
        script.receive(response(script.request(), status))
    script.run(100.0)
    assert not subscription.is_open
    subscription.notify(ACTIVE)
    assert script.sent() == []
    assert set(script.ua.overview().values()) == {0}


def test_a_closed_subscription_is_answered_481() -> None:
    script = Script()
    subscription = subscribed(script)
    subscription.close()
    script.receive(request("SUBSCRIBE", to_tag=subscription.local_tag, number=2))
    assert script.response().status == 481
