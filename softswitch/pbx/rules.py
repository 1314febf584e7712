"""Conditional routing: which rule decides a call, and why the others do not (A11, A12, A13).

Compares and asks; changes nothing.  The same reasoning serves calls and `softswitch route`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

from config.numbers import e164
from config.rules import Rule
from config.settings import Settings
from config.targets import Targets
from softswitch.pbx.answers import Answer
from softswitch.pbx.lookups import Values

Ask: TypeAlias = Callable[[str, Values], Awaitable[Answer]]
"""Asks the look-up of that name."""


class Facts(NamedTuple):
    """What rules may look at."""

    caller: str
    called: str
    """As the line's table names it."""
    moment: dt.datetime
    """In the switch's zone."""
    mode: str
    country: str | None
    """Whose form numbers come in."""
    fields: Mapping[str, str] = {}
    """What menus collected (I7)."""
    by_extension: bool = False
    """Whether an extension dialled it, rather than the world one of our lines."""

    @property
    def values(self) -> dict[str, str]:
        """The same by the names that look-ups use."""
        return {
            **self.fields,
            "caller": self.caller,
            "called": self.called,
            "caller_e164": e164(self.caller, self.country) or self.caller,
            "called_e164": e164(self.called, self.country) or self.called,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a call goes and what goes with it; `steps` say why, a sentence each."""

    targets: Targets
    rule: str | None = None
    """Which rule decided; None: the line's own scenario."""
    greeting: str | None = None
    priority: int | None = None
    language: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    """Of the caller, as a look-up knows him."""
    fields: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()


async def decide(
    settings: Settings, facts: Facts, otherwise: Targets, ask: Ask, spent: Iterable[str] = ()
) -> Decision:
    """The word of the first rule whose conditions all hold; without one, `otherwise`.

    `spent` are rules that decided this call before.  Where no rule decided and a look-up
    failed on the way, its fallback does.
    """
    steps: list[str] = []
    fallback: Targets = ()
    for rule in settings.rules:
        why_not = "it decided before" if rule.name in spent else objection(rule, facts)
        answer = Answer("missing")
        if why_not is None and rule.lookup is not None:
            answer = await ask(rule.lookup, facts.values)
            steps.append(f"look-up {rule.lookup}: {_told(answer)}")
            if answer.outcome == "failed":
                fallback = fallback or settings.lookups[rule.lookup].fallback
            why_not = _unfit(rule, answer)
        if why_not is None:
            steps.append(f"rule {rule.name} decides")
            chosen = answer.route or rule.to or fallback or otherwise
            return _decision(rule, answer, chosen, steps)
        steps.append(f"rule {rule.name} does not: {why_not}")
    if fallback:
        steps.append("the look-up's fallback decides")
    return Decision(fallback or otherwise, steps=tuple(steps))


def objection(rule: Rule, facts: Facts) -> str | None:
    """The first condition of `rule` that does not hold, in words; None where all do."""
    return next(_objections(rule, facts), None)


def _objections(rule: Rule, facts: Facts) -> Iterator[str]:
    if not rule.enabled:
        yield "it is switched off"
    if facts.by_extension and not rule.inside:
        yield "it is not for what extensions dial"
    for what, patterns, number in (
        ("caller", rule.caller, facts.caller),
        ("called number", rule.called, facts.called),
    ):
        if patterns and not _fits(patterns, number, facts.country):
            yield f"the {what} is {number}, not {' or '.join(patterns)}"
    for name, pattern in rule.digits.items():
        typed = facts.fields.get(name)
        if typed is None:
            yield f"no {name} was collected"
        elif not fnmatchcase(typed, pattern):
            yield f"{name} is {typed}, not {pattern}"
    yield from _wrong_time(rule, facts)


def _wrong_time(rule: Rule, facts: Facts) -> Iterator[str]:
    moment, day = facts.moment, facts.moment.date()
    if rule.hours and not any(hours.holds(moment) for hours in rule.hours):
        yield f"{moment:%a %H:%M} is outside {' and '.join(map(str, rule.hours))}"
    if rule.from_date is not None and day < rule.from_date:
        yield f"it begins on {rule.from_date}"
    if rule.to_date is not None and day > rule.to_date:
        yield f"it ended on {rule.to_date}"
    if rule.modes and facts.mode not in rule.modes:
        yield f"the mode is {facts.mode}, not {' or '.join(rule.modes)}"


def _fits(patterns: Iterable[str], number: str, country: str | None) -> bool:
    forms = {number, e164(number, country) or number}
    return any(_is_like(form, pattern) for form in forms for pattern in patterns)


def _is_like(number: str, pattern: str) -> bool:
    """A pattern with `*` or `?` fits as a whole, one without fits first digits."""
    if "*" in pattern or "?" in pattern:
        return fnmatchcase(number, pattern)
    return number.startswith(pattern)


def _unfit(rule: Rule, answer: Answer) -> str | None:
    """Why the answer of its look-up keeps `rule` from deciding."""
    if rule.found not in ("any", answer.outcome):
        return f"it waits for {rule.found}"
    own = (rule.to, rule.greeting, rule.language, rule.skills)
    if rule.found == "any" and answer.says_nothing and not any(own) and rule.priority is None:
        return "neither it nor the look-up says anything"
    return None


def _decision(rule: Rule, answer: Answer, targets: Targets, steps: list[str]) -> Decision:
    decision = Decision(
        targets,
        rule.name,
        greeting=answer.greeting or rule.greeting,
        priority=rule.priority if answer.priority is None else answer.priority,
        language=answer.language or rule.language,
        skills={**rule.skills, **answer.skills},
        name=answer.name,
        fields=answer.fields,
    )
    return replace(decision, steps=(*steps, *_effects(decision)))


def _effects(decision: Decision) -> Iterator[str]:
    for what in ("greeting", "priority", "language", "name"):
        if (value := getattr(decision, what)) not in (None, ""):
            yield f"{what} {value}"
    if decision.skills:
        yield "skills " + ", ".join(f"{name} {level}" for name, level in decision.skills.items())


def _told(answer: Answer) -> str:
    if answer.outcome != "found":
        return f"{answer.outcome}{f' ({answer.why})' if answer.why else ''}"
    route = ", ".join(map(str, answer.route))
    return f"found{f', route {route}' if route else ''}"
