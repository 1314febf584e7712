"""Dataclasses of this package to and from what JSON can hold, by their declared types.

Floats survive exactly (JSON writes the shortest text that reads back the same).  Fields that have
their default are left out, so settings and journals stay small and old ones stay readable.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from acd import events
from acd.types import AcdError

T = TypeVar("T")
Reader = Callable[[Any], Any]

EVENTS: dict[str, Callable[..., events.Event]] = {
    kind.__name__: kind for kind in get_args(events.Event)
}

PLAIN = frozenset({str, int, float, bool, type(None)})
"""What stands for itself, and is most of every record."""


class CodecError(AcdError):
    """A *stored* record does not describe anything we know; the text says what."""


def to_json(value: Any) -> Any:
    """Dataclasses become objects, tuples lists, enums their values."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if is_dataclass(kind):
        names = ((name, getattr(value, name), default) for name, default in _defaults(kind))
        return {name: to_json(v) for name, v, default in names if v != default}
    if isinstance(value, dict):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value


def from_json(kind: Callable[..., T], data: Any) -> T:
    """The dataclass that `to_json` was given."""
    try:
        read: Callable[[Any], T] = _reader(kind)
        return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CodecError(f"not what it should be: {error}") from error


def event_to_json(event: events.Event) -> dict[str, Any]:
    """The event with its name under `event`."""
    return {"event": type(event).__name__, **to_json(event)}


def event_from_json(data: dict[str, Any]) -> events.Event:
    rest = dict(data)
    name = rest.pop("event", None)
    if name not in EVENTS:
        raise CodecError(f"there is no event {name!r}")
    return from_json(EVENTS[name], rest)


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass, each with its default or `MISSING`."""
    return tuple((field.name, _default(field)) for field in fields(kind))


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


@cache
def _reader(kind: Any) -> Reader:
    """How a value declared as `kind` is read back."""
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if origin in (Union, types.UnionType):
        inner = _reader(next(arg for arg in args if arg is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is tuple:
        readers = [_reader(arg) for arg in args if arg is not Ellipsis]
        if Ellipsis in args:
            return lambda data: tuple(readers[0](item) for item in data)
        return lambda data: tuple(r(item) for r, item in zip(readers, data, strict=True))
    if origin is dict:
        value = _reader(args[1])
        return lambda data: {key: value(inner) for key, inner in data.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return float if kind is float else lambda data: data


def _dataclass_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(data: dict[str, Any]) -> Any:
        return kind(**{name: readers[name](value) for name, value in data.items()})

    return read
