"""Whom does each listener hear?  The hearing graph, and what follows from it.

Nodes are numbers: legs, players and rooms as sources; legs, rooms and recorders as
listeners.  The graph is changed by commands, and compiled (see `switchboard`) before
the next packet or tick looks at it.  Knows no sockets and no samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Graph:
    """Who hears whom, at which gain."""

    hearing: dict[int, dict[int, float]] = field(default_factory=dict)
    changed: bool = False

    def hear(self, listener: int, sources: Mapping[int, float]) -> None:
        """Replace the whole hearing of `listener`.  A gain of 0 is not hearing at all."""
        heard = {source: gain for source, gain in sources.items() if gain}
        if heard:
            self.hearing[listener] = heard
        else:
            self.hearing.pop(listener, None)
        self.changed = True

    def forget(self, node: int) -> None:
        """`node` neither hears nor is heard any more."""
        self.hearing.pop(node, None)
        for heard in self.hearing.values():
            heard.pop(node, None)
        self.changed = True

    def heard_by(self, listener: int) -> Mapping[int, float]:
        return self.hearing.get(listener, {})


def only_source(heard: Mapping[int, float], legs: Iterable[int] | Mapping[int, object]) -> int:
    """The one leg that is heard as it is, or 0 where the hearing is anything else."""
    if len(heard) != 1:
        return 0
    ((source, gain),) = heard.items()
    return source if gain == 1.0 and source in legs else 0
