"""Figure: what a registration costs beside so many others, each of an extension of its own.

python -m bench.registered [--quick] [--json]
"""

from __future__ import annotations

from bench import crowd
from bench.rig import Figures, report
from bench.servers import extra
from bench.signalling import LOADS, office, steady


def measure(counts: tuple[int, ...], seconds: float) -> dict[str, float | int]:
    load, rate = LOADS["registration"]
    found: dict[str, float | int] = {}
    with office(extensions=max(counts)) as [server]:
        there = 0
        for count in counts:
            crowd.register_all(server, extra(count)[there:])
            there = count
            spent = steady(server, load, seconds, rate)
            found[f"registration_ms_at_{count}_phones"] = round(spent, 3)
    return found


def figures(quick: bool) -> Figures:
    return measure((100, 1000), 1.0) if quick else measure((100, 1000, 10_000), 2.0)


if __name__ == "__main__":
    report(figures, __doc__ or "")
