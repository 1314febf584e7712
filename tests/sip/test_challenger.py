"""Who is believed: the right password, in time, for this request, once."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.challenger import Challenger, Fault, Outcome, Verdict
from softswitch.sip.digest import (
    Credentials,
    Secrets,
    answer,
    challenges,
    digest_params,
    response_hash,
    secrets,
)
from softswitch.sip.headers import quote
from softswitch.sip.message import Headers, Request, Response
from softswitch.sip.uri import SipUri
from tests.sip.samples import request

REALM = "office.example"
ANNA = Credentials("anna", "rose")
URI = "sip:102@office.example"
MD5_OF_ANNA = {"MD5": secrets("anna", REALM, "rose")["MD5"]}


def secrets_of(username: str) -> Secrets | None:
    return MD5_OF_ANNA if username == "anna" else None


def ours(uri: SipUri) -> bool:
    return uri.host == REALM


def challenger(memory: int = 100) -> Challenger:
    return Challenger(REALM, ours, b"key", Random(7), lifetime=60.0, memory=memory)


def answered(
    server: Challenger,
    *,
    now: float = 0.0,
    who: Credentials = ANNA,
    count: int = 1,
    uri: str = URI,
    method: str = "INVITE",
    qop: bool = True,
) -> Request:
    """A request with the answer to a fresh challenge."""
    return with_nonce(server.challenge(now)[0], who, count, uri, method, qop)


def with_nonce(
    challenge: str,
    who: Credentials = ANNA,
    count: int = 1,
    uri: str = URI,
    method: str = "INVITE",
    qop: bool = True,
) -> Request:
    if not qop:
        challenge = challenge.replace(',qop="auth"', "")
    (read,) = challenges(Response(401, headers=Headers([("WWW-Authenticate", challenge)])))
    value = answer(read, method, uri, who, Random(1), count)
    assert value is not None
    return request(method, URI, Authorization=value)


def outcome(server: Challenger, asked: Request, now: float = 1.0) -> Outcome:
    return server.verify(asked, secrets_of, now).outcome


def test_the_right_password_is_accepted() -> None:
    server = challenger()
    assert server.verify(answered(server), secrets_of, 1.0) == Verdict(Outcome.ACCEPTED, "anna")


def test_md5_alone_is_offered_unless_more_is_asked_for() -> None:
    (only,) = challenger().challenge(0.0)
    assert "algorithm=MD5" in only
    both = challenger().challenge(0.0, algorithms=("SHA-256", "MD5"))
    nonces = {(digest_params(value) or {})["nonce"] for value in both}
    assert len(both) == 2
    assert len(nonces) == 1


@pytest.mark.parametrize("who", [Credentials("anna", "tulip"), Credentials("nobody", "rose")])
def test_wrong_password_and_unknown_user_get_the_same_answer(who: Credentials) -> None:
    server = challenger()
    assert outcome(server, answered(server, who=who)) is Outcome.REFUSED


def test_no_credentials_for_our_realm_count_as_none() -> None:
    server = challenger()
    assert outcome(server, request()) is Outcome.MISSING
    assert outcome(server, request(Authorization="Basic YTpi")) is Outcome.MISSING
    elsewhere = request(Authorization='Digest realm="elsewhere",username="anna",response="0"')
    assert outcome(server, elsewhere) is Outcome.MISSING


def test_an_old_nonce_with_the_right_password_is_stale_and_with_a_wrong_one_refused() -> None:
    server = challenger()
    assert outcome(server, answered(server), now=59.0) is Outcome.ACCEPTED
    assert outcome(server, answered(server), now=60.0) is Outcome.STALE
    wrong = answered(server, who=Credentials("anna", "tulip"))
    assert outcome(server, wrong, now=60.0) is Outcome.REFUSED
    assert "stale=true" in server.challenge(60.0, stale=True)[0]


def test_a_nonce_of_a_former_life_is_stale() -> None:
    before, after = challenger(), Challenger(REALM, ours, b"new key", Random(8))
    assert outcome(after, answered(before)) is Outcome.STALE


def test_a_replayed_count_is_refused_in_any_order() -> None:
    server = challenger()
    challenge = server.challenge(0.0)[0]

    def spend(count: int) -> Outcome:
        return outcome(server, with_nonce(challenge, count=count))

    assert [spend(count) for count in (1, 3, 2)] == [Outcome.ACCEPTED] * 3
    assert [spend(count) for count in (1, 2, 3)] == [Outcome.STALE] * 3
    assert [spend(count) for count in (100, 4, 100)] == [
        Outcome.ACCEPTED,
        Outcome.STALE,
        Outcome.STALE,
    ]


@given(counts=st.lists(st.integers(1, 90), max_size=60))
def test_no_count_is_accepted_twice(counts: list[int]) -> None:
    server = challenger()
    challenge = server.challenge(0.0)[0]
    accepted = [
        count
        for count in counts
        if outcome(server, with_nonce(challenge, count=count)) is Outcome.ACCEPTED
    ]
    assert len(accepted) == len(set(accepted))


def test_without_qop_a_nonce_serves_once_and_the_fault_is_counted() -> None:
    server = challenger()
    challenge = server.challenge(0.0)[0]
    first = server.verify(with_nonce(challenge, qop=False), secrets_of, 1.0)
    assert first == Verdict(Outcome.ACCEPTED, "anna", (Fault.NO_QOP,))
    assert outcome(server, with_nonce(challenge, qop=False)) is Outcome.STALE
    assert outcome(server, with_nonce(challenge, count=2)) is Outcome.STALE
    assert server.forgiven == {Fault.NO_QOP: 1}


def test_forgotten_nonces_cannot_be_replayed() -> None:
    """Memory is bounded; what was dropped counts as used."""
    server = challenger(memory=3)
    used = [answered(server, now=float(at)) for at in range(10)]
    assert {outcome(server, one, now=10.0) for one in used} == {Outcome.ACCEPTED}
    assert {outcome(server, one, now=11.0) for one in used} == {Outcome.STALE}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (URI, Outcome.ACCEPTED),
        ("sip:office.example;transport=UDP", Outcome.ACCEPTED),
        ("sip:102@office.example;x=y", Outcome.ACCEPTED),
        ("sip:103@office.example", Outcome.REFUSED),
        ("sip:elsewhere.example", Outcome.REFUSED),
        ("tel:102", Outcome.REFUSED),
        ("/", Outcome.REFUSED),
    ],
)
def test_the_digest_must_name_our_host_and_no_other_user(uri: str, expected: Outcome) -> None:
    server = challenger()
    verdict = server.verify(answered(server, uri=uri), secrets_of, 1.0)
    assert verdict.outcome is expected
    if expected is Outcome.ACCEPTED:
        assert verdict.forgiven == (() if uri == URI else (Fault.OTHER_URI,))


def test_credentials_made_for_another_method_are_refused() -> None:
    server = challenger()
    asked = answered(server, method="OPTIONS")
    asked.method = "INVITE"
    assert outcome(server, asked) is Outcome.REFUSED


def test_one_fitting_header_among_several_is_enough() -> None:
    """Phones that were challenged twice send two Authorization headers."""
    server = challenger()
    asked = answered(server)
    asked.headers.prepend("Authorization", f'Digest realm="{REALM}",username="x",response="0"')
    asked.headers.prepend("Authorization", 'Digest realm="elsewhere",username="x"')
    assert outcome(server, asked) is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("qop=auth", "qop=auth-int"),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000000"),
        ("algorithm=MD5", "algorithm=SHA-256"),
        ("algorithm=MD5", "algorithm=ROT13"),
    ],
)
def test_odd_credentials_are_refused(old: str, new: str) -> None:
    server = challenger()
    asked = answered(server)
    value = asked.headers.get("Authorization") or ""
    params = digest_params(value.replace(old, new)) or {}
    hashed = params["algorithm"] if params["algorithm"] == "SHA-256" else "MD5"
    params["response"] = response_hash(
        hashed, secrets("anna", REALM, "rose")[hashed], "INVITE", params
    )
    joined = ",".join(f"{name}={quote(text)}" for name, text in params.items())
    asked.headers.set("Authorization", "Digest " + joined)
    assert outcome(server, asked) is Outcome.REFUSED


@given(st.text(max_size=200))
def test_any_authorization_gets_a_verdict(text: str) -> None:
    server = challenger()
    asked = request(Authorization=f'Digest realm="{REALM}",username="anna",{text}')
    assert outcome(server, asked) in (Outcome.MISSING, Outcome.REFUSED)
