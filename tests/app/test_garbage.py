"""The collector waits for quiet, but not for ever."""

import gc
from collections.abc import Iterator

import pytest

from softswitch.app import garbage


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_it_waits_while_somebody_would_notice() -> None:
    kept: list[list[int]] = [[] for _ in range(garbage.SOME + 1000)]
    assert not garbage.collect_if_due(quiet=False)
    assert garbage.collect_if_due(quiet=True)
    assert not garbage.collect_if_due(quiet=True)  # nothing has come since
    assert kept


def test_it_does_not_wait_where_memory_would_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "MANY", 1000)
    kept: list[list[int]] = [[] for _ in range(2000)]
    assert garbage.collect_if_due(quiet=False)
    assert kept
