"""What a person set for himself by phone or in the settings: forwards, do not disturb.

What is set by phone (`*72`, `*78`) lies in the store and outweighs the settings file.
"""

from typing import NamedTuple

from config.extensions import Extension
from config.targets import Kind, Target, Targets
from softswitch.store.state import State

SPACE = "wishes"
"""Where in the store they lie: one key an extension."""


class Wishes(NamedTuple):
    """Where the calls of an extension go instead; an empty list is nowhere."""

    always: Targets = ()
    busy: Targets = ()
    no_answer: Targets = ()
    unregistered: Targets = ()
    do_not_disturb: bool = False


def wishes_of(number: str, person: Extension, state: State) -> Wishes:
    """The settings' word, and over it what was set by phone."""
    forward = person.forward
    stored = state.get(SPACE, number) or {}
    always: Targets = forward.always
    if "always" in stored:
        always = _read(stored["always"])
    return Wishes(
        always=always,
        busy=_read(stored["busy"]) if "busy" in stored else forward.busy,
        no_answer=_read(stored["no_answer"]) if "no_answer" in stored else forward.no_answer,
        unregistered=person.forward_unregistered,
        do_not_disturb=bool(stored.get("do_not_disturb", False)),
    )


def forward_always(number: str, to: str | None, state: State) -> None:
    """Set (`to`: a number) or clear the unconditional forward of an extension."""
    _change(number, state, always=[str(Target(Kind.NUMBER, to))] if to else [])


def do_not_disturb(number: str, on: bool, state: State) -> None:
    _change(number, state, do_not_disturb=on)


def _change(number: str, state: State, **facts: object) -> None:
    state.set(SPACE, number, {**(state.get(SPACE, number) or {}), **facts})


def _read(texts: list[str]) -> Targets:
    return tuple(Target.parse(text) for text in texts)
