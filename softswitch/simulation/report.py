"""What a simulation found, as JSON holds it, as a table, and as a plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acd.erlang import Erlang, agents_needed, square_root_staffing
from acd.metrics.definitions import AGENT, QUEUE
from acd.simulate.scenario import HOUR, Scenario, Stream
from acd.simulate.study import CONFIDENCE, Candidate, Estimate

Json = dict[str, Any]

SHARES = {"jain", "gini", "occupancy_spread", "calls_with_another_agent"}
TABLE = (
    "offered", "answered", "abandoned", "SL-A", "SL-B", "SL-C", "SL-C-", "SL-C+", "SL-D", "SL-E",
    "ASA", "wait_p50", "wait_p90", "wait_p95", "longest_wait", "abandonment",
    "abandonment_without_short", "AHT", "occupancy_with_ringing", "occupancy_without_ringing",
    "occupancy_spread", "jain", "gini",
)  # fmt: skip
"""Rows of the table; JSON has every figure."""


def as_json(candidates: Sequence[Candidate]) -> Json:
    """Every figure of every candidate with its interval, and its difference to the first one."""
    first = candidates[0]
    names = sorted({name for candidate in candidates for day in candidate.days for name in day})
    return {
        "days": len(first.days),
        "confidence": CONFIDENCE,
        "candidates": [
            {
                "name": candidate.name,
                "figures": {
                    name: {
                        **_estimate(candidate.estimate(name)),
                        "against_first": _estimate(candidate.against(first, name)),
                    }
                    for name in names
                },
            }
            for candidate in candidates
        ],
        "formulas": {name: d.formula for name, d in (AGENT | QUEUE).items() if name in names},
        "erlang": [row for candidate in candidates for row in theory(candidate)],
    }


def _estimate(found: Estimate | None) -> Json:
    return {"mean": None, "margin": None} if found is None else found._asdict()


def theory(candidate: Candidate) -> list[Json]:
    """Erlang's first answer for each kind of callers at its busiest hour, taken alone."""
    return [_theory(candidate.name, candidate.scenario, s) for s in candidate.scenario.streams]


def _theory(name: str, scenario: Scenario, stream: Stream) -> Json:
    rules = scenario.settings.queues[stream.queue]
    rate = max(period.per_hour for period in stream.periods) / HOUR
    handle = stream.talk.mean + stream.answer.mean + rules.wrap_up
    patience, agents = stream.patience.mean, len(rules.members)
    if not (rate and agents):
        return {"candidate": name, "queue": stream.queue, "agents": agents, "erlangs": 0.0}
    model = Erlang(agents, rate, handle, patience)
    return {
        "candidate": name,
        "queue": stream.queue,
        "agents": agents,
        "erlangs": model.load,
        "answered_within": model.answered_within(rules.target),
        "abandonment": model.abandoned,
        "agents_needed": agents_needed(rate, handle, rules.target, rules.goal, patience),
        "square_root_rule": square_root_staffing(model.load, 1 - rules.goal),
    }


def print_table(candidates: Sequence[Candidate]) -> None:
    """A column a candidate; `*` where it surely differs from the first one."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for candidate in candidates:
        table.add_column(candidate.name, justify="right")
    for name in TABLE:
        cells = [_cell(name, candidate, candidates[0]) for candidate in candidates]
        if any(cells):
            table.add_row(name.replace("_", " "), *cells)
    console = Console(highlight=False, markup=False)
    console.print(table)
    days = len(candidates[0].days)
    intervals = f", ± at {CONFIDENCE:.0%}" if days > 1 else "; more give intervals: --seeds 10"
    console.print(f"\n{days} day{'s'[: days > 1]}{intervals}; * surely differs from the first")
    sentences = (_sentence(row) for candidate in candidates for row in theory(candidate))
    for sentence in dict.fromkeys(sentences):
        console.print(sentence, soft_wrap=True)


def _cell(name: str, candidate: Candidate, first: Candidate) -> str:
    found = candidate.estimate(name)
    if found is None:
        return ""
    gap = candidate.against(first, name)
    return _number(name, found, candidate is not first and gap is not None and gap.certain)


def _number(name: str, found: Estimate, certain: bool) -> str:
    share = name in SHARES or name.startswith(("SL-", "abandonment", "occupancy"))
    scale, digits = (1.0, 3) if name in ("jain", "gini") else (100.0, 1) if share else (1.0, 1)
    unit = "%" if scale == 100.0 else ""
    margin = "" if found.margin is None else f" ±{scale * found.margin:.{digits}f}"
    return f"{scale * found.mean:.{digits}f}{unit}{margin}{'*' if certain else ' '}"


def print_rows(rows: Sequence[Json]) -> None:
    """A recorded day beside what it might have been; `*` where it surely differs from its own."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for row in rows:
        table.add_column(str(row["rules"]), justify="right")
    for name in ("calls_with_another_agent", "shadow_differed", *TABLE):
        if any(row.get(name) is not None for row in rows):
            table.add_row(name.replace("_", " "), *(_recorded(name, row) for row in rows))
    Console(highlight=False, markup=False).print(table)


def _recorded(name: str, row: Json) -> str:
    if row.get(name) is None:
        return ""
    found = Estimate(row[name], row.get("margins", {}).get(name))
    return _number(name, found, name in row.get("surely", ()))


def _sentence(row: Json) -> str:
    head = f"By Erlang's formulas {row['queue']} has {row['erlangs']:.1f} erlangs"
    if "answered_within" not in row:
        return head
    return (
        f"{head} at its busiest: {row['agents']} agents answer {row['answered_within']:.1%} in time"
        f" and lose {row['abandonment']:.1%}; {row['agents_needed']} are enough"
        f" (by the square-root rule {row['square_root_rule']})"
    )


def plot(candidates: Sequence[Candidate], path: Path) -> None:
    """Waits of the answered as a distribution, and service levels with their intervals.

    Needs matplotlib: the extra `plots`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    waits, levels = figure.subplots(1, 2)
    for candidate in candidates:
        ordered = sorted(wait for day in candidate.waits for wait in day)
        shares = [100 * (n + 1) / len(ordered) for n in range(len(ordered))]
        waits.step(ordered, shares, where="post", label=candidate.name)
    waits.set(xlabel="seconds until answered", ylabel="% of answered callers", ylim=(0, 101))
    waits.set_title("Waits")
    waits.legend()
    names = [name for name in TABLE if name.startswith("SL-")]
    width = 0.8 / len(candidates)
    for number, candidate in enumerate(candidates):
        found = [candidate.estimate(name) or Estimate(0.0, None) for name in names]
        levels.bar(
            [index + (number + 0.5) * width for index in range(len(names))],
            [100 * estimate.mean for estimate in found],
            width,
            yerr=[100 * (estimate.margin or 0.0) for estimate in found],
            label=candidate.name,
        )
    levels.set_xticks([index + 0.4 for index in range(len(names))], names)
    levels.set(ylabel="%", ylim=(0, 105))
    levels.set_title("Service levels, by name")
    figure.savefig(path, dpi=120)
