"""Guessing and flooding become slow and then pointless; neighbours do not notice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.guard import Guard, GuardLimits, State
from softswitch.sip.types import Address

NAT = "198.51.100.7"
STRANGER: Address = (NAT, 40_000)
PHONE: Address = (NAT, 5062)
LIMITS = GuardLimits(sources=20)


def guard(*registered: Address, limits: GuardLimits = LIMITS, trusted: str = "") -> Guard:
    return Guard(limits, lambda address: address in registered, trusted.split())


def fail(watch: Guard, times: int, address: Address = STRANGER, now: float = 0.0) -> None:
    for _ in range(times):
        watch.failed(address, now)


def test_a_source_without_failures_never_waits() -> None:
    watch = guard()
    fail(watch, 9)
    assert [watch.admit(STRANGER, float(at)) for at in range(5)] == [0.0] * 5
    assert watch.status(5.0) == []


def test_ten_failures_slow_a_source_to_one_message_a_second() -> None:
    watch = guard()
    fail(watch, 10)
    assert [watch.admit(STRANGER, 0.0) for _ in range(6)] == [1.0, 2.0, 3.0, 4.0, None, None]
    assert watch.admit((NAT, 41_000), 100.0) == 1.0
    assert watch.status(100.0)[0].state is State.SLOWED


def test_fifty_failures_silence_a_source_for_ten_minutes_whatever_it_sends() -> None:
    watch = guard()
    fail(watch, 50)
    assert [watch.admit(STRANGER, at) for at in (0.0, 599.9)] == [None, None]
    assert watch.admit(STRANGER, 600.0) == 0.0
    (suspect,) = guard_status_at(watch, 10.0)
    assert suspect == (NAT, State.SILENCED, 50, 600.0)


def guard_status_at(watch: Guard, now: float) -> list[tuple[str, State, int, float | None]]:
    return [(s.source, s.state, s.failures, s.until) for s in watch.status(now)]


def test_failures_are_forgotten_after_ten_quiet_minutes() -> None:
    watch = guard()
    fail(watch, 49)
    fail(watch, 1, now=600.0)
    assert watch.admit(STRANGER, 600.0) == 0.0


def test_a_registered_phone_does_not_pay_for_its_neighbour() -> None:
    watch = guard(PHONE)
    fail(watch, 50)
    assert watch.admit(STRANGER, 1.0) is None
    assert watch.admit(PHONE, 1.0) == 0.0


def test_a_registered_phone_pays_for_itself_and_alone() -> None:
    watch = guard(PHONE)
    fail(watch, 50, PHONE)
    assert watch.admit(PHONE, 1.0) is None
    assert watch.admit(STRANGER, 1.0) == 0.0
    assert watch.status(1.0)[0].source == f"{NAT}:5062"


def test_a_flood_is_dropped_beyond_burst_and_rate() -> None:
    watch = guard(limits=GuardLimits(flood_rate=10.0, flood_burst=5))
    assert [watch.admit(STRANGER, 0.0) for _ in range(7)] == [0.0] * 5 + [None] * 2
    assert watch.status(0.5)[0].state is State.FLOODING
    assert [watch.admit(STRANGER, 0.2) for _ in range(3)] == [0.0, 0.0, None]
    assert watch.dropped == 3


def test_an_ipv6_network_is_one_source_and_a_mapped_ipv4_is_its_ipv4() -> None:
    watch = guard()
    fail(watch, 50, ("2001:db8::1", 5060))
    fail(watch, 50, ("::ffff:192.0.2.9", 5060))
    assert watch.admit(("2001:db8::ffff:2", 9), 1.0) is None
    assert watch.admit(("2001:db8:0:1::1", 9), 1.0) == 0.0
    assert watch.admit(("192.0.2.9", 9), 1.0) is None
    assert {source for source, *_ in guard_status_at(watch, 1.0)} == {"192.0.2.9", "2001:db8::/64"}


def test_trusted_networks_are_never_slowed() -> None:
    watch = guard(trusted="198.51.100.0/24")
    fail(watch, 100)
    assert watch.admit(STRANGER, 0.0) == 0.0


def test_lifting_forgets_a_source() -> None:
    watch = guard()
    fail(watch, 50)
    assert watch.lift(NAT)
    assert not watch.lift(NAT)
    assert watch.admit(STRANGER, 0.0) == 0.0


def test_strangers_passing_by_do_not_push_a_suspect_out_of_memory() -> None:
    watch = guard()
    fail(watch, 50)
    for number in range(1000):
        watch.admit((f"203.0.{number // 256}.{number % 256}", 5060), 1.0)
    assert watch.admit(STRANGER, 2.0) is None


@given(st.lists(st.tuples(st.integers(0, 255), st.booleans(), st.floats(0, 5)), max_size=200))
def test_memory_is_bounded_and_every_wait_is_too(steps: list[tuple[int, bool, float]]) -> None:
    watch = guard(limits=GuardLimits(sources=10, slow_after=1, silence_after=3))
    now = 0.0
    for host, is_failure, pause in steps:
        now += pause
        address = (f"203.0.113.{host}", 5060)
        if is_failure:
            watch.failed(address, now)
        wait = watch.admit(address, now)
        assert wait is None or 0 <= wait <= 4
        assert len(watch.status(now)) <= 10
