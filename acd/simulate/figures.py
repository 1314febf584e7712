"""What one simulated day comes to: the metric laboratory's figures, waits in percent, fairness."""

from __future__ import annotations

from collections.abc import Sequence

from acd.metrics.definitions import AGENT, QUEUE
from acd.metrics.definitions import figures as of
from acd.metrics.logbook import Logbook
from acd.metrics.tallies import AgentTally, QueueTally, agent_tallies, queue_tally
from acd.settings import Settings
from acd.types import Seconds, VisitOutcome

PERCENTILES = (50, 90, 95)


def day_figures(log: Logbook, settings: Settings, queues: Sequence[str] = ()) -> dict[str, float]:
    """Every figure that exists of these queues (none named: all), each by its own target.

    `wait_p90` is the wait that nine answered callers in ten did not exceed; `jain` and `gini` are
    of the agents' occupancies, `occupancy_spread` is the greatest less the least.
    """
    names = queues or tuple(settings.queues)
    total = QueueTally()
    for name in names:
        rules = settings.queues[name]
        total += queue_tally(log, name, target=rules.target, short=rules.short_abandon)
    found: dict[str, float | None] = dict(of(QUEUE, total))
    waits = answered_waits(log, names)
    found |= {f"wait_p{p}": percentile(waits, p) for p in PERCENTILES}
    members = {member.agent for name in names for member in settings.queues[name].members}
    tallies = agent_tallies(log, agents=sorted(members & log.spans.keys()))
    found |= _fairness([t for t in tallies.values() if t.logged_in])
    return {name: value for name, value in found.items() if value is not None}


def answered_waits(log: Logbook, queues: Sequence[str]) -> list[Seconds]:
    """How long those who were answered had waited, in ascending order."""
    answered = VisitOutcome.ANSWERED
    visits = (visit for name in queues for visit in log.visits.get(name, ()))
    return sorted(visit.waited for visit in visits if visit.outcome is answered)


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The least value that this percentage does not exceed."""
    if not ordered:
        return None
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def _fairness(tallies: list[AgentTally]) -> dict[str, float | None]:
    if not tallies:
        return {}
    total = sum(tallies, AgentTally())
    loads = [AGENT["occupancy_with_ringing"].value(tally) or 0.0 for tally in tallies]
    return {
        "occupancy_with_ringing": AGENT["occupancy_with_ringing"].value(total),
        "occupancy_without_ringing": AGENT["occupancy_without_ringing"].value(total),
        "occupancy_spread": max(loads) - min(loads),
        "jain": jain(loads),
        "gini": gini(loads),
        "misses": float(total.misses),
    }


def jain(shares: Sequence[float]) -> float | None:
    """Jain's index: 1 where all are equal, 1/n where one has everything."""
    squares = len(shares) * sum(share * share for share in shares)
    return sum(shares) ** 2 / squares if squares else None


def gini(shares: Sequence[float]) -> float | None:
    """Gini's coefficient: 0 where all are equal, towards 1 where one has everything."""
    total, n = sum(shares), len(shares)
    if not total:
        return None
    ranked = sum(rank * share for rank, share in enumerate(sorted(shares), 1))
    return 2 * ranked / (n * total) - (n + 1) / n
