"""Whom does each listener hear?  The hearing graph, and what a change of it concerns.

Nodes are numbers: legs, players and rooms as sources; legs, rooms and recorders as
listeners.  The graph is changed by commands, and compiled (see `switchboard`) before
the next packet or tick looks at it.  Knows no sockets and no samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field


@dataclass(slots=True)
class Graph:
    """Who hears whom, at which gain.

    What was touched since it was last compiled is remembered, so that compiling costs as much
    as changed, not as much as there is.
    """

    hearing: dict[int, dict[int, float]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    """Nodes that hear, or are to be heard, otherwise than before."""
    _listeners: dict[int, set[int]] = field(default_factory=dict)
    """By source: who hears it."""

    def hear(self, listener: int, sources: Mapping[int, float]) -> None:
        """Replace the whole hearing of `listener`.  A gain of 0 is not hearing at all."""
        self._unhear(listener)
        heard = {source: gain for source, gain in sources.items() if gain}
        if heard:
            self.hearing[listener] = heard
        for source in heard:
            self._listeners.setdefault(source, set()).add(listener)
        self.touched.add(listener)

    def forget(self, node: int) -> None:
        """`node` neither hears nor is heard any more."""
        self._unhear(node)
        listeners = self._listeners.pop(node, set())
        for listener in listeners:
            self.hearing[listener].pop(node)
        self.touched |= {node, *listeners}

    def touch(self, node: int) -> None:
        """Something else about `node` changed that matters to it or to who hears it."""
        self.touched.add(node)

    def _unhear(self, listener: int) -> None:
        for source in self.hearing.pop(listener, {}):
            self._listeners[source].remove(listener)
            if not self._listeners[source]:
                del self._listeners[source]

    def heard_by(self, listener: int) -> Mapping[int, float]:
        return self.hearing.get(listener, {})

    def listeners_of(self, source: int) -> Set[int]:
        """Who hears `source` itself, not through a room."""
        return self._listeners.get(source, set())

    def concerned(self, nodes: Iterable[int]) -> set[int]:
        """`nodes` and all that hear them, not through a room."""
        found = set(nodes)
        return found.union(*(self.listeners_of(node) for node in found))


def only_source(heard: Mapping[int, float], legs: Iterable[int] | Mapping[int, object]) -> int:
    """The one leg that is heard as it is, or 0 where the hearing is anything else."""
    if len(heard) != 1:
        return 0
    ((source, gain),) = heard.items()
    return source if gain == 1.0 and source in legs else 0
