"""What a look-up may say of a caller, and how a row or a JSON object is read as that (A13)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from config.references import lost
from config.settings import Settings
from config.targets import Target, Targets
from softswitch.sip.types import SwitchError

OURS = frozenset({"route", "priority", "greeting", "language", "skills", "name"})

Outcome: TypeAlias = Literal["found", "missing", "failed"]


class Answer(NamedTuple):
    """What was learnt of a caller."""

    outcome: Outcome
    why: str = ""
    """Of a failure, in a sentence."""
    route: Targets = ()
    priority: int | None = None
    greeting: str | None = None
    language: str | None = None
    skills: Mapping[str, int] = {}
    name: str = ""
    fields: Mapping[str, str] = {}
    """Whatever else it told."""

    @property
    def says_nothing(self) -> bool:
        return self == Answer(self.outcome, self.why)


class NoAnswerError(SwitchError):
    """The other side cannot answer, or answers nonsense; the text is a sentence."""


def read(settings: Settings, name: str, row: Mapping[str, Any]) -> Answer:
    """A row or JSON object in our words.  Raises NoAnswerError where it makes no sense."""
    told = {key: value for key, value in row.items() if value not in (None, "")}
    try:
        route = _route(settings, name, told.get("route", ()))
        priority = int(told["priority"]) if "priority" in told else None
        skills = {str(skill): int(level) for skill, level in _skills(told.get("skills")).items()}
    except (TypeError, ValueError) as error:
        raise NoAnswerError(str(error)) from error
    return Answer(
        "found",
        route=route,
        priority=priority,
        greeting=_text(told, "greeting"),
        language=_text(told, "language"),
        skills=skills,
        name=_text(told, "name") or "",
        fields={key: str(value) for key, value in told.items() if key not in OURS},
    )


def _text(told: Mapping[str, Any], key: str) -> str | None:
    return str(told[key]) if key in told else None


def _route(settings: Settings, name: str, told: Any) -> Targets:
    """`queue:sales`, several with commas between them, or a list."""
    words = told.split(",") if isinstance(told, str) else told
    targets = tuple(Target.parse(word) for word in words)
    for target in targets:
        if (problem := lost(settings, f"lookups.{name}", target)) is not None:
            raise NoAnswerError(problem.sentence)
    return targets


def _skills(told: Any) -> Mapping[str, Any]:
    """An object, or JSON text of one."""
    found = json.loads(told) if isinstance(told, str) else told or {}
    if not isinstance(found, dict):
        raise NoAnswerError("its skills are no object")
    return found
