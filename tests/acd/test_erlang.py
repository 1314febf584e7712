"""The closed forms against tables that others have printed."""

from __future__ import annotations

from math import inf

import pytest

from acd.erlang import (
    Erlang,
    agents_needed,
    delay_probability,
    erlang_b,
    erlang_c,
    square_root_staffing,
)


@pytest.mark.parametrize(
    ("servers", "load", "lost"),
    [
        # traffic tables of grade of service: erlangs offered at which so many calls are lost
        (1, 0.0101, 0.01),
        (5, 1.36, 0.01),
        (10, 4.46, 0.01),
        (20, 12.0, 0.01),
        (50, 37.9, 0.01),
        (100, 84.1, 0.01),
        (2, 0.223, 0.02),
        (10, 5.08, 0.02),
        (10, 6.22, 0.05),
        (30, 24.8, 0.05),
        (10, 3.96, 0.005),
        (10, 3.09, 0.001),
    ],
)
def test_erlang_b_table(servers: int, load: float, lost: float) -> None:
    """The tables give three figures of the load."""
    assert erlang_b(servers, load) == pytest.approx(lost, rel=0.04)


def test_erlang_b_of_nothing_and_of_many() -> None:
    assert erlang_b(0, 3.0) == 1.0
    assert erlang_b(100_000, 1.0) == 0.0


@pytest.mark.parametrize(
    ("agents", "load", "waits"),
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 8.0, 0.409), (5, 4.0, 0.554), (3, 3.5, 1.0)],
)
def test_erlang_c(agents: int, load: float, waits: float) -> None:
    assert erlang_c(agents, load) == pytest.approx(waits, abs=0.0005)


def test_with_and_without_patience() -> None:
    """Gans, Koole and Mandelbaum 2003, table 1: 48 calls a minute of a minute, 50 agents.

    Without abandonment 20.8 s of waiting and 96 % occupancy; with patience of two minutes 3.1 %
    give up, those who wait do so 3.7 s on average, and agents are busy 93 % of the time.
    """
    endless, patient = (Erlang(50, 48 / 60, 60.0, patience) for patience in (inf, 120.0))

    assert endless.mean_wait == pytest.approx(20.8, abs=0.05)
    assert endless.occupancy == pytest.approx(0.96)
    assert patient.abandoned == pytest.approx(0.031, abs=0.0005)
    assert patient.mean_wait == pytest.approx(3.7, abs=0.05)
    assert patient.occupancy == pytest.approx(0.93, abs=0.005)


def test_the_classic_hundred_calls_an_hour() -> None:
    """100 calls in half an hour, 180 s each: 14 agents answer 88.8 % within 20 s, 13 only 79 %."""
    assert Erlang(14, 100 / 1800, 180.0).answered_within(20) == pytest.approx(0.888, abs=0.001)
    assert agents_needed(100 / 1800, 180.0, 20.0, 0.8) == 14


def test_patience_without_end_is_erlang_c() -> None:
    """In the limit the two models are one."""
    one, other = Erlang(12, 0.05, 200.0), Erlang(12, 0.05, 200.0, patience=1e7)
    assert other.wait_probability == pytest.approx(one.wait_probability, rel=1e-3)
    assert other.answered_within(20) == pytest.approx(one.answered_within(20), rel=1e-3)


def test_too_much_work_is_no_error() -> None:
    """Erlang C says for ever; Erlang A sheds what is too much: at least 1 - n/R gives up."""
    endless, patient = Erlang(5, 0.1, 100.0), Erlang(5, 0.1, 100.0, 60.0)
    assert (endless.wait_probability, endless.mean_wait, endless.occupancy) == (1.0, inf, 1.0)
    assert endless.answered_within(30) == 0.0
    assert 0.5 < patient.abandoned < 0.52
    assert patient.occupancy > 0.97


@pytest.mark.parametrize(("beta", "waits"), [(0.1, 0.8803), (0.5, 0.5045), (1.0, 0.2234)])
def test_halfin_whitt_function(beta: float, waits: float) -> None:
    assert delay_probability(beta) == pytest.approx(waits, abs=0.001)


@pytest.mark.parametrize("load", [10.0, 100.0, 1000.0])
def test_square_root_rule_is_close_to_the_exact_answer(load: float) -> None:
    """Half of the callers wait: within one agent of Erlang C, at any size."""
    exact = next(n for n in range(int(load) + 1, 2000) if erlang_c(n, load) <= 0.5)
    assert abs(square_root_staffing(load, 0.5) - exact) <= 1
