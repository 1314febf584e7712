"""A document without its faulty parts, so that the sound rest can be checked for more mistakes."""

import copy
from typing import Any

from pydantic import ValidationError

from config.explain import path_of

Path = tuple[int | str, ...]


def cut(document: dict[str, Any], error: ValidationError) -> tuple[dict[str, Any], set[str]]:
    """A copy without what `error` complains of, and the names of tables that went as a whole.

    A list goes as a whole, and so does a table that lacks what is required.
    """
    rest, names = copy.deepcopy(document), set[str]()
    for details in error.errors(include_url=False):
        path = _removable(path_of(details, document), details["type"])
        _remove(rest, path)
        if len(path) == 2:
            names.add(str(path[1]))
    return rest, names


def _removable(path: list[int | str], kind: str) -> Path:
    if kind == "missing":
        path = path[:-1]
    keys = [index for index, part in enumerate(path) if isinstance(part, int)]
    return tuple(path[: keys[0]] if keys else path)


def _remove(document: dict[str, Any], path: Path) -> None:
    at: Any = document
    for part in path[:-1]:
        at = at.get(part, {}) if isinstance(at, dict) else {}
    if path and isinstance(at, dict):
        at.pop(path[-1], None)
