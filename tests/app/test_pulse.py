"""Complaint 64: a loop that stands still is counted, raises an alarm, and is heard of outside."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from softswitch.app.pulse import BEAT, REMEMBERED, Pulse
from softswitch.pbx.alarms import Alarms
from tests.support.loop import live, pass_time


def test_c64_stalls_are_counted_and_long_ones_stand_for_a_minute() -> None:
    alarms = Alarms(lambda *_: None)
    pulse = Pulse(alarms, {})
    for late in (0.0, 0.05, 0.3, 0.5):
        pulse.beat(late, now=10.0)
    assert (pulse.stalls, pulse.longest) == (2, 0.5) and pulse.stalled == pytest.approx(0.8)
    assert not list(alarms)

    pulse.beat(3.2, now=20.0)
    assert [alarm.sentence for alarm in alarms] == ["the switch stood still for 3.2 s"]
    pulse.beat(0.0, now=20.0 + REMEMBERED - 1)
    assert list(alarms)
    pulse.beat(0.0, now=20.0 + REMEMBERED)
    assert not list(alarms)


def test_c64_systemd_hears_of_every_beat(tmp_path: Path) -> None:
    async def beat() -> None:
        pulse = asyncio.ensure_future(Pulse(alarms, {"NOTIFY_SOCKET": str(path)}).run())
        await pass_time(2.5 * BEAT)
        pulse.cancel()

    alarms, path = Alarms(lambda *_: None), tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(5)
        live(beat())
        heard = [systemd.recv(100) for _ in range(3)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
