"""What signalling costs: registrations and calls, beside Kamailio under the same load.

    python -m bench.signalling [--quick] [--json]

SIPp plays all phones on one core, the servers under test have the other and take turns: each
round gives every server every load, and what counts is the median of the rounds' ratios, since
machines differ and this one is shared.  CPU is the kernel's account of all the server's
processes; the media engine's is told apart.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias

from bench import crowd
from bench.crowd import Outcome
from bench.rig import Figures, report
from bench.servers import Server, has_kamailio, kamailio, switch

MS = 1000.0

Load: TypeAlias = Callable[[Server, Path, int, float], Outcome]


class Cost(NamedTuple):
    """One load: CPU milliseconds for each call or registration that passed."""

    signalling: float
    media: float
    failed: int
    outcome: Outcome


def through_queue(server: Server, folder: Path, count: int, rate: float) -> Outcome:
    """Calls into a queue with 50 agents; Kamailio, which has none, carries plain ones."""
    queue = server.name == "switch"
    return crowd.calls(server, folder, count, rate, digest=False, queue=queue)


LOADS: dict[str, tuple[Load, float]] = {
    "call": (partial(crowd.calls, digest=False), 250.0),
    "call_with_digest": (partial(crowd.calls, digest=True), 250.0),
    "call_through_queue": (through_queue, 120.0),
    "registration": (crowd.registrations, 800.0),
}
"""Each load and its rate a second, below what any server can bear."""


def cost(server: Server, load: Load, seconds: float, rate: float) -> Cost:
    """Put a load on the server and take the account."""
    with tempfile.TemporaryDirectory() as folder:
        before = server.spent()
        outcome = load(server, Path(folder) / "crowd", int(rate * seconds), rate)
        after = server.spent()
    per = MS / max(outcome.passed, 1)
    return Cost(
        (after.signalling - before.signalling) * per,
        (after.media - before.media) * per,
        outcome.failed,
        outcome,
    )


@contextmanager
def office(
    *, extensions: int = 0, pairs: int = 1000, peers: bool = False
) -> Iterator[list[Server]]:
    """Our switch, Kamailio if it is there and `peers` are wanted, and phones that answer."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [
            stack.enter_context(switch(folder / "switch", extensions=extensions, pairs=pairs))
        ]
        if peers and has_kamailio():
            servers.append(stack.enter_context(kamailio(folder / "kamailio")))
        stack.enter_context(crowd.answering(folder / "phones", *servers))
        yield servers


def beside_kamailio(rounds: int, seconds: float) -> dict[str, float | int]:
    """CPU of each load on each server, and how many times Kamailio's ours is."""
    costs: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    with office(peers=True) as servers:
        for load, rate in LOADS.values():  # once unmeasured: caches and memory are warm then
            for server in servers:
                cost(server, load, 0.3, rate)
        for _ in range(rounds):
            for name, (load, rate) in LOADS.items():
                for server in servers:
                    costs[name, server.name].append(cost(server, load, seconds, rate))
    return told(costs)


def told(costs: dict[tuple[str, str], list[Cost]]) -> dict[str, float | int]:
    """Medians of the rounds, and of their ratios."""
    found: dict[str, float | int] = {}
    for (name, server_name), measured in costs.items():
        found[f"{server_name}_{name}_ms"] = round(median(c.signalling for c in measured), 3)
        found[f"{server_name}_{name}_failed"] = sum(c.failed for c in measured)
        if server_name == "switch":
            found[f"switch_{name}_media_ms"] = round(median(c.media for c in measured), 3)
    for name in LOADS:
        pairs = zip(costs[name, "switch"], costs.get((name, "kamailio"), []), strict=False)
        if each := [ours.signalling / theirs.signalling for ours, theirs in pairs]:
            found[f"{name}_ratio_to_kamailio"] = round(median(each), 2)
    if "call_ratio_to_kamailio" in found:  # the rates differ, and Kamailio's calls tell by how much
        direct = found["call_ratio_to_kamailio"]
        queued = found["call_through_queue_ratio_to_kamailio"] / direct
        found["call_through_queue_ratio_to_direct"] = round(queued, 2)
    return found


def steady(server: Server, load: Load, seconds: float, rate: float) -> float:
    """CPU milliseconds of signalling for each call: the median of three spans of load."""
    return median(cost(server, load, seconds, rate).signalling for _ in range(3))


def figures(quick: bool) -> Figures:
    """CPU milliseconds of each load, and their ratios to Kamailio's."""
    return beside_kamailio(1, 1.0) if quick else beside_kamailio(7, 3.0)


def main() -> None:
    report(figures, __doc__ or "")


if __name__ == "__main__":
    main()
