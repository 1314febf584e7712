"""The page of the manual that lists every figure: `python -m acd.metrics.reference`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acd.metrics.definitions import AGENT, DEFAULT_SERVICE_LEVEL, QUEUE, Definition, T

HEAD = """\
# Figures of queues and agents

Every figure has one definition, printed with its name wherever it is told, and all are counted from
one log of what the queues did. A figure for which there is nothing to divide by is empty: not 0,
and not 100 %.

* *Offered* are visits that entered the queue. Each ends in exactly one way.
* *In T* means `wait <= T`, to the millisecond, from entering the queue until the agent is
  connected, ringing included. T is the queue's `service_level.seconds`, *short* is
  `wait <= short_abandon`.
* Visits count in the interval in which they entered the queue, with all that followed. Seconds of
  agents are split over intervals.
* A callback ends the caller's visit as `callback`; the visit of the callback itself is counted
  apart.
* Talk, hold and wrap-up follow the agent's own leg, whatever becomes of the caller's.
"""


def page() -> Iterator[str]:
    yield HEAD
    yield "## Queues\n"
    yield f"The service level, where no other is named, is **{DEFAULT_SERVICE_LEVEL}**.\n"
    yield from _table(QUEUE)
    yield "\n## Agents\n"
    yield from _table(AGENT)


def _table(definitions: Mapping[str, Definition[T]]) -> Iterator[str]:
    yield "| Figure | Is | |"
    yield "| --- | --- | --- |"
    for name, definition in definitions.items():
        yield f"| `{name}` | {definition.formula} | {definition.note} |"


if __name__ == "__main__":
    print("\n".join(page()))
