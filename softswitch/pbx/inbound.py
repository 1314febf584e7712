"""A line of ours is called: is there room, which rule, which scenario (P1, P2, P24, P39, A15).

The world comes by a trunk; who calls and by which one is settled before.  An extension that
dials our own number is served as the world would be, without a way round through a provider.
Rules are asked here for all others who call, too (A11-A13).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from config.lines import Line as LineSettings
from config.settings import Settings
from config.targets import Target, Targets
from softswitch.calls.call import Call
from softswitch.calls.causes import BUSY, FORBIDDEN, UNKNOWN_NUMBER
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.party import Party
from softswitch.pbx import modes, sites
from softswitch.pbx.peers import Line
from softswitch.pbx.rules import Decision, Facts, decide
from softswitch.pbx.targets import serve
from softswitch.pbx.voice import Voice

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

NOT_FOUND = 404


async def from_outside(
    switch: Switch, peer: Line, dialled: str, number: str | None, call: Call
) -> None:
    """Somebody called `dialled` through a trunk; `number` is the line that this is."""
    if peer.trunk.direction == "out":
        raise Refused(FORBIDDEN, f"trunk {peer.name} is for outgoing calls only")
    if sites.is_link(switch.settings, peer.name) and await sites.from_site(
        switch, peer.name, dialled, call
    ):
        return
    line = switch.settings.lines.get(number or "")
    if line is None or number is None:
        raise Refused(UNKNOWN_NUMBER)
    if line.trunks and peer.name not in line.trunks:
        raise Refused(FORBIDDEN, f"{number} may not come in by trunk {peer.name}")
    await to_line(switch, call, number)


async def to_line(switch: Switch, call: Call, number: str) -> None:
    """Serve whoever called the line `number` by its rules and its scenario."""
    line = switch.settings.lines[number]
    _learn(call, number, line)
    if is_full(switch, number, line, call):
        call.record.event("line-full", line=number, channels=line.channels)
        if not line.full:
            raise Refused(BUSY, f"all {line.channels} channels of {number} are in use")
        await _go(switch, call, line.full)
        return
    mode = modes.current(switch.settings, switch.store.state, time.time())
    call.record.learn(mode=mode)
    await _decided(switch, call, line.scenario(mode), line.greeting)


def has_rules_for(switch: Switch, dialled: str) -> bool:
    """Whether rules are asked when an extension dials this; help is never kept waiting."""
    settings = switch.settings
    if not any(rule.inside for rule in settings.rules) or dialled in settings.emergency.numbers:
        return False
    return switch.plan.line(dialled) is None  # a line asks by itself


async def by_rules(switch: Switch, call: Call, dialled: str, otherwise: Targets) -> None:
    """Go where the rules for what extensions dial say, or to `otherwise`."""
    await _decided(switch, call, otherwise, dialled=dialled)


async def rules(switch: Switch, call: Call, target: Target) -> None:
    """`rules`: let the rules decide again, with what menus collected since."""
    await _decided(switch, call, ())


def is_full(switch: Switch, number: str, line: LineSettings, call: Call | None = None) -> bool:
    """Whether one call more than `channels` would be on the line (P39)."""
    return line.channels is not None and calls_of(switch, number, call) >= line.channels


def calls_of(switch: Switch, number: str, but: Call | None = None) -> int:
    """Calls in progress that came in by this line."""
    return sum(each.line == number and each is not but for each in switch.calls.values())


def facts_of(settings: Settings, caller: str, called: str, moment: dt.datetime, mode: str) -> Facts:
    """What the rules look at, before any menu has asked for anything."""
    return Facts(caller, called, moment, mode, settings.switch.country)


async def _decided(
    switch: Switch,
    call: Call,
    otherwise: Targets,
    greeting: str | None = None,
    *,
    dialled: str | None = None,
) -> None:
    """Go where the rules say, or to `otherwise`; `dialled` by an extension, if one did."""
    settings, now = switch.settings, time.time()
    moment = dt.datetime.fromtimestamp(now, settings.switch.zone)
    mode = modes.current(settings, switch.store.state, now)
    called = dialled or call.line or call.dialled
    facts = facts_of(settings, call.leg.party.number, called, moment, mode)
    facts = facts._replace(fields=dict(call.fields), by_extension=dialled is not None)
    decision = await decide(settings, facts, otherwise, switch.lookups.ask, call.ruled)
    if settings.rules:
        call.record.event("rules", rule=decision.rule, steps=list(decision.steps))
    _apply(call, decision)
    if not decision.targets:
        raise NotAnswered(NOT_FOUND)
    greeting = decision.greeting or greeting
    if greeting is not None:
        call.leg.answer()
        await Voice(switch, call).say(greeting)
    await _go(switch, call, decision.targets)


async def _go(switch: Switch, call: Call, targets: Targets) -> None:
    call.record.learn(route=", ".join(map(str, targets)))
    await serve(switch, call, targets)


def _learn(call: Call, number: str, line: LineSettings) -> None:
    """What a line gives every call that comes in by it."""
    call.line, call.language = number, line.language
    call.priority, call.music, call.tags = line.priority, line.music, line.tags
    facts = {"line_name": line.name, "tags": list(line.tags)}
    call.record.learn(line=number, **{key: value for key, value in facts.items() if value})


def _apply(call: Call, decision: Decision) -> None:
    if decision.rule is not None:
        call.ruled.append(decision.rule)
        call.record.learn(rule=decision.rule)
    if decision.priority is not None:
        call.priority = decision.priority
    call.language = decision.language or call.language
    call.skills.update(decision.skills)
    if decision.fields:
        call.fields.update(decision.fields)
        call.record.learn(fields=dict(call.fields))
    if decision.name:
        call.leg.party = Party(call.leg.party.number, decision.name)
        call.record.learn(caller_name=decision.name)
