"""How answers look: tables on a terminal, one JSON document with --json."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

Json = Any

MOMENTS = frozenset({"at", "since", "until"})
NAMES = ("party", "name", "id")
"""What stands for an object where there is room for one word: the first that it has."""
WIDE = 1000
"""Columns of what is no terminal: each row is then one line, for grep and awk."""


def show(
    answer: Json, *, as_json: bool, empty: str = "nothing", columns: Sequence[str] = ()
) -> None:
    """Print what the switch answered; `empty` is said for an empty list.

    `columns` are the keys that a table shows, in order; all without them.
    """
    if as_json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif (sentences := _sentences(answer)) is not None:
        print("\n".join(sentences) or empty)
    elif (rows := _rows(answer)) is not None:
        print_table(rows, empty, columns)
    else:
        _print_tree(answer)


def _sentences(answer: Json) -> list[str] | None:
    """What is meant to be read as it is: details of commands, lists of text; else None."""
    if isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
        if isinstance(answer, str):
            return [answer]
        return answer if isinstance(answer, list) and _all(answer, str) else None
    if isinstance(answer, list) and answer and all(_sentences(each) for each in answer):
        return [sentence for each in answer for sentence in _sentences(each) or ()]
    return None


def _rows(answer: Json) -> list[dict[str, Json]] | None:
    """A list of objects, alone or under a single key, or None."""
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        if len(answer) != 1 or not lists:
            return None
        answer = lists[0]
    return answer if isinstance(answer, list) and _all(answer, dict) else None


def print_table(
    rows: list[dict[str, Json]], empty: str = "nothing", columns: Sequence[str] = ()
) -> None:
    """Columns are the keys of the first rows, in their order, but for those that are empty."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print(empty)
        return
    keys = columns or list(dict.fromkeys(key for row in rows[:100] for key in row))
    cells = {key: [_told(key, row.get(key)) for row in rows] for key in keys}
    table = Table(box=None, pad_edge=False, header_style="bold")
    filled = {key: column for key, column in cells.items() if any(column)}
    for key in filled:
        table.add_column(key.replace("_", " ").removesuffix(" at"), overflow="fold")
    for row in zip(*filled.values(), strict=True):
        table.add_row(*row)
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, markup=False, width=width).print(table)


def _told(key: str, value: Json) -> str:
    """A cell under its heading: some keys are moments, in seconds since 1970."""
    if (key.endswith("_at") or key in MOMENTS) and isinstance(value, int | float):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    return _cell(value)


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.1f}"
        case list():
            return ", ".join(_word(item) for item in value)
        case {"used": used, "limit": limit}:
            return f"{used} of {limit}" if limit is not None else str(used)
        case dict():
            return " ".join(f"{key}={_cell(item)}" for key, item in value.items())
        case _:
            return str(value)


def _word(item: Json) -> str:
    if isinstance(item, dict):
        return next((str(item[name]) for name in NAMES if name in item), _cell(item))
    return _cell(item)


def _print_tree(answer: Json, indent: int = 0) -> None:
    """Nested objects, a key a line; lists of objects as tables; what is empty is left out."""
    filled = {key: value for key, value in answer.items() if value not in (None, "", [], {})}
    width = max((len(key) for key in filled), default=0)
    for key, value in filled.items():
        label = " " * indent + key.replace("_", " ").removesuffix(" at")
        if isinstance(value, dict) and not value.keys() <= {"used", "limit"}:
            print(f"{label}:")
            _print_tree(value, indent + 2)
        elif isinstance(value, list) and _all(value, dict):
            print(f"{label}:")
            print_table(value)
        else:
            print(f"{label:<{width + indent + 2}}{_told(key, value)}")


def _all(values: list[Json], kind: type) -> bool:
    return all(isinstance(value, kind) for value in values)
