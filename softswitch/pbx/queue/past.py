"""What the store remembers of queues and agents, as the engine said it then.

Rows become the engine's own actions again, in order, so that figures of any past interval, and a
`queue_log` for tools that read Asterisk's, are folded by the same code as live ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from acd.actions import Action, AgentChanged, Held, Joined, Left, OfferEnded, TalkEnded
from acd.metrics.logbook import Logbook
from acd.metrics.queue_log import Writer
from acd.types import REFUSALS, Instant, OfferOutcome, State, VisitOutcome

Row: TypeAlias = Mapping[str, Any]
Said: TypeAlias = tuple[Instant, int, Action]
"""When, the order of what one visit said at one moment, and what."""
JOINED, HELD, OFFER, LEFT, TALKED, AGENT = range(6)
OLD, NEW, STATES = range(3)
"""What is said first at one moment: how earlier visits go on or end, since a caller may be in the
same queue again at once (called back, say), then new visits, then agents' states."""


def logbook(visits: Iterable[Row], intervals: Sequence[Row], now: Instant) -> Logbook:
    """A logbook of these rows, as it stands at `now`."""
    log = Logbook()
    for at, actions in _moments(visits, intervals):
        log.take(actions, at)
    log.now = max(log.now, now)
    return log


def queue_log(visits: Iterable[Row], intervals: Sequence[Row]) -> Iterator[str]:
    """Lines of Asterisk's `queue_log`, without their ends."""
    writer = Writer()
    for at, actions in _moments(visits, intervals):
        yield from writer.take(actions, at)


def _moments(
    visits: Iterable[Row], intervals: Sequence[Row]
) -> Iterator[tuple[Instant, list[Action]]]:
    ordered = sorted(visits, key=itemgetter("entered_at"))
    said = [
        (at, NEW if at == visit["entered_at"] else OLD, number, order, action)
        for number, visit in enumerate(ordered)
        for at, order, action in _of_visit(visit)
    ]
    said += [(at, STATES, 0, order, action) for at, order, action in _of_agents(intervals)]
    said.sort(key=itemgetter(0, 1, 2, 3))
    for at, group in groupby(said, key=itemgetter(0)):
        yield at, [action for *_, action in group]


def _of_visit(row: Row) -> Iterator[Said]:
    call, queue, details = row["call_id"], row["queue"], row["details"] or {}
    callback = bool(details.get("callback"))
    outcome = VisitOutcome(row["outcome"]) if row["outcome"] else None
    if outcome not in REFUSALS:
        place, priority = details.get("position", 1), details.get("priority", 0)
        joined = Joined(call, queue, place, priority, callback=callback)
        yield row["entered_at"], JOINED, joined
    for at, agent, how, rang in details.get("offers", ()):
        yield at, OFFER, OfferEnded(0, call, queue, agent, OfferOutcome(how), rang)
    if outcome is None or row["left_at"] is None:
        return
    yield (
        row["left_at"],
        LEFT,
        Left(
            call,
            queue,
            outcome,
            row["left_at"] - row["entered_at"],
            details.get("target", ""),
            ringing=bool(details.get("ringing")),
            agent=row["agent"] or "",
            callback=callback,
        ),
    )
    if "talked" in details:
        yield from _of_talk(row, details)


def _of_talk(row: Row, details: Mapping[str, Any]) -> Iterator[Said]:
    """Holds are kept as a sum: they stand at the conversation's end."""
    call, queue, agent = row["call_id"], row["queue"], row["agent"]
    talked, held = details["talked"], details.get("held", 0.0)
    over = row["connected_at"] + talked
    if held:
        yield over - held, HELD, Held(call, queue, agent, True)
    by, passed = details.get("ended_by", "agent"), bool(details.get("transferred"))
    yield over, TALKED, TalkEnded(call, queue, agent, talked, held, by, passed)


def _of_agents(intervals: Sequence[Row]) -> Iterator[Said]:
    """States one after another; between them nobody was logged in."""
    rows = sorted(intervals, key=itemgetter("agent", "began_at"))
    begun = {(row["agent"], row["began_at"]) for row in rows}
    for row in rows:
        agent, over = row["agent"], row["ended_at"]
        yield row["began_at"], AGENT, AgentChanged(agent, State(row["state"]), row["reason"] or "")
        if over is not None and (agent, over) not in begun:
            yield over, AGENT, AgentChanged(agent, State.OFFLINE)
