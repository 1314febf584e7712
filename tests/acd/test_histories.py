"""Whatever happens, in any order: the invariants hold, and a rebuilt engine is the same one."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.codec import action_from_json, action_to_json
from acd.engine import Engine
from acd.invariants import violations
from acd.journal import decode, encode, rebuild
from tests.acd.floorplan import copy_of
from tests.acd.history import any_event, any_settings, broken_order

QUICK = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@QUICK
@given(data=st.data())
def test_invariants_hold_after_every_event(data: st.DataObject) -> None:
    """Hypothesis chooses the history, and shrinks it to the shortest that breaks a law."""

    def pick(limit: int) -> int:
        return data.draw(st.integers(0, limit - 1))

    engine = Engine(any_settings(pick))
    now = 0.0
    for _ in range(data.draw(st.integers(1, 40))):
        now += (0.0, 0.5, 7.0, 30.0)[pick(4)]
        said = engine.handle(any_event(pick, engine), now)
        assert list(violations(engine.floor)) == []
        assert list(broken_order(engine, said)) == []


@pytest.mark.parametrize("seed", range(12))
def test_long_random_history(seed: int) -> None:
    """The same by plain dice, for longer: `bench/acd_soak.py` does it a million times."""
    rng = Random(seed)
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    for _ in range(600):
        now += rng.choice((0.0, 0.1, 3.0, 20.0))
        said = engine.handle(any_event(rng.randrange, engine), now)
        assert list(violations(engine.floor)) == []
        assert list(broken_order(engine, said)) == []


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_every_step_the_engine_rebuilds_the_same(seed: int) -> None:
    """Snapshot and journal give the same state and the same actions from there on, bit for bit."""
    rng = Random(seed)
    engine = Engine(any_settings(rng.randrange))
    snapshot, journal, now = engine.snapshot(), list[bytes](), 0.0
    for step in range(120):
        now += rng.choice((0.0, 0.1, 3.0, 20.0)) / 3
        event = any_event(rng.randrange, engine)
        journal.append(encode(event, now))
        twin = copy_of(engine)
        said = engine.handle(event, now)
        assert twin.handle(*decode(journal[-1])) == said
        assert twin.snapshot() == engine.snapshot()
        assert twin.next_timeout() == engine.next_timeout()
        if step % 40 == 39:
            assert rebuild(snapshot, journal).snapshot() == engine.snapshot()
            snapshot, journal = json.loads(json.dumps(engine.snapshot())), []
        assert [action_from_json(action_to_json(action)) for action in said] == said
