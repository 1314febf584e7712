"""Figure: how long callers wait for ringing while the switch is busy.

    python -m bench.dialling [--quick] [--json]

Post-dial delay, from INVITE to 180, at a share of the rate at which signalling and sound together
would fill the core that they have.
"""

from __future__ import annotations

from bench.rig import Figures, report
from bench.signalling import LOADS, MS, cost, office

HIGH = 0.7


def figures(quick: bool) -> Figures:
    seconds = 1.5 if quick else 10.0
    load, rate = LOADS["call"]
    with office(pairs=2000) as [server]:
        cost(server, load, seconds / 4, rate)  # unmeasured: caches and memory are warm then
        found = cost(server, load, seconds / 2, rate)
        high = MS / (found.signalling + found.media)
        busy = cost(server, load, seconds, HIGH * high)
    outcome = busy.outcome
    return {
        "calls_per_s_that_fill_the_core": round(high),
        "delay_p50_ms": outcome.percentile(0.5),
        "delay_p90_ms": outcome.percentile(0.9),
        "delay_p99_ms": outcome.percentile(0.99),
        "delay_p999_ms": outcome.percentile(0.999),
        "delay_failed": outcome.failed,
        "delay_retransmitted": outcome.retransmitted,
        "busy_call_ms": round(busy.signalling, 3),
    }


if __name__ == "__main__":
    report(figures, __doc__ or "")
