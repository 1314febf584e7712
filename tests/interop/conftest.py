"""Fixtures of tests with real phones, real sockets and real time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.switch import Switch, running


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    """A running switch with extensions 101 to 104."""
    with running(tmp_path / "switch") as started:
        yield started
