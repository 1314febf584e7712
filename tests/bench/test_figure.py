"""What a figure's name tells, and how a cost grows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figure import Figure, read, unit_of
from bench.growth import curves, exponents, fit


@pytest.mark.parametrize(
    ("name", "unit", "more_is_better"),
    [
        ("io_uring_us_per_packet", "µs", False),
        ("delay_p99_ms", "ms", False),
        ("day_of_10000_s", "s", False),
        ("decisions_per_s_with_1000_agents", "1/s", True),
        ("io_uring_of_r", "×", False),
        ("epoll_most_calls", "calls", True),
        ("epoll_most_calls_of_rtpengine", "×", True),
        ("switch_call_failed", "failed", False),
        ("kb_per_call_at_1000_calls", "KB", False),
        ("concealment, a lost frame", "", False),
        ("agents", "", False),
        ("crowd_late_ms", "", False),
    ],
)
def test_a_name_tells_its_unit(name: str, unit: str, more_is_better: bool) -> None:
    assert unit_of(name) == (unit, more_is_better)


def test_rounds_become_a_median_with_noise() -> None:
    figures, remarks = read(
        "relay", [{"x_us": value, "peer": "is absent"} for value in (9, 12, 10)]
    )

    assert figures == [Figure("relay.x_us", (9.0, 12.0, 10.0), "µs")]
    assert (figures[0].value, figures[0].noise) == (10.0, 0.15)
    assert remarks == ["peer: is absent"]


def test_points_of_one_cost_are_a_curve_whatever_their_order() -> None:
    told = {"call_ms_at_1000_held": 1.2, "call_ms_at_10_held": 1.2, "calls": 5}
    figures, _ = read("held", [told])

    [curve] = curves(figures)

    assert (curve.stem, curve.things, curve.points) == (
        "held.call_ms",
        "held",
        ((10, 1.2), (1000, 1.2)),
    )
    assert exponents(figures) == [Figure("held.call_ms_by_held_exponent", (0.0,), "exponent")]


@given(exponent=st.floats(-1, 2), scale=st.floats(0.01, 100))
def test_a_power_law_is_found_again(exponent: float, scale: float) -> None:
    points = [(load, scale * load**exponent) for load in (10, 100, 1000)]

    assert math.isclose(fit(points), exponent, abs_tol=1e-9)
