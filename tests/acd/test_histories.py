"""Whatever happens, in any order: the invariants hold, and a rebuilt engine is the same one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.actions import Refused
from acd.engine import Engine
from acd.events import Tick
from acd.journal import decode, encode, rebuild
from tests.acd.floorplan import copy_of
from tests.acd.history import Watch, any_event, any_settings

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

    engine, watch = Engine(any_settings(pick)), Watch()
    now = 0.0
    for _ in range(data.draw(st.integers(1, 40))):
        now += (0.0, 0.5, 7.0, 30.0)[pick(4)]
        said = engine.handle(any_event(pick, engine), now)
        assert list(watch.wrong(engine, said)) == []


@pytest.mark.parametrize("seed", range(12))
def test_long_random_history(seed: int) -> None:
    """The same by plain dice, for longer: `bench/acd_soak.py` does it a million times."""
    rng, watch = Random(seed), Watch()
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    for _ in range(600):
        now += rng.choice((0.0, 0.1, 3.0, 20.0))
        said = engine.handle(any_event(rng.randrange, engine), now)
        assert list(watch.wrong(engine, said)) == []


@pytest.mark.parametrize("seed", range(4))
def test_what_is_refused_changes_nothing(seed: int) -> None:
    """Not a bit, but for the number of the event."""
    rng = Random(seed)
    engine, now, refused = Engine(any_settings(rng.randrange)), 0.0, 0
    for _ in range(300):
        now += rng.choice((0.0, 0.1, 3.0, 20.0))
        engine.handle(Tick(), now)
        before = engine.snapshot()
        said = engine.handle(any_event(rng.randrange, engine), now)
        if any(isinstance(action, Refused) for action in said):
            refused += 1
            assert len(said) == 1
            assert engine.snapshot() == {**before, "event": before["event"] + 1}
    assert refused > 20


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


@pytest.mark.parametrize("seed", range(12))
def test_a_rebuilt_engine_goes_on_as_the_other_would(seed: int) -> None:
    """Killed now and then, it walks on beside the one that lives: the same words to the bit."""
    rng = Random(seed)
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    twin = copy_of(engine)
    for _ in range(400):
        now += rng.choice((0.0, 0.0, 0.1, 5.0, 30.0))
        record = encode(any_event(rng.randrange, engine), now)
        assert twin.handle(*decode(record)) == engine.handle(*decode(record))
        if rng.randrange(40) == 0:
            assert twin.snapshot() == engine.snapshot()
            twin = copy_of(engine)


WALK = """
from hashlib import sha256
from random import Random
from acd.engine import Engine
from tests.acd.history import any_event, any_settings

said = sha256()
for seed in range(4):
    rng = Random(seed)
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    for _ in range(500):
        now += rng.choice((0.0, 0.1, 3.0, 20.0))
        said.update(repr(engine.handle(any_event(rng.randrange, engine), now)).encode())
print(said.hexdigest())
"""


def test_another_process_decides_the_same() -> None:
    """Whatever order its sets and hashes have."""
    words = set()
    for salt in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", WALK],
            env={**os.environ, "PYTHONHASHSEED": salt},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        words.add(done.stdout)
    assert len(words) == 1
