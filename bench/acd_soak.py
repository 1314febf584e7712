"""A million random events against the engine, its invariants checked after every one.

    python -m bench.acd_soak [--events N] [--seed S]

Histories of a thousand events, each in a centre of its own; at the first violation the seed and the
event's number are printed, so that the history can be walked again.  Snapshots go through JSON and
back now and then, and must give the same engine.
"""

from __future__ import annotations

import argparse
import json
import sys
from random import Random
from time import monotonic

from acd.engine import Engine
from acd.invariants import violations
from tests.acd.history import any_event, any_settings, broken_order

LENGTH = 1000
STRIDES = (0.0, 0.0, 0.1, 1.0, 5.0, 30.0)


def walk(seed: int) -> str:
    """One history; what is wrong with it, or nothing."""
    rng = Random(seed)
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    for number in range(LENGTH):
        now += rng.choice(STRIDES)
        event = any_event(rng.randrange, engine)
        said = engine.handle(event, now)
        wrong = [*violations(engine.floor), *broken_order(engine, said)]
        if wrong:
            return f"seed {seed}, event {number}, {event}: {wrong[0]}"
        if rng.randrange(200) == 0:
            snapshot = engine.snapshot()
            engine = Engine.restore(json.loads(json.dumps(snapshot)))
            if engine.snapshot() != snapshot:
                return f"seed {seed}, event {number}: the snapshot does not come back"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begin = monotonic()
    for seed in range(given.seed, given.seed + -(-given.events // LENGTH)):
        if wrong := walk(seed):
            sys.exit(wrong)
    print(f"{given.events} events, no violation, {monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
