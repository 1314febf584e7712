"""Every figure by name, with its formula: what it counts, over what.  An empty bottom is None.

One log gives all variants at once, so that two reports can be compared: `difference` tells in
which counts two of them part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from acd.metrics.tallies import AgentTally, QueueTally

T = TypeVar("T")


class Definition(NamedTuple, Generic[T]):
    """`top` over `bottom`; no bottom is a plain count or sum.  `formula` says the same in words."""

    name: str
    formula: str
    top: Callable[[T], float]
    bottom: Callable[[T], float] | None = None
    note: str = ""

    def value(self, tally: T) -> float | None:
        if self.bottom is None:
            return self.top(tally)
        bottom = self.bottom(tally)
        return self.top(tally) / bottom if bottom else None


def _queue(
    name: str,
    formula: str,
    top: Callable[[QueueTally], float],
    bottom: Callable[[QueueTally], float] | None = None,
    note: str = "",
) -> Definition[QueueTally]:
    return Definition(name, formula, top, bottom, note)


def _ended(t: QueueTally) -> float:
    return t.answered + t.abandoned


QUEUE: dict[str, Definition[QueueTally]] = {
    definition.name: definition
    for definition in (
        _queue("offered", "visits that entered the queue", lambda t: t.offered),
        _queue("refused", "visits refused at the door", lambda t: t.refused),
        _queue("answered", "visits that reached an agent", lambda t: t.answered),
        _queue("abandoned", "visits whose caller hung up", lambda t: t.abandoned),
        _queue("short_abandoned", "abandoned within the short threshold", lambda t: t.short),
        _queue("ring_abandoned", "abandoned while an agent rang", lambda t: t.ring_abandoned),
        _queue("callback", "visits that ended with a callback requested", lambda t: t.callback),
        _queue("exited", "visits left by key", lambda t: t.exited),
        _queue("flow_out", "timed out + overflowed + no agents", lambda t: t.flow_out),
        _queue("withdrawn", "moved, or answered in another queue", lambda t: t.withdrawn),
        _queue("waiting", "visits of the interval not yet ended", lambda t: t.waiting),
        _queue(
            "SL-A", "answered_in_T / answered", lambda t: t.answered_within, lambda t: t.answered
        ),
        _queue(
            "SL-B",
            "(answered_in_T + abandoned_in_T) / (answered + abandoned)",
            lambda t: t.answered_within + t.abandoned_within,
            _ended,
        ),
        _queue(
            "SL-C",
            "answered_in_T / (answered + abandoned)",
            lambda t: t.answered_within,
            _ended,
        ),
        _queue(
            "SL-C-",
            "answered_in_T / (answered + abandoned - short)",
            lambda t: t.answered_within,
            lambda t: _ended(t) - t.short,
            "the default",
        ),
        _queue(
            "SL-C+",
            "answered_in_T / (answered + abandoned + flow_out)",
            lambda t: t.answered_within,
            lambda t: _ended(t) + t.flow_out,
        ),
        _queue(
            "SL-D",
            "(answered_in_T + abandoned_in_T + callback_in_T) / offered",
            lambda t: t.answered_within + t.abandoned_within + t.callback_within,
            lambda t: t.offered,
        ),
        _queue(
            "SL-E",
            "answered_in_T / (offered - abandoned_in_T)",
            lambda t: t.answered_within,
            lambda t: t.offered - t.abandoned_within,
        ),
        _queue(
            "SL-H",
            "(waiting_now - waiting_now_over_T) / waiting_now",
            lambda t: t.waiting_now - t.waiting_over,
            lambda t: t.waiting_now,
            "a snapshot of this moment",
        ),
        _queue(
            "ASA",
            "sum of waits of the answered / answered",
            lambda t: t.waited_answered,
            lambda t: t.answered,
            "ringing included",
        ),
        _queue(
            "average_wait",
            "sum of waits / visits that ended",
            lambda t: t.waited,
            lambda t: t.offered - t.waiting,
        ),
        _queue("longest_wait", "longest wait of the interval", lambda t: t.longest_wait),
        _queue("longest_now", "longest wait of those who wait now", lambda t: t.longest_now),
        _queue(
            "DCP",
            "agents' legs from connection to end / conversations that ended",
            lambda t: t.talk_and_hold,
            lambda t: t.contacts,
            "talk and hold",
        ),
        _queue(
            "talk",
            "(DCP - hold) / conversations that ended",
            lambda t: t.talk_and_hold - t.hold,
            lambda t: t.contacts,
        ),
        _queue("hold", "hold / conversations that ended", lambda t: t.hold, lambda t: t.contacts),
        _queue(
            "wrap_up",
            "wrap-up / conversations that ended",
            lambda t: t.wrap_up,
            lambda t: t.contacts,
        ),
        _queue(
            "AHT",
            "(DCP + wrap-up) / conversations that ended",
            lambda t: t.talk_and_hold + t.wrap_up,
            lambda t: t.contacts,
            "per agent's segment, ringing not included",
        ),
        _queue("abandonment", "abandoned / offered", lambda t: t.abandoned, lambda t: t.offered),
        _queue(
            "abandonment_without_short",
            "(abandoned - short) / (offered - short)",
            lambda t: t.abandoned - t.short,
            lambda t: t.offered - t.short,
            "without short ones",
        ),
        _queue(
            "transfer_rate",
            "conversations transferred / conversations that ended",
            lambda t: t.transferred,
            lambda t: t.contacts,
        ),
        _queue(
            "cost_per_offered",
            "cost of the interval / offered",
            lambda t: t.cost,
            lambda t: t.offered if t.cost else 0,
            "where the cost is given",
        ),
        _queue(
            "cost_per_answered",
            "cost of the interval / answered",
            lambda t: t.cost,
            lambda t: t.answered if t.cost else 0,
            "where the cost is given",
        ),
    )
}

DEFAULT_SERVICE_LEVEL = "SL-C-"


def _agent(
    name: str,
    formula: str,
    top: Callable[[AgentTally], float],
    bottom: Callable[[AgentTally], float] | None = None,
    note: str = "",
) -> Definition[AgentTally]:
    return Definition(name, formula, top, bottom, note)


def _staffed(t: AgentTally) -> float:
    return t.logged_in - t.paused


AGENT: dict[str, Definition[AgentTally]] = {
    definition.name: definition
    for definition in (
        _agent("logged_in", "seconds logged in", lambda t: t.logged_in),
        _agent("paused", "seconds paused", lambda t: t.paused),
        _agent("idle", "seconds ready, without a call", lambda t: t.idle),
        _agent("ringing", "seconds being rung", lambda t: t.ringing),
        _agent("talk", "seconds with callers, without hold", lambda t: t.talk_and_hold - t.hold),
        _agent("hold", "seconds callers were on hold", lambda t: t.hold),
        _agent("wrap_up", "seconds of wrap-up", lambda t: t.wrap_up),
        _agent("other_calls", "seconds in calls of no queue", lambda t: t.other_calls),
        _agent("answered", "offers answered", lambda t: t.answered),
        _agent(
            "misses",
            "offers not answered, rejected, busy or unreachable",
            lambda t: t.misses,
            note="not those that the caller ended",
        ),
        _agent(
            "answer_rate",
            "answered / (answered + misses)",
            lambda t: t.answered,
            lambda t: t.answered + t.misses,
            "offers taken back do not count",
        ),
        _agent(
            "transfer_rate",
            "conversations transferred / conversations begun",
            lambda t: t.transferred,
            lambda t: t.contacts,
        ),
        _agent(
            "occupancy_with_ringing",
            "(ringing + DCP + wrap-up) / (logged in - paused)",
            lambda t: t.ringing + t.talk_and_hold + t.wrap_up,
            _staffed,
        ),
        _agent(
            "occupancy_without_ringing",
            "(DCP + wrap-up) / (logged in - paused)",
            lambda t: t.talk_and_hold + t.wrap_up,
            _staffed,
        ),
        _agent(
            "utilisation",
            "(DCP + wrap-up) / paid time",
            lambda t: t.talk_and_hold + t.wrap_up,
            lambda t: t.planned,
            "paid is what was planned, breaks included",
        ),
        _agent(
            "adherence",
            "seconds in the planned state / seconds planned",
            lambda t: t.adhered,
            lambda t: t.planned,
            "at work, or in a break",
        ),
        _agent(
            "AHT",
            "(DCP + wrap-up) / conversations begun",
            lambda t: t.talk_and_hold + t.wrap_up,
            lambda t: t.contacts,
            "seconds split over intervals",
        ),
    )
}


def figures(definitions: Mapping[str, Definition[T]], tally: T) -> dict[str, float | None]:
    """All of them, by name."""
    return {name: definition.value(tally) for name, definition in definitions.items()}


def explain(definition: Definition[T], tally: T) -> str:
    """The formula, the numbers in it, and what comes out."""
    value = definition.value(tally)
    text = f"{definition.name} = {definition.formula}"
    if definition.bottom is not None:
        text += f" = {definition.top(tally):g} / {definition.bottom(tally):g}"
    text += " = none" if value is None else f" = {value:.4g}"
    return f"{text} ({definition.note})" if definition.note else text


def difference(one: Definition[T], other: Definition[T], tally: T) -> str:
    """Where two figures of one day part: in what is counted, or in what it is divided by."""
    parts = []
    if one.top(tally) != other.top(tally):
        parts.append(f"{other.top(tally) - one.top(tally):+g} counted")
    bottoms = [d.bottom(tally) if d.bottom else 1.0 for d in (one, other)]
    if bottoms[0] != bottoms[1]:
        parts.append(f"{bottoms[1] - bottoms[0]:+g} to divide by")
    why = " and ".join(parts) or "nothing on this day"
    return f"{explain(one, tally)}; {explain(other, tally)}; from the first to the second: {why}"
