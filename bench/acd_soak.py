"""A million random events against the engine, its invariants checked after every one.

    python -m bench.acd_soak [--events N] [--seed S]

Histories of a thousand events, each in a centre of its own; at the first violation the seed and the
event's number are printed, so that the history can be walked again.  Now and then the engine is
killed: another one is made of its snapshot and walks on beside it, each event through the journal's
codec, and must say the same to the bit.
"""

from __future__ import annotations

import argparse
import json
import sys
from random import Random
from time import monotonic

from acd.engine import Engine
from acd.journal import decode, encode
from tests.acd.history import Watch, any_event, any_settings

LENGTH = 1000
STRIDES = (0.0, 0.0, 0.1, 1.0, 5.0, 30.0)
KILL = 200
"""Events from one kill to the next, on average."""


def walk(seed: int) -> str:
    """One history; what is wrong with it, or nothing."""
    rng = Random(seed)
    engine, now = Engine(any_settings(rng.randrange)), 0.0
    watch, twin = Watch(), engine
    for number in range(LENGTH):
        now += rng.choice(STRIDES)
        event = any_event(rng.randrange, engine)
        where = f"seed {seed}, event {number}, {event}"
        said = engine.handle(event, now)
        if wrong := next(watch.wrong(engine, said), ""):
            return f"{where}: {wrong}"
        if twin is not engine and twin.handle(*decode(encode(event, now))) != said:
            return f"{where}: the engine that was rebuilt says something else"
        if rng.randrange(KILL) == 0:
            snapshot = engine.snapshot()
            if twin is not engine and twin.snapshot() != snapshot:
                return f"{where}: the engine that was rebuilt is another one"
            twin = Engine.restore(json.loads(json.dumps(snapshot)))
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
