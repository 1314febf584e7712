"""Where a number would lead, and why: the dry run behind `softswitch route` (A11).

Asks the same parts that carry calls.  Nothing is dialled, counted or changed; look-ups are
really asked, since only they know what they would answer.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from config.targets import Kind, Target, Targets
from softswitch.pbx import emergency, modes, sites
from softswitch.pbx.classes import Bar, Payer, judge, may_use, of_extension
from softswitch.pbx.inbound import facts_of, has_rules_for
from softswitch.pbx.numbers import sent_to
from softswitch.pbx.peers import Phone
from softswitch.pbx.rules import Decision, Facts, decide

if TYPE_CHECKING:
    from softswitch.pbx.carrier import Carrier
    from softswitch.pbx.switch import Switch

A_MOMENT = 60.0
"""Seconds by which "now" may be past when it is looked at."""


@dataclass(slots=True)
class Way:
    """The outcome: targets in the order in which they would be tried, none where refused."""

    targets: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def goes(self, *targets: object) -> None:
        self.targets += map(str, targets)


class Asker(NamedTuple):
    """Who would call, and when; `fields` are what menus would have collected."""

    caller: str
    moment: dt.datetime
    fields: Mapping[str, str]


async def way_of(
    switch: Switch,
    dialled: str,
    caller: str,
    moment: dt.datetime,
    fields: Mapping[str, str],
) -> Way:
    """What would become of `dialled`: called by an extension of ours, else from outside."""
    way, asker = Way(), Asker(caller, moment, fields)
    person = switch.settings.extensions.get(caller)
    number = switch.plan.line(dialled)
    if person is not None:
        way.steps.append(f"{caller} is an extension, so the call comes from inside")
        if not await _by_rules(switch, way, dialled, asker):
            await _from_inside(switch, way, dialled, Phone(caller, person), asker)
    elif number is not None:
        way.steps.append(f"{dialled} is line {number}, so the call comes from outside")
        await _to_line(switch, way, number, asker)
    elif (target := switch.plan.target(dialled)) is not None:
        way.steps.append(f"{dialled} is a number of ours")
        way.goes(target)
    else:
        way.steps.append(f"{dialled} is no line; whose call it is would have to be said: --from")
    return way


async def _to_line(switch: Switch, way: Way, number: str, asker: Asker) -> None:
    line, moment = switch.settings.lines[number], asker.moment
    mode, by = _mode_at(switch, moment)
    way.steps.append(f"at {moment:%a %Y-%m-%d %H:%M} the mode is {mode}, {by}")
    scenario = line.scenario(mode)
    facts = facts_of(switch.settings, asker.caller or "anonymous", number, moment, mode)
    decision = await _decision(switch, way, facts._replace(fields=asker.fields), scenario)
    if decision.targets is scenario:
        written = f"scenario for {mode}" if mode in line.scenarios else "scenario `any`"
        way.steps.append(f"the line's {written} holds")
    greeting = decision.greeting or line.greeting
    if greeting is not None:
        way.goes(Target(Kind.PLAY, greeting))
    way.goes(*decision.targets)
    if not decision.targets:
        way.steps.append("nothing is written for this mode, so the number is out of service")


async def _by_rules(switch: Switch, way: Way, dialled: str, asker: Asker) -> bool:
    """Whether a rule for what extensions dial says where this goes."""
    if switch.plan.code(dialled) is not None or not has_rules_for(switch, dialled):
        return False
    mode, _ = _mode_at(switch, asker.moment)
    facts = facts_of(switch.settings, asker.caller, dialled, asker.moment, mode)
    facts = facts._replace(fields=asker.fields, by_extension=True)
    decision = await _decision(switch, way, facts, ())
    if decision.greeting is not None:
        way.goes(Target(Kind.PLAY, decision.greeting))
    way.goes(*decision.targets)
    return bool(decision.targets)


async def _decision(switch: Switch, way: Way, facts: Facts, otherwise: Targets) -> Decision:
    decision = await decide(switch.settings, facts, otherwise, switch.lookups.ask)
    way.steps += decision.steps
    return decision


def _mode_at(switch: Switch, moment: dt.datetime) -> tuple[str, str]:
    """The mode, and who says so; what is set by hand now says nothing of the past."""
    settings, state = switch.settings, switch.store.state
    by_hand = modes.by_hand(state, moment.timestamp())
    if by_hand is not None and moment.timestamp() > time.time() - A_MOMENT:
        return modes.current(settings, state, moment.timestamp()), "set by hand"
    return modes.by_calendar(settings, moment), "by the calendar"


async def _from_inside(switch: Switch, way: Way, dialled: str, phone: Phone, asker: Asker) -> None:
    settings = switch.settings
    if (code := switch.plan.code(dialled)) is not None:
        name = code.name.partition(":")[0]
        if may_use(settings, phone, name):
            way.steps.append(f"{dialled} is the code {code.name} {code.number}".rstrip())
            way.goes(f"code:{code.name}")
        else:
            way.steps.append(f"the code {code.name} is not for {phone.extension.class_}")
    elif (target := switch.plan.target(dialled)) is not None:
        way.steps.append(f"{dialled} is a number of ours")
        way.goes(target)
    elif dialled in settings.emergency.numbers:
        way.steps.append(f"{dialled} is an emergency number: it passes whatever is full or barred")
        _through(switch, way, dialled, emergency.ways(switch), whatever=True)
    elif (site := sites.of_number(settings, dialled)) is not None:
        _to_site(switch, way, dialled, site.trunk, site.fallback)
    elif (line := switch.plan.line(dialled)) is not None:
        way.steps.append(f"{dialled} is our own line {line}, so the call stays inside")
        await _to_line(switch, way, line, asker)
    else:
        _to_world(switch, way, dialled, of_extension(settings, phone.number, phone.extension))


def _to_site(
    switch: Switch, way: Way, dialled: str, trunk: str, fallback: Sequence[Target]
) -> None:
    carrier = switch.trunks.get(trunk)
    way.steps.append(f"{dialled} is a number of another site, by trunk {trunk}")
    if carrier is not None and carrier.is_up:
        way.goes(f"trunk:{trunk}")
    else:
        why = carrier.state if carrier is not None else "it does not exist"
        way.steps.append(f"the link is down ({why}), so the fallback holds")
        way.goes(*fallback)


def _to_world(switch: Switch, way: Way, dialled: str, payer: Payer) -> None:
    verdict = judge(switch.settings, payer, dialled)
    way.steps.append(verdict.why)
    if verdict.bar is Bar.SHUT:
        return
    allowed = switch.trunks.named(payer.trunks)
    if not allowed:
        way.steps.append(f"{payer.class_name or payer.name} may seize no trunk")
    if payer.class_.balance == "even" and len(allowed) > 1:
        way.steps.append("calls are spread over its trunks by weight")
    _through(switch, way, dialled, sorted(allowed, key=lambda each: each.trunk.priority))


def _through(
    switch: Switch,
    way: Way,
    dialled: str,
    carriers: Sequence[Carrier],
    *,
    whatever: bool = False,
) -> None:
    """`whatever`: trunks are tried though they are full or believed dead."""
    country = switch.settings.switch.country
    for carrier in carriers:
        number = sent_to(carrier.trunk, dialled, country)
        why = carrier.state if not carrier.is_up else ""
        if not why and not carrier.has_room(inbound=False):
            why = "all its channels are in use"
        if why and not whatever:
            way.steps.append(f"trunk {carrier.name} cannot be seized now: {why}")
        else:
            though = f", though {why}" if why else ""
            way.steps.append(f"trunk {carrier.name} would be told {number}{though}")
            way.goes(f"trunk:{carrier.name}")
