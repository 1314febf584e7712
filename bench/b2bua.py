"""Figure: calls through other B2BUAs, Asterisk and sippy, in turns with ours.

    python -m bench.b2bua [--quick] [--json]

The same load on the same core, as in `bench.signalling`.  sippy knows neither registrations nor
passwords, so that it is compared by calls without digest, Asterisk by calls with digest.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from bench import crowd
from bench.peers.b2buas import asterisk, has_asterisk, has_sippy, sippy
from bench.rig import Figures, report
from bench.servers import Server, switch
from bench.signalling import Cost, Load, cost

LOADS: dict[str, tuple[Load, float]] = {
    "call": (partial(crowd.calls, digest=False), 80.0),
    "call_with_digest": (partial(crowd.calls, digest=True), 80.0),
    "registration": (crowd.registrations, 400.0),
}
"""Each load and its rate a second, which the slowest of them bears."""
ABLE = {"switch": set(LOADS), "asterisk": {"call_with_digest", "registration"}, "sippy": {"call"}}


def measure(rounds: int, seconds: float) -> Figures:
    costs: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    with ExitStack() as stack:
        servers = _servers(stack)
        for number in range(-1, rounds):  # the first round warms caches and memory, unmeasured
            for load, (put, rate) in LOADS.items():
                for server in servers:
                    if load in ABLE[server.name]:
                        taken = cost(server, put, seconds if number >= 0 else 0.5, rate)
                        costs[server.name, load] += [taken] * (number >= 0)
    return told(costs)


def _servers(stack: ExitStack) -> list[Server]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    servers = [stack.enter_context(switch(folder / "switch"))]
    if has_asterisk():
        servers.append(stack.enter_context(asterisk(folder / "asterisk")))
    phones = stack.enter_context(crowd.answering(folder / "phones", *servers))
    if has_sippy():
        servers.append(stack.enter_context(sippy(folder / "sippy", phones.port)))
    return servers


def told(costs: dict[tuple[str, str], list[Cost]]) -> Figures:
    """CPU of each load on each server, and ours as a ratio to theirs, medians of the rounds'."""
    found: dict[str, float | int | str] = {}
    for (server, load), taken in costs.items():
        found[f"{server}_{load}_ms"] = median(each.signalling for each in taken)
        found[f"{server}_{load}_failed"] = sum(each.failed for each in taken)
        if server != "switch":
            pairs = zip(costs["switch", load], taken, strict=True)
            ratios = [ours.signalling / theirs.signalling for ours, theirs in pairs]
            found[f"{load}_ratio_to_{server}"] = median(ratios)
    if not has_asterisk():
        found["asterisk"] = "is absent; make peers installs it where the distribution has it"
    if not has_sippy():
        found["sippy"] = "is absent; make peers installs it"
    return found


def figures(quick: bool) -> Figures:
    return measure(1, 1.0) if quick else measure(3, 4.0)


if __name__ == "__main__":
    report(figures, __doc__ or "")
