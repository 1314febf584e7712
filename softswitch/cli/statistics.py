"""Figures of queues and agents: of the running switch, or of somebody's `queue_log`."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

from acd.metrics.definitions import AGENT, QUEUE, explain, figures
from acd.metrics.logbook import Logbook
from acd.metrics.queue_log import QueueLogError, load
from acd.metrics.tallies import agent_tallies, queue_tally
from softswitch.cli.client import fail
from softswitch.cli.output import show

Json = dict[str, Any]


def of_file(path: Path, target: float) -> Json:
    """What the switch would answer of a day that Asterisk has logged."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            log = load(file)
    except OSError as error:
        fail(f"{path} cannot be read ({error.strerror})")
    except QueueLogError as error:
        fail(f"{path}: {error}")
    return {"queues": list(_queues(log, target)), "agents": list(_agents(log))}


def _queues(log: Logbook, target: float) -> list[Json]:
    tallies = {name: queue_tally(log, name, target=target) for name in sorted(log.visits)}
    return [
        {
            "name": name,
            "figures": figures(QUEUE, tally),
            "explanations": {each.name: explain(each, tally) for each in QUEUE.values()},
        }
        for name, tally in tallies.items()
    ]


def _agents(log: Logbook) -> list[Json]:
    tallies = sorted(agent_tallies(log, -inf, inf).items())
    return [{"name": name, "figures": figures(AGENT, tally)} for name, tally in tallies]


def tell(answer: Json, name: str, why: str) -> None:
    """Tables of queues and of agents; or, for one figure, how it comes about in each queue."""
    if why:
        return _explain(answer["queues"], name, why)
    for subject in ("queues", "agents"):
        found = [row for row in answer[subject] if name in ("", row["name"])]
        rows = [
            {"figure": figure, **{row["name"]: row["figures"][figure] for row in found}}
            for figure in (found[0]["figures"] if found else ())
        ]
        if rows:
            show(rows, as_json=False)
    return None


def _explain(queues: Sequence[Json], name: str, why: str) -> None:
    wanted = [figure for figure in QUEUE if figure == why or figure.startswith(f"{why}-")]
    if not wanted:
        fail(f"queues have no figure {why}; choose from {', '.join(QUEUE)}")
    for row in queues:
        if name in ("", row["name"]):
            for figure in wanted:
                print(f"{row['name']}: {row['explanations'][figure]}")
