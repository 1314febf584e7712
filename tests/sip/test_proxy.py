"""What a proxy refuses, changes on the way, and answers when several answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from softswitch.sip.draft import Draft
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import parse
from softswitch.sip.proxy import Client, Hop, OnResponse, Proxy
from softswitch.sip.types import Destination, Target
from softswitch.sip.uri import SipUri
from tests.sip.samples import request

PHONE = Target("udp", "192.0.2.7", 5060)
HOP = Hop("sip:102@192.0.2.7", PHONE)
US = "192.0.2.100"


@dataclass
class Sent(Client):
    """A client transaction as a test sees it."""

    wire: Request
    destination: Destination
    on_response: OnResponse
    failure: int = 0

    def answered(self, status: int, **headers: str) -> None:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.on_response(reply(self.wire, status, headers=fields))

    def failed(self, status: int) -> None:
        self.failure = status
        self.on_response(None)


@dataclass
class Wire:
    """What a proxy sends down, and what it answers upstream."""

    sent: list[Sent] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def send(self, draft: Draft, to: Destination, branch: str, on_response: OnResponse) -> Client:
        wire = parse(draft.wire(f"SIP/2.0/UDP {US};branch={branch}"))
        assert isinstance(wire, Request)
        self.sent.append(Sent(wire, to, on_response))
        return self.sent[-1]


def ours(uri: SipUri) -> bool:
    return uri.host in (US, "office.example")


def proxy(wire: Wire) -> Proxy:
    return Proxy("office.example", ours, b"key", Random(3), wire.send)


def forwarded(asked: Request, *hops: Hop, record_route: str | None = None) -> Wire:
    wire = Wire()
    admitted = proxy(wire).admit(asked)
    assert isinstance(admitted, Request)
    proxy(wire).forward(admitted, hops or [HOP], wire.answers.append, record_route=record_route)
    return wire


def refused(asked: Request) -> Response:
    response = proxy(Wire()).admit(asked)
    assert isinstance(response, Response)
    return response


def test_the_copy_has_the_target_one_hop_less_and_our_via_on_top() -> None:
    """RFC 3261 §16.6."""
    (sent,) = forwarded(request("MESSAGE")).sent
    assert (sent.wire.uri, sent.destination) == (HOP.uri, PHONE)
    assert sent.wire.max_forwards == 69
    assert [via.host for via in sent.wire.vias] == [US, "192.0.2.1"]
    assert sent.wire.cseq == request("MESSAGE").cseq


def test_max_forwards_ends_at_zero_and_begins_at_seventy() -> None:
    assert refused(request("OPTIONS", Max_Forwards="0")).status == 483
    asked = request("OPTIONS")
    asked.headers.remove("Max-Forwards")
    assert forwarded(asked).sent[0].wire.max_forwards == 70


def test_a_request_that_comes_back_unchanged_is_a_loop_and_a_changed_one_is_not() -> None:
    """RFC 3261 §16.3 step 4, RFC 5393 §4.2."""
    (sent,) = forwarded(request("MESSAGE"), Hop(request().uri, PHONE)).sent
    sent.wire.headers.prepend("Via", "SIP/2.0/UDP elsewhere;branch=z9hG4bKother")
    assert refused(sent.wire).status == 482
    sent.wire.uri = "sip:103@office.example"
    assert isinstance(proxy(Wire()).admit(sent.wire), Request)


def test_extensions_that_a_proxy_must_know_are_refused_by_name() -> None:
    answer = refused(request("OPTIONS", Proxy_Require="noProxiesSupportThis, norDoAny"))
    assert answer.status == 420
    assert answer.headers.get("Unsupported") == "noproxiessupportthis, nordoany"


def test_a_foreign_scheme_is_416() -> None:
    asked = request("OPTIONS")
    asked.uri = "soap.beep://192.0.2.103:3002"
    assert refused(asked).status == 416


def test_the_route_that_led_here_is_dropped() -> None:
    """RFC 3261 §16.4."""
    asked = request("MESSAGE", Route=f"<sip:{US};lr>, <sip:next.example;lr>")
    (sent,) = forwarded(asked).sent
    assert sent.wire.headers.values("Route") == ["<sip:next.example;lr>"]


def test_what_a_strict_router_did_is_undone() -> None:
    """RFC 3261 §16.4: our Record-Route came as Request-URI, the target as last Route."""
    asked = request("MESSAGE", Route="<sip:next.example;lr>, <sip:bob@far.example>")
    asked.uri = f"sip:{US};lr"
    straight = proxy(Wire()).admit(asked)
    assert isinstance(straight, Request)
    assert straight.uri == "sip:bob@far.example"
    assert straight.headers.values("Route") == ["<sip:next.example;lr>"]


def test_a_strict_router_below_gets_what_it_understands() -> None:
    """RFC 3261 §16.6 step 6."""
    asked = request("MESSAGE", Route="<sip:strict.example>, <sip:next.example;lr>")
    (sent,) = forwarded(asked).sent
    assert sent.wire.uri == "sip:strict.example"
    assert sent.wire.headers.values("Route") == ["<sip:next.example;lr>", f"<{HOP.uri}>"]


def test_the_path_of_a_binding_comes_before_all_routes() -> None:
    """RFC 3327 §5.4."""
    (sent,) = forwarded(request("MESSAGE"), Hop(HOP.uri, PHONE, ("sip:edge.example;lr",))).sent
    assert sent.wire.headers.values("Route") == ["<sip:edge.example;lr>"]


def test_record_route_stands_above_what_others_recorded() -> None:
    asked = request("SUBSCRIBE", Record_Route="<sip:first.example;lr>")
    (sent,) = forwarded(asked, record_route=f"sip:{US};lr").sent
    recorded = sent.wire.headers.values("Record-Route")
    assert recorded == [f"<sip:{US};lr>", "<sip:first.example;lr>"]


def test_identity_and_our_own_credentials_go_no_further() -> None:
    asked = request(
        "MESSAGE",
        P_Asserted_Identity="<sip:boss@office.example>",
        Authorization='Digest realm="office.example",username="101"',
        Proxy_Authorization='Digest realm="far.example",username="101"',
        Content_Type="text/plain",
    )
    asked.body = b"hello"
    (sent,) = forwarded(asked).sent
    assert "P-Asserted-Identity" not in sent.wire.headers
    assert "Authorization" not in sent.wire.headers
    assert "Proxy-Authorization" in sent.wire.headers
    assert (sent.wire.body, sent.wire.content_type) == (b"hello", "text/plain")


def test_an_answer_goes_back_without_our_via() -> None:
    wire = forwarded(request("MESSAGE"))
    wire.sent[0].answered(100)
    wire.sent[0].answered(202)
    (answer,) = wire.answers
    assert answer.status == 202
    assert [via.host for via in answer.vias] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([404, 480], 404),
        ([404, 302], 302),
        ([302, 603, 200], 200),
        ([603, 302], 603),
        ([404, 415], 415),
        ([503, 503], 500),
        ([503, 404], 404),
        ([503, 500], 500),
    ],
)
def test_the_best_of_several_answers_goes_back_once(statuses: list[int], expected: int) -> None:
    """RFC 3261 §16.7 step 6."""
    wire = forwarded(request("MESSAGE"), *[HOP] * len(statuses))
    assert len({sent.wire.via.branch for sent in wire.sent}) == len(statuses)
    for sent, status in zip(wire.sent, statuses, strict=True):
        assert wire.answers == []
        sent.answered(status)
    assert [answer.status for answer in wire.answers] == [expected]


def test_a_success_goes_back_at_once_and_later_answers_nowhere() -> None:
    wire = forwarded(request("MESSAGE"), HOP, HOP)
    wire.sent[1].answered(200)
    wire.sent[0].answered(603)
    assert [answer.status for answer in wire.answers] == [200]


def test_the_challenges_of_all_branches_go_back_together() -> None:
    """RFC 3261 §16.7 step 7."""
    wire = forwarded(request("MESSAGE"), HOP, HOP)
    wire.sent[0].answered(401, WWW_Authenticate='Digest realm="a"')
    wire.sent[1].answered(407, Proxy_Authenticate='Digest realm="b"')
    (answer,) = wire.answers
    assert answer.headers.all("WWW-Authenticate") == ['Digest realm="a"']
    assert answer.headers.all("Proxy-Authenticate") == ['Digest realm="b"']


def test_silence_is_answered_by_silence_and_a_dead_transport_by_500() -> None:
    """RFC 4320 §4.2: a late 408 helps nobody."""
    wire = forwarded(request("MESSAGE"), HOP, HOP)
    wire.sent[0].failed(408)
    wire.sent[1].failed(408)
    assert wire.answers == []
    wire = forwarded(request("MESSAGE"))
    wire.sent[0].failed(503)
    assert [answer.status for answer in wire.answers] == [500]


def test_without_targets_the_answer_is_480() -> None:
    wire = Wire()
    proxy(wire).forward(request("MESSAGE"), [], wire.answers.append)
    assert [answer.status for answer in wire.answers] == [480]
