"""Bindings: whole requests or nothing, in order, within bounds, and over a restart."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.binding import Binding
from softswitch.sip.message import Request
from softswitch.sip.registrar import (
    Bound,
    Cause,
    Registered,
    Registrar,
    RegistrarLimits,
    Unbound,
)
from softswitch.sip.types import Flow, Target
from tests.sip.samples import request

AOR = "sip:101@office.example"
FLOW = Flow("udp", ("192.0.2.100", 5060), ("192.0.2.1", 5070))
STREAM = Flow("tcp", ("192.0.2.100", 5060), ("192.0.2.1", 33_000), 7)
INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'


def ask(*contacts: str, cseq: int = 1, call: str = "one", **headers: str) -> Request:
    asked = request("REGISTER", "sip:office.example", To=f"<{AOR}>", Call_ID=call, **headers)
    asked.headers.set("CSeq", f"{cseq} REGISTER")
    asked.headers.replace("Contact", contacts)
    return asked


def uris(registrar: Registrar, now: float = 1.0) -> list[str]:
    return [binding.uri for binding in registrar.lookup(AOR, now)]


def bound(registrar: Registrar, *contacts: str, flow: Flow = FLOW, **asked: str) -> Registered:
    outcome = registrar.register(ask(*contacts, **asked), flow, 0.0)  # type: ignore[arg-type]
    assert outcome.response.status == 200
    return outcome


def test_contacts_are_listed_with_the_time_that_was_granted() -> None:
    registrar = Registrar()
    outcome = registrar.register(
        ask("<sip:a@192.0.2.1>;expires=60;q=0.5", '"Anna" <sip:b@192.0.2.1>;x="y z"', Expires="90"),
        FLOW,
        100.0,
    )
    assert outcome.response.headers.all("Contact") == [
        '<sip:b@192.0.2.1>;x="y z";expires=90',
        "<sip:a@192.0.2.1>;q=0.5;expires=60",
    ]
    assert [type(change) for change in outcome.changes] == [Bound, Bound]


def test_a_query_changes_nothing() -> None:
    registrar = Registrar()
    bound(registrar, "<sip:a@192.0.2.1>")
    outcome = registrar.register(ask(cseq=2), FLOW, 10.0)
    assert outcome.changes == []
    assert outcome.response.headers.all("Contact") == ["<sip:a@192.0.2.1>;expires=3590"]


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, 3600), ("9999999999999", 7200), ("30", 30), ("soon", 3600)]
)
def test_lifetimes_are_bounded(asked: str | None, granted: int) -> None:
    registrar = Registrar()
    contact = "<sip:a@192.0.2.1>" + ("" if asked is None else f";expires={asked}")
    bound(registrar, contact)
    assert registrar.next_timeout() == granted


def test_too_brief_an_interval_is_423_with_the_least_one() -> None:
    """RFC 3261 §10.3 step 7."""
    registrar = Registrar(RegistrarLimits(min_expires=60))
    outcome = registrar.register(ask("<sip:a@192.0.2.1>;expires=59"), FLOW, 0.0)
    assert outcome.response.status == 423
    assert outcome.response.headers.get("Min-Expires") == "60"
    assert len(registrar) == 0


def test_expires_zero_removes_one_contact_and_a_star_all() -> None:
    registrar = Registrar()
    bound(registrar, "<sip:a@192.0.2.1>", "<sip:b@192.0.2.1>", "<sip:c@192.0.2.1>")
    removed = registrar.register(ask("<sip:a@192.0.2.1>;expires=0", cseq=2), FLOW, 1.0)
    assert [type(change) for change in removed.changes] == [Unbound]
    assert len(uris(registrar)) == 2

    outcome = registrar.register(ask("*", cseq=3, Expires="0"), FLOW, 1.0)
    assert (outcome.response.status, len(outcome.changes), len(registrar)) == (200, 2, 0)


def test_a_star_without_expires_zero_is_refused() -> None:
    registrar = Registrar()
    bound(registrar, "<sip:a@192.0.2.1>")
    assert registrar.register(ask("*", cseq=2), FLOW, 0.0).response.status == 400
    assert len(registrar) == 1


def test_a_request_out_of_order_changes_nothing_at_all() -> None:
    """RFC 3261 §10.3 step 7: same Call-ID, CSeq not higher: the whole request fails."""
    registrar = Registrar()
    bound(registrar, "<sip:a@192.0.2.1>", cseq="5")
    late = registrar.register(ask("<sip:b@192.0.2.1>", "<sip:a@192.0.2.1>;expires=0"), FLOW, 1.0)
    assert late.response.status == 500
    assert uris(registrar) == ["sip:a@192.0.2.1"]
    rebooted = registrar.register(ask("<sip:a@192.0.2.1>;expires=0", call="two"), FLOW, 1.0)
    assert rebooted.response.status == 200
    assert len(registrar) == 0


def test_a_contact_is_the_same_however_it_is_spelt() -> None:
    """RFC 3261 §19.1.4."""
    registrar = Registrar()
    bound(registrar, "<sip:%61@PHONE.example;x=1>")
    outcome = registrar.register(ask("<sip:a@phone.example;y=2>", cseq=2), FLOW, 1.0)
    assert isinstance(outcome.changes[0], Bound)
    assert outcome.changes[0].refreshed
    assert uris(registrar) == ["sip:a@phone.example;y=2"]


def test_one_contact_too_many_displaces_the_one_refreshed_longest_ago() -> None:
    registrar = Registrar(RegistrarLimits(contacts=2))
    bound(registrar, "<sip:a@192.0.2.1>", "<sip:b@192.0.2.1>")
    bound(registrar, "<sip:a@192.0.2.1>", cseq="2")
    outcome = bound(registrar, "<sip:c@192.0.2.1>", cseq="3")
    assert [c.cause for c in outcome.changes if isinstance(c, Unbound)] == [Cause.DISPLACED]
    assert sorted(uris(registrar)) == ["sip:a@192.0.2.1", "sip:c@192.0.2.1"]


def test_an_address_that_is_not_sip_is_400() -> None:
    """RFC 4475 §3.3.4."""
    registrar = Registrar()
    asked = ask("<sip:a@192.0.2.1>")
    asked.headers.set("To", "<isbn:2983792873>")
    assert registrar.register(asked, FLOW, 0.0).response.status == 400
    assert registrar.register(ask("<name:John_Smith>"), FLOW, 0.0).response.status == 400


def test_bindings_end_when_their_time_is_over() -> None:
    registrar = Registrar()
    bound(registrar, "<sip:a@192.0.2.1>;expires=30", "<sip:b@192.0.2.1>;expires=40")
    bound(registrar, "<sip:b@192.0.2.1>;expires=50", cseq="2")
    assert registrar.handle_timer(29.9) == []
    assert uris(registrar, now=30.0) == ["sip:b@192.0.2.1"]
    (ended,) = registrar.handle_timer(30.0)
    assert isinstance(ended, Unbound)
    assert (ended.binding.uri, ended.cause) == ("sip:a@192.0.2.1", Cause.EXPIRED)
    assert [len(registrar.handle_timer(at)) for at in (40.0, 50.0, 60.0)] == [0, 1, 0]
    assert registrar.next_timeout() is None
    assert not registrar.knows(FLOW.remote)


def test_an_outbound_flow_replaces_the_former_of_its_instance() -> None:
    """RFC 5626 §6: instance and reg-id name the binding, whatever its URI."""
    registrar = Registrar()
    contact = f"<sip:a@192.0.2.1:{{}};ob>;reg-id=1;+sip.instance={INSTANCE}"
    first = bound(registrar, contact.format(1), Supported="path, outbound")
    assert first.response.headers.get("Require") == "outbound"
    bound(registrar, contact.format(2), cseq="2", flow=STREAM, Supported="outbound")
    (binding,) = registrar.lookup(AOR, 1.0)
    assert (binding.uri, binding.destination) == ("sip:a@192.0.2.1:2;ob", STREAM)


def test_outbound_through_a_proxy_that_does_not_know_it_is_439() -> None:
    """RFC 5626 §6."""
    registrar = Registrar()
    asked = ask(f"<sip:a@192.0.2.1>;reg-id=1;+sip.instance={INSTANCE}", Supported="outbound")
    asked.headers.add("Via", "SIP/2.0/TCP 198.51.100.1;branch=z9hG4bKinner")
    asked.headers.set("Path", "<sip:edge.example;lr>")
    assert registrar.register(asked, FLOW, 0.0).response.status == 439
    asked.headers.set("Path", "<sip:edge.example;lr;ob>")
    assert registrar.register(asked, FLOW, 0.0).response.status == 200


def test_a_closed_stream_ends_outbound_contacts_and_leaves_the_others_unreached() -> None:
    registrar = Registrar()
    outbound = f"<sip:a@192.0.2.1>;reg-id=1;+sip.instance={INSTANCE}"
    bound(registrar, outbound, flow=STREAM, Supported="outbound")
    bound(registrar, "<sip:b@192.0.2.1>", flow=STREAM, call="two")
    (ended,) = registrar.flow_closed(STREAM)
    assert isinstance(ended, Unbound)
    assert ended.cause is Cause.FLOW_CLOSED
    (left,) = registrar.lookup(AOR, 1.0)
    assert (left.uri, left.destination) == ("sip:b@192.0.2.1", None)
    assert registrar.flow_closed(STREAM) == []


def test_path_is_kept_given_back_and_used() -> None:
    """RFC 3327 §5.3, §5.4."""
    registrar = Registrar()
    path = "<sip:192.0.2.1:5099;lr>, <sip:edge.example;lr>"
    outcome = bound(registrar, "<sip:a@10.0.0.1>", Path=path)
    assert outcome.response.headers.all("Path") == [path]
    (binding,) = registrar.lookup(AOR, 1.0)
    assert binding.path == ("sip:192.0.2.1:5099;lr", "sip:edge.example;lr")
    assert binding.destination == Target("udp", "192.0.2.1", 5099)


@pytest.mark.parametrize(
    ("uri", "destination"),
    [
        ("sip:a@192.0.2.1:5070", FLOW),
        ("sip:a@192.0.2.1:5080", Target("udp", "192.0.2.1", 5080)),
        ("sip:a@10.0.0.5:5070", FLOW),
        ("sip:a@phone.example", FLOW),
    ],
)
def test_a_contact_behind_nat_is_reached_over_its_flow(
    uri: str, destination: Flow | Target
) -> None:
    registrar = Registrar()
    bound(registrar, f"<{uri}>")
    assert registrar.lookup(AOR, 1.0)[0].destination == destination


def test_bindings_survive_a_restart_and_their_streams_do_not() -> None:
    before, after = Registrar(), Registrar()
    bound(before, '<sip:a@10.0.0.5>;q=0.3;x="y z"', User_Agent="телефон")
    bound(before, "<sip:b@192.0.2.1>", flow=STREAM, call="two")
    stored = json.loads(json.dumps([binding.stored(epoch=1000.0) for binding in before]))
    after.restore(Binding.restored(one, epoch=5000.0) for one in stored)

    restored = {binding.uri: binding for binding in after}
    assert restored["sip:a@10.0.0.5"].destination == FLOW
    assert restored["sip:a@10.0.0.5"].expires_at == 3600.0 - 4000.0
    assert restored["sip:b@192.0.2.1"].flow is None
    assert after.knows(FLOW.remote)
    assert len(after.handle_timer(0.0)) == 2


STEP = st.tuples(
    st.sampled_from("abc"), st.sampled_from([0, 30, 60]), st.integers(0, 3), st.floats(0, 40)
)


@given(steps=st.lists(STEP, max_size=40))
def test_what_is_counted_is_what_is_bound_whatever_happens(
    steps: list[tuple[str, int, int, float]],
) -> None:
    registrar, now = Registrar(RegistrarLimits(contacts=2)), 0.0
    for number, (user, expires, port, pause) in enumerate(steps):
        now += pause
        flow = FLOW._replace(remote=("192.0.2.1", 5000 + port))
        registrar.handle_timer(now)
        asked = ask(f"<sip:{user}@192.0.2.1>;expires={expires}", cseq=number + 1)
        registrar.register(asked, flow, now)
        alive = registrar.lookup(AOR, now)
        assert len(alive) == len(registrar) == len(list(registrar)) <= 2
        known = {f"{binding.flow.remote}" for binding in alive if binding.flow}
        every = [("192.0.2.1", 5000 + p) for p in range(4)]
        assert {f"{remote}" for remote in every if registrar.knows(remote)} == known
        assert (registrar.next_timeout() is None) <= (not alive)
