"""The call centre with real phones: callers wait, agents' phones ring, they hear each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.phones import Baresip
from tests.interop.sound import seconds_of_tone
from tests.interop.switch import running, told

pytestmark = pytest.mark.interop

QUEUE = """
[agents.anna]
extension = "102"
logged_in = true
[queues.sales]
number = "700"
name = "Sales"
agents = ["anna"]
wrap_up = 60
"""


def test_a_caller_hears_music_then_the_agent_who_then_wraps_up(tmp_path: Path) -> None:
    with (
        running(tmp_path / "switch", QUEUE) as switch,
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as caller,
        Baresip(switch.account("102"), tmp_path / "102", tone=880) as agent,
    ):
        caller.registered()
        agent.registered()
        caller.dial("700")
        agent.established()
        caller.established()
        caller.live(2.5)
        caller.hangup()
        agent.closed()
        agents = switch.command("agents")

    assert seconds_of_tone(caller.heard()[0], 880) >= 1
    assert seconds_of_tone(agent.heard()[0], 440) >= 1
    assert agents.returncode == 0


def test_a_caller_waits_on_after_the_switch_was_killed(tmp_path: Path) -> None:
    """The phone is asked inside its dialog, keeps its place, and is served in it."""
    with (
        running(tmp_path / "switch", QUEUE) as switch,
        Baresip(switch.account("101"), tmp_path / "101", tone=440) as caller,
    ):
        caller.registered()
        caller.dial("700")
        caller.established()
        switch.kill()
        switch.start()
        switch.ready()
        with Baresip(switch.account("102"), tmp_path / "102", tone=880) as agent:
            switch.until(lambda: told(switch, "agents")[0]["state"] == "talking", "a talk")
            agent.live(2.5)
            caller.hangup()
            agent.closed()
        records = switch.command("records")

    assert seconds_of_tone(agent.heard()[0], 440) >= 1
    assert "anna" in records.stdout
