"""Digest: the RFC's own numbers, and what a challenge is answered with."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.digest import (
    Challenge,
    Credentials,
    answer,
    answers,
    challenges,
    digest_params,
    ha1,
    response_hash,
    secrets,
)
from softswitch.sip.message import Headers, Response
from tests.sip.samples import request

ANNA = Credentials("anna", "rose")


def refusal(*fields: tuple[str, str]) -> Response:
    return Response(401, headers=Headers(fields))


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, expected: str) -> None:
    """RFC 7616 §3.9.1."""
    params = {
        "uri": "/dir/index.html",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
    }
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert response_hash(algorithm, secret, "GET", params) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Digest realm="a, b" , nonce = abc', {"realm": "a, b", "nonce": "abc"}),
        ('digest realm="say \\"hi\\""', {"realm": 'say "hi"'}),
        ("NoOneKnowsThisScheme opaque-data=here", None),
        ('Digest realm="a",realm="b"', None),
        ('Digest realm="never closed', None),
        ("Digest ", {}),
    ],
)
def test_parameters_are_read_one_way_or_not_at_all(
    value: str, expected: dict[str, str] | None
) -> None:
    assert digest_params(value) == expected


def test_the_better_algorithm_of_a_realm_is_answered() -> None:
    """RFC 8760 §2.4."""
    both = refusal(
        ("WWW-Authenticate", 'Digest realm="r",nonce="1",algorithm=MD5'),
        ("WWW-Authenticate", 'Digest realm="r",nonce="2",algorithm=SHA-256,qop="auth,auth-int"'),
        ("WWW-Authenticate", 'Digest realm="r",nonce="3",algorithm=SHA-512-256'),
    )
    assert challenges(both) == [Challenge("Authorization", "r", "2", "SHA-256")]


def test_each_realm_is_answered_in_the_field_for_it() -> None:
    both = refusal(
        ("WWW-Authenticate", 'Digest realm="end",nonce="1",qop="auth"'),
        ("Proxy-Authenticate", 'Digest realm="hop",nonce="2"'),
    )
    fields = answers(both, request(), ANNA, Random(1))
    assert [name for name, _ in fields] == ["Authorization", "Proxy-Authorization"]


def test_refused_credentials_are_not_offered_twice_unless_the_nonce_was_stale() -> None:
    first = refusal(("WWW-Authenticate", 'Digest realm="r",nonce="1"'))
    again = request()
    for name, value in answers(first, again, ANNA, Random(1)):
        again.headers.set(name, value)

    stale = refusal(("WWW-Authenticate", 'Digest realm="r",nonce="2",stale=TRUE'))
    assert answers(first, again, ANNA, Random(1)) == []
    assert len(answers(stale, again, ANNA, Random(1))) == 1


def test_a_stored_ha1_is_as_good_as_the_password() -> None:
    challenge = Challenge("Authorization", "r", "n", qop=False)
    stored = Credentials("anna", secrets=secrets("anna", "r", "rose"))
    by_password = answer(challenge, "REGISTER", "sip:r", ANNA, Random(1))
    assert answer(challenge, "REGISTER", "sip:r", stored, Random(1)) == by_password
    assert answer(challenge, "REGISTER", "sip:r", Credentials("x", secrets={}), Random(1)) is None


def test_opaque_is_given_back() -> None:
    challenge = Challenge("Authorization", "r", "n", opaque='o"o')
    value = answer(challenge, "REGISTER", "sip:r", ANNA, Random(1))
    assert value is not None
    assert (digest_params(value) or {})["opaque"] == 'o"o'


@given(st.text(max_size=80))
def test_any_text_is_parameters_or_nothing(text: str) -> None:
    params = digest_params("Digest " + text)
    assert params is None or all(params)
