"""kill -9 under load: nothing that was told is lost, and no agent is stuck."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.interop.kills import AGENTS, CALLERS, QUEUE, Hasty, Kills
from tests.interop.switch import serving

MOMENTS = int(os.environ.get("SOFTSWITCH_KILLS", "2"))
"""How often it is killed; 200 take some twelve minutes."""
pytestmark = [pytest.mark.interop, pytest.mark.timeout(240 + 30 * MOMENTS)]


def test_a_call_centre_that_is_killed_at_any_moment_goes_on(tmp_path: Path) -> None:
    callers = "".join(
        f'[extensions.{number}]\npassword = "secret-{number}"\n'
        for number in range(201, 201 + CALLERS)
    )
    switch = Hasty(tmp_path / "switch", callers + QUEUE, extensions=AGENTS)
    with serving(switch):
        rig = Kills(switch)
        asyncio.run(rig.run(MOMENTS))
    print(f"{MOMENTS} kills: {rig.progress}")
    assert not rig.faults, "\n".join(rig.faults[:20])
    assert rig.served
