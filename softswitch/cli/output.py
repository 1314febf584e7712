"""How answers look: tables on a terminal, one JSON document with --json."""

import json
import time
from typing import Any

Json = Any


def show(answer: Json, *, as_json: bool, empty: str = "nothing") -> None:
    """Print what the switch answered; `empty` is said for an empty list."""
    if as_json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif (rows := _rows(answer)) is not None:
        print_table(rows, empty)
    else:
        _print_tree(answer)


def _rows(answer: Json) -> list[dict[str, Json]] | None:
    """A list of objects, alone or under a single key, or None."""
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        if len(answer) != 1 or not lists:
            return None
        answer = lists[0]
    if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
        return answer
    return None


def print_table(rows: list[dict[str, Json]], empty: str = "nothing") -> None:
    """Columns are the keys of the first rows, in their order."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print(empty)
        return
    columns = list(dict.fromkeys(key for row in rows[:100] for key in row))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_told(column, row.get(column)) for column in columns))
    Console(highlight=False, markup=False).print(table)


def _told(key: str, value: Json) -> str:
    """A cell under its heading: what ends in `_at` is a moment, in seconds since 1970."""
    if key.endswith("_at") and isinstance(value, int | float):
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
            return ", ".join(_cell(item) for item in value)
        case dict():
            return " ".join(f"{key}={_cell(item)}" for key, item in value.items())
        case _:
            return str(value)


def _print_tree(answer: Json, indent: int = 0) -> None:
    """Nested objects, a key a line; lists of objects as tables."""
    if not isinstance(answer, dict):
        print(" " * indent + _cell(answer))
        return
    width = max((len(key) for key in answer), default=0)
    for key, value in answer.items():
        label = " " * indent + key.replace("_", " ")
        if isinstance(value, dict) and value:
            print(f"{label}:")
            _print_tree(value, indent + 2)
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            print(f"{label}:")
            print_table(value)
        else:
            print(f"{label:<{width + indent + 2}}{_told(key, value) or '-'}")
