"""What strangers are told when they ask who is there."""

from __future__ import annotations

from random import Random

from softswitch.pbx.gatekeeper import Gatekeeper, Rebuff
from softswitch.sip.challenger import Challenger
from tests.pbx.world import settings_of
from tests.support.builders import FLOW, request

STRANGERS = [f"{number}" for number in range(300, 340)]


def offered(toml: str, name: str) -> str:
    """The algorithm that whoever calls himself `name` is challenged with."""
    challenger = Challenger("office.test", lambda uri: True, b"key", Random(1))
    gatekeeper = Gatekeeper(challenger, lambda source, now: None, lambda flow, called: None)
    gatekeeper.apply(settings_of(toml, 4))
    asked = request("REGISTER")
    asked.headers.replace("From", [f"<sip:{name}@office.test>;tag=1"])
    verdict = gatekeeper.judge(asked, FLOW, 0.0)
    assert isinstance(verdict, Rebuff)
    [(_, challenge)] = verdict.headers
    return challenge.partition("algorithm=")[2].partition(",")[0]


def test_an_extension_with_a_wish_of_its_own_is_not_told_from_a_stranger() -> None:
    toml = '[extensions.103]\ndigest = "sha-256"\n'
    assert (offered(toml, "103"), offered(toml, "101")) == ("SHA-256", "MD5")
    answers = [offered(toml, name) for name in STRANGERS]
    assert set(answers) == {"MD5", "SHA-256"}
    assert answers == [offered(toml, name) for name in STRANGERS], "asking again tells no more"


def test_without_such_wishes_everybody_is_asked_alike() -> None:
    assert {offered("", name) for name in [*STRANGERS, "101"]} == {"MD5"}
