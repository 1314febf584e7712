"""Circles in which a call would run without anybody's doing.

A circle of hops that are always taken is an error.  One that needs a busy or silent phone in
between is a warning: two desks may well stand in for one another, and the run-time bound
(`[limits] forwards`) ends what goes round too often.
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from config.numbers import e164
from config.problems import Problem, dotted
from config.settings import Settings
from config.targets import NUMBERED, Kind, Target, Targets

Hops = dict[tuple[Target, Target], str]
"""(from, to) and the dotted key that says so."""

MANY = 20
"""Circles after which a file has been told enough."""


def loops(settings: Settings) -> list[Problem]:
    """One problem for each circle, at the hop that closes it."""
    always = dict(_always(settings))
    errors = [_problem(always, circle, False) for circle in _circles(always)]
    hops = {**dict(_sometimes(settings)), **always}
    warnings = [
        _problem(hops, circle, True)
        for circle in _circles(hops)
        if not always.keys() >= set(pairwise(circle))
    ]
    return errors + warnings


def _problem(hops: Hops, circle: list[Target], warning: bool) -> Problem:
    route = " → ".join(map(str, circle))
    key = hops[circle[-2], circle[-1]]
    return Problem(key, f"leads in a circle: {route}; send it elsewhere", warning)


def _circles(hops: Hops) -> Iterator[list[Target]]:
    """Circles as [a, b, …, a]; each is broken at the hop that closes it to look for the next."""
    left = dict(hops)
    for _ in range(MANY):
        sorter: TopologicalSorter[Target] = TopologicalSorter()
        for source, destination in left:
            sorter.add(source, destination)
        try:
            sorter.prepare()
        except CycleError as error:
            circle: list[Target] = error.args[1][::-1]
            yield circle
            del left[circle[-2], circle[-1]]
        else:
            return


def _always(settings: Settings) -> Iterator[tuple[tuple[Target, Target], str]]:
    """Hops that every call takes."""
    at = _Places(settings)
    for number, extension in settings.extensions.items():
        key = dotted("extensions", number, "forward", "always")
        yield from at.hops(Target(Kind.EXTENSION, number), extension.forward.always[:1], key)
    for number, line in settings.lines.items():
        for mode, targets in {"any": line.any, **line.scenarios}.items():
            key = dotted("lines", number, mode)
            yield from at.hops(Target(Kind.NUMBER, number), targets[:1], key)


def _sometimes(settings: Settings) -> Iterator[tuple[tuple[Target, Target], str]]:
    """Hops taken when nobody answers, nobody presses anything, or a line is full."""
    at = _Places(settings)
    for number, extension in settings.extensions.items():
        place, forward = Target(Kind.EXTENSION, number), extension.forward
        if not forward.always:
            for field in ("busy", "no_answer", "unregistered"):
                key = dotted("extensions", number, "forward", field)
                yield from at.hops(place, getattr(forward, field), key)
    for number, line in settings.lines.items():
        yield from at.hops(Target(Kind.NUMBER, number), line.full, dotted("lines", number, "full"))
    for name, group in settings.groups.items():
        yield from at.hops(
            Target(Kind.GROUP, name), group.overflow, dotted("groups", name, "overflow")
        )
    for name, queue in settings.queues.items():
        place, key = Target(Kind.QUEUE, name), dotted("queues", name)
        yield from at.hops(place, queue.overflow.to if queue.overflow else (), f"{key}.overflow.to")
        yield from at.hops(place, queue.empty, f"{key}.empty")
        yield from at.hops(place, queue.closed, f"{key}.closed")
    for name, menu in settings.menus.items():
        key = dotted("menus", name, "no_input")
        yield from at.hops(Target(Kind.MENU, name), menu.no_input, key)


class _Places:
    """What numbers mean: `number:102` is the same place as `extension:102`."""

    def __init__(self, settings: Settings) -> None:
        self._country = settings.switch.country
        self._known = {number: Target(Kind.EXTENSION, number) for number in settings.extensions}
        for table, kind in NUMBERED.items():
            for name, entry in getattr(settings, table).items():
                self._known[entry.number] = Target(kind, name)
        for number in settings.lines:
            self._known[e164(number, self._country) or number] = Target(Kind.NUMBER, number)

    def hops(
        self, place: Target, targets: Targets, key: str
    ) -> Iterator[tuple[tuple[Target, Target], str]]:
        for target in targets:
            yield (place, self._of(target)), key

    def _of(self, target: Target) -> Target:
        if target.kind is not Kind.NUMBER:
            return target
        full = e164(target.name, self._country) or target.name
        return self._known.get(target.name) or self._known.get(full, target)
