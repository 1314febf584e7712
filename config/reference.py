"""Makes docs/configuration.md from the tables themselves: `python -m config.reference`."""

from collections.abc import Iterator
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.settings import Settings
from config.targets import HANGUPS, Kind

INTRODUCTION = f"""# Configuration

One TOML file. `softswitch init` writes a first one (the example office of `config/office.toml`
with random passwords), `softswitch check` finds every mistake in it at once, `softswitch reload`
(or SIGHUP) applies a changed one to the running switch, whole or not at all. It is looked for in
`--config`, `$SOFTSWITCH_CONFIG`, `./softswitch.toml`, `/etc/softswitch/softswitch.toml`. Relative
paths are relative to the file.

Durations are seconds. Secrets may be written as they are, as `"${{NAME}}"` of the environment, or
as `{{ file = "path" }}`. A password such as "change-me" is accepted from the loopback only.

A *target* is where a call goes: {", ".join(f"`{kind}`" for kind in Kind)},
most with a name after a colon: `queue:sales`, `extension:101`, `number:+74951234567`. Causes of
`hangup:` are {", ".join(f"`{cause}`" for cause in HANGUPS)}.
Several targets in a list are tried in order.

`[destinations]` names first digits, `mobile = ["89", "+79"]`; the longest match decides which
destination a number belongs to, and classes of service say which destinations may be dialled.

This page is made from the code by `make docs`.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_lines(Settings, ())])


def _lines(table: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    for name, field in table.model_fields.items():
        where = (*path, field.alias or name)
        for inner, several in _tables(field.annotation):
            yield from _section(inner, where, several)


def _section(table: type[BaseModel], where: tuple[str, ...], several: str) -> Iterator[str]:
    key = ".".join(where) + several
    yield f"## `[[{key}]]`\n" if several == "" and _is_list(where) else f"## `[{key}]`\n"
    yield _purpose(table) + "\n"
    rows = [
        f"| `{field.alias or name}` | {_default(field)} | {_choices(field)}{_told(field)} |"
        for name, field in table.model_fields.items()
        if not list(_tables(field.annotation)) or field.description
    ]
    yield from ["| key | default | |", "|---|---|---|", *rows, ""]
    yield from _lines(table, (*where, "NAME") if several else where)


def _is_list(where: tuple[str, ...]) -> bool:
    return where[-1] in ("rules", "tiers", "relax", "periodic") or where[-1].startswith("rewrite")


def _tables(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """(table, what follows its key) of every table that a value of that type may hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    elif origin is dict:
        yield from ((table, ".NAME") for table, _ in _tables(arguments[1]))
    elif origin in (tuple, Union, UnionType):
        for argument in arguments:
            yield from _tables(argument)


def _purpose(table: type[BaseModel]) -> str:
    text = " ".join((table.__doc__ or "").split())
    purpose = text.partition(": ")[2] or text
    return purpose[:1].upper() + purpose[1:]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "*required*"
    value = field.default
    if value is None or value == () or value == {} or isinstance(value, BaseModel):
        return ""
    return f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Enum():
            return f'"{value.value}"'
        case tuple() if not hasattr(value, "_fields"):
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case int() | float():
            return f"{value:g}"
        case SecretStr():
            return "…"
        case _:
            return f'"{value}"'


def _choices(field: FieldInfo) -> str:
    """`a`, `b`: what a setting of few values may be."""
    for annotation in (field.annotation, *get_args(field.annotation)):
        if get_origin(annotation) is Literal:
            values = [_toml(value) for value in get_args(annotation)]
        elif isinstance(annotation, type) and issubclass(annotation, Enum):
            values = [_toml(member) for member in annotation]
        else:
            continue
        return ", ".join(f"`{value}`" for value in values) + ". "
    return ""


def _told(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
