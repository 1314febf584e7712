"""Port pairs of an engine: those of one that is just dying are waited for."""

from __future__ import annotations

import socket
import time

import pytest

from media.backends.sockets import Sockets
from media.settings import MediaSettings
from tests.interop.ports import media_range


def test_ports_that_are_held_a_moment_longer_are_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9 the kernel closes the old engine's sockets when it gets round to it."""
    low, high = media_range(20)
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(high - low + 1)]
    for number, each in enumerate(held):
        each.bind(("127.0.0.1", low + number))

    def release(seconds: float) -> None:
        while held:
            held.pop().close()

    monkeypatch.setattr(time, "sleep", release)
    with Sockets.bind(MediaSettings(address="127.0.0.1", ports=(low, high))) as sockets:
        assert len(sockets.ports) == 10
        assert sockets.ports == sorted(sockets.ports)
