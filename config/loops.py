"""Circles in which a call would run without anybody's doing.

A circle of hops that are always taken is an error.  One that needs a busy or silent phone in
between is a warning: two desks may well stand in for one another, and the run-time bound
(`[limits] forwards`) ends what goes round too often.
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from config.problems import Problem, dotted
from config.settings import Settings
from config.targets import Kind, Target, Targets

Hops = dict[tuple[Target, Target], str]
"""(from, to) and the dotted key that says so."""

MANY = 20
"""Circles after which a file has been told enough."""


def loops(settings: Settings) -> list[Problem]:
    """One problem for each circle, at the hop that closes it."""
    always, sometimes = dict(_always(settings)), dict(_sometimes(settings))
    errors = [_problem(always, circle, False) for circle in _circles(always)]
    return errors + [_problem(sometimes, circle, True) for circle in _circles(sometimes)]


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
    for number, extension in settings.extensions.items():
        key = dotted("extensions", number, "forward", "always")
        yield from _hops(Target(Kind.EXTENSION, number), extension.forward.always[:1], key)


def _sometimes(settings: Settings) -> Iterator[tuple[tuple[Target, Target], str]]:
    """Hops taken when nobody answers, or nobody presses anything."""
    for number, extension in settings.extensions.items():
        place, forward = Target(Kind.EXTENSION, number), extension.forward
        if not forward.always:
            for field in ("busy", "no_answer", "unregistered"):
                key = dotted("extensions", number, "forward", field)
                yield from _hops(place, getattr(forward, field), key)
    for name, group in settings.groups.items():
        yield from _hops(
            Target(Kind.GROUP, name), group.overflow, dotted("groups", name, "overflow")
        )
    for name, queue in settings.queues.items():
        place, key = Target(Kind.QUEUE, name), dotted("queues", name)
        yield from _hops(place, queue.overflow.to if queue.overflow else (), f"{key}.overflow.to")
        yield from _hops(place, queue.empty, f"{key}.empty")
        yield from _hops(place, queue.closed, f"{key}.closed")
    for name, menu in settings.menus.items():
        yield from _hops(Target(Kind.MENU, name), menu.no_input, dotted("menus", name, "no_input"))


def _hops(place: Target, targets: Targets, key: str) -> Iterator[tuple[tuple[Target, Target], str]]:
    for target in targets:
        same = target.kind is Kind.NUMBER  # `number:102` is the same place as `extension:102`
        yield (place, Target(Kind.EXTENSION, target.name) if same else target), key
