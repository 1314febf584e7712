"""Who can be rung: targets as places that ring, for features that want a person, not a service.

A group's member, a follow-me number and the third party of a consultation may be an
extension, a number (of ours or outside) or a group; what only serves calls, such as a menu
or a queue, cannot be rung.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from config.targets import Kind, Target
from softswitch.calls.call import Call
from softswitch.calls.dial import Place
from softswitch.calls.party import Party
from softswitch.calls.switchboard import Headers
from softswitch.pbx import modes

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


def places(
    switch: Switch,
    call: Call,
    target: Target,
    *,
    shown: Party | None = None,
    headers: Headers = (),
) -> list[Place]:
    """Every phone behind `target` for `call`; none where nobody there could be rung.

    `shown` is displayed as the caller instead of himself.
    """
    target = at_home(switch, target)
    match target.kind:
        case Kind.EXTENSION if target.name in switch.settings.extensions:
            return switch.phones(target.name, call.leg, shown=shown, headers=headers)
        case Kind.GROUP if target.name in switch.settings.groups:
            members = switch.settings.groups[target.name].members
            return [
                place
                for member in map(member_target, members)
                if member.kind is not Kind.GROUP  # a group within a group within a group …
                for place in places(switch, call, member, shown=shown, headers=headers)
            ]
        case Kind.NUMBER:
            return list(switch.features.outside(switch, call, target.name, shown))
        case _:
            return []


def at_home(switch: Switch, target: Target) -> Target:
    """`number:102` is `extension:102` where that is one of ours; all else is as it was.

    So is a line of ours that leads to an extension now.
    """
    if target.kind is not Kind.NUMBER:
        return target
    if (ours := switch.plan.target(target.name)) is not None:
        return ours
    if (line := switch.plan.line(target.name)) is not None:
        mode = modes.current(switch.settings, switch.store.state, time.time())
        scenario = switch.settings.lines[line].scenario(mode)
        if scenario and scenario[0].kind is Kind.EXTENSION:
            return scenario[0]
    return target


def member_target(member: str) -> Target:
    """A group's member as settings write it: an extension's number, or a target."""
    return Target.parse(member) if ":" in member else Target(Kind.EXTENSION, member)


def reachable(switch: Switch, targets: Iterable[Target], *, skip_busy: bool) -> Iterator[Target]:
    """Those that may be rung now; what is outside cannot be asked whether it is free."""
    for target in targets:
        home = at_home(switch, target)
        if home.kind is not Kind.EXTENSION or _takes_calls(switch, home.name, skip_busy):
            yield home


def _takes_calls(switch: Switch, number: str, skip_busy: bool) -> bool:
    person = switch.settings.extensions.get(number)
    if person is None or switch.wishes(number).do_not_disturb:
        return False
    return not switch.busy(number) if skip_busy else switch.may_ring(number, person)
