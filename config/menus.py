"""`[menus.NAME]`: a voice menu; menus that name menus make a tree."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from config.base import Digit, Name, Number, Positive, Prompt, Prompts, Seconds, Table
from config.switch import Language
from config.targets import Target, Targets


class Collect(Table):
    """`[menus.NAME.collect]`: digits that the caller is asked for, kept with the call."""

    field: Name
    """Name under which agents, rules and reports find them."""
    least: Annotated[int, Field(ge=0)] = 1
    most: Annotated[int, Field(ge=1, le=64)] = 20
    end: Digit | None = "#"
    """Key that ends the input early."""
    then: Targets
    """Where the call goes next."""
    confirm: bool = False
    """Read the digits back and ask for `1`."""


class Menu(Table):
    """`[menus.NAME]`"""

    number: Number | None = None
    prompt: Prompts = ()
    """What is said, one after another; a key interrupts it."""
    text: str | dict[Language, str] | None = None
    """The same as text, to be spoken by the synthesiser: one, or one by language."""
    keys: dict[Digit, Targets] = {}
    """`{ 1 = "queue:sales", "*" = "repeat", 9 = "language:ru" }`; also `back` and `dial`."""
    direct_dial: bool = True
    """Whether an extension's number may be dialled during the greeting (DISA)."""
    timeout: Positive = 5.0
    """Silence after the prompt before `no_input`."""
    digit_time: Positive = 2.0
    """Silence between digits that ends a number."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """How often it is said before `no_input` or `invalid` is taken."""
    no_input: Targets = ()
    """Where a caller goes who presses nothing; absent: the call ends."""
    invalid: Targets = ()
    """Where a caller goes who presses what means nothing; absent: as `no_input`."""
    invalid_prompt: Prompt | None = None
    language: Language | None = None
    collect: Collect | None = None
    answer_after: Annotated[Seconds, Field(ge=0)] = 0.0
    """Ring so long before answering."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.prompt and self.text is None:
            raise ValueError('a menu says something; add prompt = "…" or text = "…"')
        return self

    def all_targets(self) -> tuple[tuple[str, Target], ...]:
        """Every (key of the table, target) it may lead to."""
        pairs = [(f"keys.{key}", target) for key, found in self.keys.items() for target in found]
        pairs += [("no_input", target) for target in self.no_input]
        pairs += [("invalid", target) for target in self.invalid]
        if self.collect:
            pairs += [("collect.then", target) for target in self.collect.then]
        return tuple(pairs)
