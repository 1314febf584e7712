"""The whole state of the floor as JSON can hold it, and back.

What can be derived is derived again: availability, indexes, staff counts.  What was measured at a
moment that is gone (the keys of those who are free, predictions) is kept.  The memory of
`explain` is not, but for agents' states: it comes from the journal.  The order of lists and
objects is part of the state.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from typing import Any

from acd.agent import Agent, Change, Talk
from acd.call import Call, Callback, Entry, Offered, Phase
from acd.codec import from_json, to_json
from acd.floor import Floor
from acd.pool import Needs, Pool
from acd.predict import Forecast, Predictor
from acd.queue import Norm, Queue
from acd.settings import AgentSettings, Settings
from acd.timers import Due
from acd.types import State, Status

AGENT_FACTS = (
    "reason", "phone", "registered", "dnd", "rest_until", "wrapping", "wrap_until", "legs",
    "misses", "idle_since", "idle_total", "offered_at", "answered_at", "handled", "won",
    "tried", "detail", "until", "since", "pooled",
)  # fmt: skip
CALL_FACTS = (
    "customer", "shown", "preferred", "skills", "live", "served_by", "hops", "excluded",
)  # fmt: skip
ENTRY_FACTS = (
    "joined", "callback", "step", "sticky_until", "rung_at", "announced", "told", "told_at",
    "told_wait", "told_wait_at", "moved_at", "why",
)  # fmt: skip
QUEUE_FACTS = (
    "open", "pointer", "dialling", "entered", "handled", "level", "epoch", "conversion",
    "shadow_pointer",
)  # fmt: skip
SHELVES = ("waiting", "ringing", "dormant")


def _facts(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: to_json(getattr(thing, name)) for name in names}


def _set_facts(thing: object, names: tuple[str, ...], data: dict[str, Any]) -> None:
    """What an older version did not know yet stays as it is at birth."""
    for name in names:
        if name in data:
            setattr(thing, name, data[name])


def dump(floor: Floor) -> dict[str, Any]:
    """A snapshot: nothing in it is shared with the floor."""
    return {
        "settings": to_json(floor.settings),
        "now": floor.now,
        "event": floor.event,
        "next_offer": floor.next_offer,
        "next_call": floor.next_call,
        "dice": [floor.dice.state, floor.shadow_dice.state],
        "agents": [_dump_agent(agent) for agent in floor.agents.values()],
        "queues": [_dump_queue(queue) for queue in floor.queues.values()],
        "calls": [_dump_call(call) for call in floor.calls.values()],
        "talking": to_json(floor.talking),
        "places": to_json(floor.places),
        "promised": dict(floor.promised),
        "memory": dict(floor.memory),
        "timers": sorted([at, kind, name] for (kind, name), at in floor.timers.armed.items()),
    }


def _dump_agent(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "settings": to_json(agent.settings),
        "status": agent.status.value,
        "state": agent.state.value,
        **_facts(agent, AGENT_FACTS),
        "talks": [to_json(talk) for talk in agent.talks.values()],
        "ledger": to_json(agent.ledger.rows),
    }


def _dump_queue(queue: Queue) -> dict[str, Any]:
    return {
        "name": queue.name,
        **_facts(queue, QUEUE_FACTS),
        "ended": {outcome: count for outcome, count in queue.ended.items() if count},
        "norm": list(queue.norm),
        "shadowed": list(queue.shadowed),
        "served": {name: seat.served for name, seat in queue.seats.items()},
        "predictor": queue.predictor.dump(),
        "pools": [
            [
                list(pool.needs),
                pool.epoch,
                {name: list(pool.keys[name]) for name in sorted(pool.keys)},
            ]
            for pool in queue.pools.values()
        ],
    }


def _dump_call(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "number": call.number,
        "arrived": call.arrived,
        "priority": call.priority,
        "phase": int(call.phase),
        **_facts(call, CALL_FACTS),
        "callback": to_json(call.callback) if call.callback else None,
        "entries": [_dump_entry(entry) for entry in call.entries.values()],
        "offers": [
            [o.id, o.entry.queue.name, o.agent.name, o.made, o.ends, o.leg]
            for o in call.offers.values()
        ],
    }


def _dump_entry(entry: Entry) -> dict[str, Any]:
    pool = entry.pool
    assert pool is not None
    return {
        "queue": entry.queue.name,
        "rank": entry.row[0],
        **_facts(entry, ENTRY_FACTS),
        "forecast": list(entry.forecast) if entry.forecast else None,
        "needs": list(pool.needs),
        "shelf": next((name for name in SHELVES if entry.shelf is getattr(pool, name)), None),
    }


def load(data: dict[str, Any]) -> Floor:
    """The floor that `dump` was given."""
    settings = from_json(Settings, data["settings"])
    floor = Floor(settings)
    floor.now, floor.event = data["now"], data["event"]
    floor.next_offer, floor.next_call = data["next_offer"], data["next_call"]
    floor.dice.state, floor.shadow_dice.state = data["dice"]
    fresh, floor.agents = floor.agents, {}
    for row in data["agents"]:
        agent = fresh.get(row["name"])
        if agent is None:  # taken out of the settings while talking
            given = from_json(AgentSettings, row["settings"])
            agent = Agent(row["name"], given, settings.window)
        floor.agents[agent.name] = agent
        _load_agent(agent, row, floor.event)
    floor.queues = {row["name"]: _load_queue(floor, row) for row in data["queues"]}
    for row in data["calls"]:
        call = floor.calls[row["id"]] = _load_call(row)
        _load_entries(floor, call, row)
    for agent in floor.agents.values():
        agent.available, agent.manned = agent.derive_available(), agent.derive_manned()
    _load_indexes(floor, data["queues"])
    floor.talking = {call: (agent, leg) for call, (agent, leg) in data["talking"].items()}
    floor.places = {
        name: (at, priority, until) for name, (at, priority, until) in data["places"].items()
    }
    floor.promised, floor.memory = dict(data["promised"]), OrderedDict(data["memory"])
    for key in list(floor.timers.armed):
        floor.timers.arm(key, None)
    for at, kind, name in data["timers"]:
        floor.timers.arm((kind, name), at)
        if kind == Due.AGENT:
            floor.agents[name].due = at
    floor.freed, floor.restless, floor.newcomers, floor.thinned = {}, {}, [], {}
    floor.out, floor.changed, floor.touched = [], {}, []
    return floor


def _load_agent(agent: Agent, row: dict[str, Any], event: int) -> None:
    """`event`: the number of the last one before the snapshot."""
    _set_facts(agent, AGENT_FACTS, row)
    agent.status, agent.state = Status(row["status"]), State(row["state"])
    agent.legs, agent.misses = dict(row["legs"]), {k: list(v) for k, v in row["misses"].items()}
    talks = [from_json(Talk, talk) for talk in row["talks"]]
    agent.talks = {talk.leg: talk for talk in talks}
    agent.ledger.rows = [list(r) for r in row["ledger"]]
    agent.told = (agent.state, agent.detail, agent.until)
    agent.history.append(Change(event, agent.since, agent.state, agent.detail))


def _load_queue(floor: Floor, row: dict[str, Any]) -> Queue:
    queue = floor.queues[row["name"]]
    _set_facts(queue, QUEUE_FACTS, row)
    queue.ended.update(row["ended"])
    queue.norm = Norm(*row["norm"])
    queue.shadowed = list(row["shadowed"])
    for name, served in row["served"].items():
        queue.seats[name].served = served
    queue.predictor = Predictor.load(row["predictor"])
    queue.pools = {}
    for needs, epoch, _ in row["pools"]:
        pool = Pool(queue, Needs(*needs))
        pool.epoch = epoch
        queue.pools[pool.needs] = pool
    return queue


def _load_call(row: dict[str, Any]) -> Call:
    call = Call(row["id"], row["number"], row["arrived"], row["priority"])
    _set_facts(call, CALL_FACTS, row)
    call.excluded = dict(row["excluded"])
    call.phase = Phase(row["phase"])
    call.callback = from_json(Callback, row["callback"]) if row["callback"] else None
    return call


def _load_entries(floor: Floor, call: Call, row: dict[str, Any]) -> None:
    for data in row["entries"]:
        queue = floor.queues[data["queue"]]
        entry = Entry(call, queue, data["joined"], data["rank"], data["why"])
        _set_facts(entry, ENTRY_FACTS, data)
        if data["forecast"]:
            values, *rest = data["forecast"]
            entry.forecast = Forecast(tuple(values), *rest)
        pool = entry.pool = queue.pools[Needs(*data["needs"])]
        call.entries[queue.name] = entry
        insort(queue.line, entry.row)
        if data["shelf"]:
            shelf = entry.shelf = getattr(pool, data["shelf"])
            insort(shelf, entry.row)
    for number, queue_name, agent_name, made, ends, leg in row["offers"]:
        agent = floor.agents[agent_name]
        offered = Offered(number, call, call.entries[queue_name], agent, made, ends, leg)
        call.offers[number] = floor.offers[number] = offered
        agent.offers[number] = call.id
        call.asked.add(agent_name)


def _load_indexes(floor: Floor, rows: list[dict[str, Any]]) -> None:
    """Seats, counts and pools, as they follow from the facts, each in the order it came about."""
    for agent in floor.agents.values():
        agent.pools.clear()
        agent.offers = dict(sorted(agent.offers.items()))
    floor.seat()
    floor.count_staff()
    floor.offers = dict(sorted(floor.offers.items()))
    for row in rows:
        queue = floor.queues[row["name"]]
        agents = [seat.agent for seat in queue.seats.values()]
        for needs, _, keys in row["pools"]:
            pool = queue.pools[Needs(*needs)]
            for agent in agents:
                if pool.suits(agent):
                    agent.pools.append(pool)
                    if agent.pooled:
                        key = keys.get(agent.name)
                        pool.restore(agent, None if key is None else tuple(key), floor.now)
