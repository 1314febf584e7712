"""Gathering of batches: as long as allowed while idle, shorter the busier the engine is."""

import pytest

from media.backends.pace import Pace


def test_an_idle_engine_gathers_for_as_long_as_it_may() -> None:
    pace = Pace(0.002)
    pace.wake(10.0)
    assert pace.left(10.0) == pytest.approx(0.002)
    assert pace.left(10.0005) == pytest.approx(0.0015)


@pytest.mark.parametrize("cost", [0.2, 0.4, 0.6, 0.8])
def test_no_packet_is_under_way_for_much_longer_than_a_batch_may_be_gathered(cost: float) -> None:
    """`cost` is what handling takes of the time that its packets took to come."""
    pace, now = Pace(0.002), 10.0
    pace.wake(now)
    turn = 0.0
    for _ in range(400):
        now += cost * turn  # handling what came in the last turn
        left = max(pace.left(now), 0.0)
        now += left
        turn = left + cost * turn
        pace.wake(now)
    assert turn * (1 + cost) <= 1.41 * 0.002
    assert turn > 0.001
