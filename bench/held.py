"""Figure: memory of calls that stand, and what one more call costs beside them.

    python -m bench.held [--quick] [--json]

Memory is what the signalling process has for itself alone (USS), beyond what it had when calls
came and went but none stood.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import crowd
from bench.rig import Figures, report
from bench.signalling import LOADS, cost, office, steady

KB = 1024.0


def measure(counts: tuple[int, ...], seconds: float) -> dict[str, float | int]:
    load, rate = LOADS["call"]
    found: dict[str, float | int] = {}
    with (
        office(pairs=2 * max(counts) + 400) as [server],
        tempfile.TemporaryDirectory() as name,
        ExitStack() as standing,
    ):
        cost(server, load, 2.0, rate)
        empty, there = server.memory(), 0
        for count in counts:
            more, folder = count - there, Path(name) / str(count)
            standing.enter_context(crowd.holding(server, folder, more, rate))
            there = count
            used = (server.memory() - empty) / KB / count
            found[f"kb_per_call_at_{count}_calls"] = round(used, 1)
            found[f"call_ms_at_{count}_calls"] = round(steady(server, load, seconds, rate), 3)
    return found


def figures(quick: bool) -> Figures:
    return measure((50, 500), 1.0) if quick else measure((50, 500, 1000, 5000), 3.0)


if __name__ == "__main__":
    report(figures, __doc__ or "")
