"""The heap that wakes everything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from softswitch.sip.timers import Alarm, Bell, TimerHeap, Timers
from softswitch.sip.types import Instant


def play(heap: TimerHeap, until: Instant) -> list[Instant]:
    instants = []
    while (at := heap.next_timeout()) is not None and at <= until:
        instants.append(at)
        alarm = heap.take_due(at)
        assert alarm is not None
        alarm.ring(at)
    return instants


def test_an_alarm_rings_once_at_its_instant() -> None:
    heap, rung = TimerHeap(), []
    heap.arm(Bell(lambda: rung.append(1)), 3.0)
    assert play(heap, 2.9) == []
    assert play(heap, 10.0) == [3.0]
    assert rung == [1]
    assert heap.next_timeout() is None


def test_arming_again_replaces_the_instant_whether_sooner_or_later() -> None:
    heap = TimerHeap()
    later, sooner = Bell(lambda: None), Bell(lambda: None)
    heap.arm(later, 1.0)
    heap.arm(later, 5.0)
    heap.arm(sooner, 9.0)
    heap.arm(sooner, 2.0)
    assert play(heap, 100.0) == [2.0, 5.0]


def test_a_disarmed_alarm_does_not_ring() -> None:
    heap = TimerHeap()
    bell = Bell(lambda: None)
    heap.arm(bell, 1.0)
    heap.disarm(bell)
    heap.disarm(bell)
    assert play(heap, 100.0) == []
    assert len(heap) == 0


def test_alarms_of_one_instant_ring_in_the_order_they_were_armed() -> None:
    heap, rung = TimerHeap(), []
    for name in "abc":
        heap.arm(Bell(lambda name=name: rung.append(name)), 1.0)  # type: ignore[misc]
    play(heap, 1.0)
    assert rung == ["a", "b", "c"]


def test_what_was_disarmed_does_not_pile_up() -> None:
    """Session timers of ended calls lie far ahead; they must not stay until then."""
    heap = TimerHeap()
    for _ in range(10_000):
        bell = Bell(lambda: None)
        heap.arm(bell, 900.0)
        heap.disarm(bell)
    assert len(heap._entries) < 1100


def test_everything_that_takes_64_t1() -> None:
    assert Timers(t1=0.5).give_up == 32.0


steps = st.lists(
    st.tuples(st.sampled_from(["arm", "disarm", "pass"]), st.integers(0, 4), st.floats(0.0, 50.0)),
    max_size=60,
)


@given(steps=steps)
def test_any_history_rings_exactly_what_is_armed_and_never_early(
    steps: list[tuple[str, int, float]],
) -> None:
    heap, now = TimerHeap(), 0.0
    alarms = [Alarm() for _ in range(5)]
    due: dict[int, float] = {}
    for verb, which, amount in steps:
        if verb == "arm":
            heap.arm(alarms[which], now + amount)
            due[which] = now + amount
        elif verb == "disarm":
            heap.disarm(alarms[which])
            due.pop(which, None)
        else:
            now += amount
            while (alarm := heap.take_due(now)) is not None:
                assert due.pop(alarms.index(alarm)) <= now
            assert all(at > now for at in due.values())
    assert heap.next_timeout() == min(due.values(), default=None)
    assert len(heap) == len(due)
