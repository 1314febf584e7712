"""What a decision of the ACD engine costs, and how that grows.

    python -m bench.engine [--json] [--turns N]

The centre is kept saturated: every agent talks, `waiting` callers wait.  Each turn one conversation
ends, which makes an offer, which is answered and connected, and a new caller joins: four events.
A *decision* is one event handled, after which nothing is left that could be matched; offers a
second are given beside it.  The idle case, where callers find many free agents, is measured too.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import fmean
from time import process_time
from typing import Any

from acd.actions import Offer
from acd.engine import Engine
from acd.events import (
    AgentLegEnded,
    AgentLoggedIn,
    CallJoined,
    Connected,
    Event,
    OfferAnswered,
)
from acd.journal import encode, rebuild
from acd.settings import AgentSettings, Member, QueueSettings, Settings
from acd.simulate.day import Day, simulate
from acd.simulate.laws import Exponential
from acd.simulate.scenario import one_queue
from bench.figure import Raw
from bench.pause import snapshot_pause
from softswitch.app.garbage import settle

SEATS = 3
"""Queues an agent sits at."""


class Centre:
    """A centre under load; time passes 1 ms an event."""

    def __init__(self, agents: int, queues: int, strategy: str = "longest-idle") -> None:
        self.rng = Random(1)
        names = [f"agent{n}" for n in range(agents)]
        members: dict[str, list[Member]] = {f"queue{n}": [] for n in range(queues)}
        for name in names:
            for queue in self.rng.sample(sorted(members), min(SEATS, queues)):
                members[queue].append(Member(name))
        self.queues = [name for name, seats in members.items() if seats]
        self.engine = Engine(
            Settings(
                queues={
                    name: QueueSettings(members=tuple(seats), strategy=strategy)
                    for name, seats in members.items()
                },
                agents={name: AgentSettings() for name in names},
            )
        )
        self.now = 0.0
        self.calls = 0
        self.talking: list[Offer] = []
        for name in names:
            self.tell(AgentLoggedIn(name, name))

    def tell(self, event: Any) -> list[Offer]:
        self.now += 0.001
        return [a for a in self.engine.handle(event, self.now) if type(a) is Offer]

    def join(self) -> list[Offer]:
        self.calls += 1
        return self.tell(CallJoined(f"call{self.calls}", (self.rng.choice(self.queues),)))

    def take(self, offers: list[Offer]) -> None:
        for offer in offers:
            self.tell(OfferAnswered(offer.offer, f"leg{offer.offer}"))
            self.tell(Connected(offer.offer))
            self.talking.append(offer)

    def hang_up(self) -> list[Offer]:
        at = self.rng.randrange(len(self.talking))
        self.talking[at], self.talking[-1] = self.talking[-1], self.talking[at]
        offer = self.talking.pop()
        return self.tell(AgentLegEnded(offer.agent, f"leg{offer.offer}"))

    def fill(self, waiting: int) -> None:
        """Until this many wait."""
        while len(self.engine.floor.calls) < waiting:
            self.take(self.join())


def saturated(agents: int, queues: int, waiting: int, turns: int) -> dict[str, float]:
    """µs per event by kind, and what follows from that."""
    centre = Centre(agents, queues)
    centre.fill(waiting)
    settle()  # as the switch does; what other measurements left is not this one's cost
    spent = dict.fromkeys(("ended", "answered", "connected", "joined"), 0.0)

    def timed(kind: str, action: Callable[[], Any]) -> Any:
        begin = process_time()
        result = action()
        spent[kind] += process_time() - begin
        return result

    served, baseline = 0, []
    for turn in range(turns):
        if turn % 250 == 0:
            baseline.append(empty_call_ns(20_000))
        for offer in timed("ended", centre.hang_up):
            leg = f"leg{offer.offer}"
            timed("answered", partial(centre.tell, OfferAnswered(offer.offer, leg)))
            timed("connected", partial(centre.tell, Connected(offer.offer)))
            centre.talking.append(offer)
            served += 1
        centre.take(timed("joined", centre.join))
    total = sum(spent.values())
    return {
        "agents": agents,
        "queues": queues,
        "waiting": waiting,
        "decisions_per_s": (2 * turns + 2 * served) / total,
        "decision_in_empty_calls": 1e9 * total / (2 * turns + 2 * served) / fmean(baseline),
        "offers_per_s": served / total,
        "offer_decisions_per_s": served / spent["ended"],
        **{f"{kind}_us": 1e6 * seconds / turns for kind, seconds in spent.items()},
    }


def idle(agents: int, queues: int, strategy: str, turns: int) -> dict[str, Any]:
    """Callers come to a centre of which nine agents in ten are free."""
    centre = Centre(agents, queues, strategy)
    while len(centre.talking) < agents // 10:
        centre.take(centre.join())
    spent = 0.0
    for _ in range(turns):
        begin = process_time()
        offers = centre.join()
        spent += process_time() - begin
        centre.take(offers)
        centre.hang_up()
    return {"strategy": strategy, "agents": agents, "joined_us": 1e6 * spent / turns}


def pause(agents: int, queues: int, waiting: int) -> float:
    """Milliseconds for which everything stands still while a snapshot is taken."""
    centre = Centre(agents, queues)
    centre.fill(waiting)
    settle()
    return 1000 * snapshot_pause(centre.engine.snapshot)


def journal_walk(events: int) -> dict[str, float]:
    """Rebuilding an engine from its journal: records read, decoded and handled."""
    kept: list[tuple[Event, float]] = []
    scenario = one_queue(50, 800.0, events / 3000, patience=Exponential(120.0))
    Day(scenario, scenario.callers(1), journal=kept)
    records = [encode(event, at) for event, at in kept]
    snapshot = Engine(scenario.settings).snapshot()
    begin = process_time()
    rebuild(snapshot, records)
    each = (process_time() - begin) / len(records)
    return {"records": len(records), "records_per_s": 1 / each, "million_s": 1e6 * each}


def simulated(calls: float) -> dict[str, float]:
    """A simulated day, metrics included."""
    scenario = one_queue(60, 1000.0, calls / 1000.0, patience=Exponential(120.0))
    begin = process_time()
    day = simulate(scenario)
    spent = process_time() - begin
    done = len(day.log.visits["q"])
    return {"calls": done, "calls_per_s": done / spent, "day_of_10000_s": 1e4 * spent / done}


def growth(rows: list[dict[str, float]]) -> float:
    """Exponent b of cost ~ agents**b over the rows; log n growth shows as b near 0."""
    xs = [math.log(row["agents"]) for row in rows]
    ys = [-math.log(row["decisions_per_s"]) for row in rows]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return slope / sum((x - mean_x) ** 2 for x in xs)


def empty_call_ns(times: int = 200_000) -> float:
    """What calling a function that does nothing costs at this moment, loop included.

    Speeds of shared machines drift by half; the ratio to this baseline does not.
    """

    def nothing() -> None: ...

    begin = process_time()
    for _ in range(times):
        nothing()
    return 1e9 * (process_time() - begin) / times


KINDS = ("longest-idle", "round-robin", "random", "fewest-calls", "skill", "fastest-first")


def measure(
    turns: int = 10_000, journal: int = 20_000, kinds: Sequence[str] = KINDS
) -> dict[str, Any]:
    """Every figure; about 30 s, and as much again for a journal of a million events."""
    rows = [
        saturated(agents, queues, waiting, turns)
        for agents, queues, waiting in (
            (100, 5, 200),
            (1000, 50, 2000),
            (10_000, 500, 10_000),
        )
    ]
    return {
        "saturated": rows,
        "waiting": [saturated(1000, 50, waiting, turns // 2) for waiting in (100, 1000, 10_000)],
        "queues": [saturated(1000, queues, 2000, turns // 2) for queues in (5, 50, 500)],
        "growth_exponent": growth(rows),
        "journal": journal_walk(journal),
        "simulated": simulated(turns / 2),
        "empty_call_ns": empty_call_ns(),
        "idle": [idle(n, n // 20, kind, turns // 5) for kind in kinds for n in (100, 1000)],
    }


def figures(quick: bool) -> Raw:
    """All of it, flat; with fewer turns and a shorter journal when quick."""
    found = measure(500, 5000, KINDS[:1]) if quick else measure(journal=1_000_000)
    flat: dict[str, float | int | str] = {}
    for things in ("waiting", "queues"):
        for row in found[things]:
            flat[f"decision_us_at_{row[things]}_{things}"] = 1e6 / row["decisions_per_s"]
    for row in found["saturated"]:
        agents = row["agents"]
        flat[f"decision_us_at_{agents}_agents"] = 1e6 / row["decisions_per_s"]
        flat[f"decisions_per_s_with_{agents}_agents"] = row["decisions_per_s"]
    for row in found["idle"]:
        flat[f"{row['strategy']}_joined_us_at_{row['agents']}_agents"] = row["joined_us"]
    for agents, waiting in ((1000, 2000), *([] if quick else [(10_000, 10_000)])):
        pause_ms = pause(agents, agents // 20, waiting)
        flat[f"snapshot_pause_ms_at_{agents}_agents"] = pause_ms
    flat["journal_records"] = found["journal"]["records"]
    flat["journal_records_per_s"] = found["journal"]["records_per_s"]
    flat["rebuild_of_a_million_s"] = found["journal"]["million_s"]
    flat["simulated_calls_per_s"] = found["simulated"]["calls_per_s"]
    flat["day_of_10000_s"] = found["simulated"]["day_of_10000_s"]
    return flat


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--turns", type=int, default=10_000)
    given = parser.parse_args()
    figures = measure(given.turns)
    if given.json:
        print(json.dumps(figures, indent=2))
        return
    for row in [*figures["saturated"], *figures["idle"], figures["journal"], figures["simulated"]]:
        cells = (f"{k} {v:.1f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
        print("  ".join(cells))
    print(f"an empty function call costs {figures['empty_call_ns']:.0f} ns here")
    print(f"cost grows as agents to the power of {figures['growth_exponent']:.3f}")


if __name__ == "__main__":
    main()
