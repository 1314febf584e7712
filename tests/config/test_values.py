"""Targets, hours, addresses: text in, meaning out, and back."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Kind, Target, changes, is_placeholder, needs_restart, with_fixed
from config.addresses import Listen, Ports, is_loopback
from config.features import Slots
from config.modes import Hours
from config.trunks import Rewrite
from tests.config.test_loader import MINIMAL, settings


@given(st.sampled_from([k for k in Kind if k is not Kind.HANGUP]), st.text("ab1+:-", min_size=1))
def test_a_target_is_read_as_it_is_written(kind: Kind, name: str) -> None:
    try:
        target = Target.parse(f"{kind}:{name}")
    except ValueError:
        target = Target.parse(str(kind))  # one of those that stand alone
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    ("hours", "moment", "holds"),
    [
        ("Mon-Fri 09:00-18:00", "2026-03-02 09:00", True),
        ("Mon-Fri 09:00-18:00", "2026-03-02 18:00", False),
        ("Mon-Fri 09:00-18:00", "2026-03-01 12:00", False),
        ("Fri 22:00-06:00", "2026-03-07 05:59", True),
        ("Fri 22:00-06:00", "2026-03-06 05:59", False),
        ("Sat-Mon", "2026-03-01 00:00", True),
        ("Sat-Mon", "2026-03-03 00:00", False),
        ("13:00-14:00", "2026-03-01 13:30", True),
        ("mon,wed-thu 8:30-9:00", "2026-03-05 08:30", True),
    ],
)
def test_hours_hold_a_moment(hours: str, moment: str, holds: bool) -> None:
    """2026-03-01 is a Sunday."""
    parsed = Hours.parse(hours)

    assert parsed.holds(dt.datetime.fromisoformat(moment)) is holds
    assert Hours.parse(str(parsed)) == parsed


def test_addresses_are_read_as_they_are_written() -> None:
    for text in ("udp:0.0.0.0:5060", "tls:[::1]:5061"):
        assert str(Listen.parse(text)) == text
    assert Ports.parse("16384-32767") == (16384, 32767)
    assert Slots.parse("71-73").numbers() == ("71", "72", "73")
    assert is_loopback("::1") and is_loopback("127.0.0.9") and not is_loopback("10.0.0.1")


def test_a_number_is_rewritten_as_a_whole_or_not_at_all() -> None:
    rule = Rewrite(match=r"8(\d{10})", replace=r"+7\1")

    assert rule.apply("84951234567") == "+74951234567"
    assert rule.apply("84951234567#") is None


@pytest.mark.parametrize(("word", "known"), [("change-me", True), ("101", True), ("x7kf", False)])
def test_a_placeholder_is_what_strangers_guess_first(word: str, known: bool) -> None:
    assert is_placeholder(word, user="101") is known


def test_a_reload_knows_what_changed() -> None:
    old = settings(MINIMAL)
    new = settings(MINIMAL.replace("s3cret", "0ther") + "[extensions.102]\n[sip]\nnat = false\n")

    found = changes(old, new)

    assert found.keys() == {"extensions", "sip"}
    assert found["extensions"].added == {"102"} and found["extensions"].changed == {"101"}
    assert found["sip"].names == {"nat"}
    assert changes(old, old) == {}


def test_a_reload_says_what_needs_a_restart() -> None:
    new = settings(MINIMAL + '[media]\nports = "20000-20999"\nptime = 30\n')

    assert [problem.key for problem in needs_restart(settings(MINIMAL), new)] == ["media.ports"]


def test_until_the_restart_the_old_value_holds_and_the_rest_is_new() -> None:
    old = settings(MINIMAL)
    new = settings(MINIMAL + '[media]\nports = "20000-20999"\nptime = 30\n[log]\nlevel = "error"\n')

    mixed = with_fixed(old, new)

    assert (mixed.media.ports, mixed.media.ptime) == (old.media.ports, 30)
    assert mixed.log == old.log
    assert needs_restart(old, mixed) == []
