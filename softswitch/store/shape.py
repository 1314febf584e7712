"""Rows as the writer moves them: lists in column order, keyed by their first columns.

A list or an object in a row is kept as JSON text.

Knows how a table is written in SQL on either database; nothing of what its rows mean.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Table

from softswitch.store.tables import METADATA

Row: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[Any, ...]
Batch: TypeAlias = dict[str, dict[Key, Row | None]]
"""What to make true in one transaction: for each table, the row under a key, or none."""


_AS_IS: Final = frozenset({type(None), int, float})
_NULLS: Final = (None,) * 64  # wider than any table
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class Shape(NamedTuple):
    """How wide a table is, and how many of its first columns are the key."""

    name: str
    columns: tuple[str, ...]
    keys: int

    def fit(self, row: Sequence[Any]) -> Row:
        """`row` as the database can take it, ended in nulls where it is of an older version."""
        width = len(self.columns)
        return (*storable(row[:width]), *_NULLS[len(row) : width])

    def upsert(self, mark: str) -> str:
        """The statement that writes a row; `mark` is `?` or `$`."""
        names, keys = ", ".join(self.columns), ", ".join(self.columns[: self.keys])
        changes = ", ".join(f"{name} = excluded.{name}" for name in self.columns[self.keys :])
        return (
            f"INSERT INTO {self.name} ({names}) VALUES ({_marks(mark, len(self.columns))}) "
            f"ON CONFLICT ({keys}) DO UPDATE SET {changes}"
        )

    def select(self, unset: str | None = None) -> str:
        """The statement that reads all rows, or those where column `unset` is null."""
        rows = f"SELECT {', '.join(self.columns)} FROM {self.name}"
        return rows if unset is None else f"{rows} WHERE {unset} IS NULL"

    def delete(self, mark: str) -> str:
        """The statement that removes the row under a key."""
        keys = ", ".join(self.columns[: self.keys])
        return f"DELETE FROM {self.name} WHERE ({keys}) = ({_marks(mark, self.keys)})"


def _shape(table: Table) -> Shape:
    columns = tuple(column.name for column in table.columns)
    keys = len(table.primary_key.columns)
    assert columns[:keys] == tuple(column.name for column in table.primary_key.columns)
    return Shape(table.name, columns, keys)


SHAPES: Final = {name: _shape(table) for name, table in METADATA.tables.items()}


def _marks(mark: str, count: int) -> str:
    return ", ".join("?" if mark == "?" else f"${n}" for n in range(1, count + 1))


def storable(row: Sequence[Any]) -> Row:
    """The values of `row` as the database can take them; nearly all are so already."""
    return tuple(
        [
            value
            if type(value) in _AS_IS
            or (type(value) is str and value.isascii() and "\0" not in value)
            else _converted(value)
            for value in row
        ]
    )


def _converted(value: Any) -> Any:
    """Neither database takes lone surrogates, nor PostgreSQL a NUL; peers send both."""
    if isinstance(value, str):
        return value.replace("\0", "�").encode(errors="replace").decode()
    return _dumps(value) if isinstance(value, dict | list | tuple) else value
