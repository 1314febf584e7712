"""Small things that people set at run time and expect after a restart.

Forwards, do not disturb, mode overrides, pointers: JSON values under a space and a key.  All of
it lies in memory, so reading costs nothing; a change is safe when the call returns.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from softswitch.store.frame import encoded
from softswitch.store.shape import Row
from softswitch.store.writer import Writer

_TABLE: Final = "state"


class State:
    """JSON values by (space, key), for instance ("forward", "101")."""

    def __init__(self, writer: Writer, rows: Iterable[Row] = ()) -> None:
        self._writer = writer
        self._spaces: dict[str, dict[str, Any]] = {}
        self._watchers: dict[str, list[Callable[[str], None]]] = {}
        for space, key, value in rows:
            self._spaces.setdefault(space, {})[key] = json.loads(value)

    def get(self, space: str, key: str, default: Any = None) -> Any:
        """The value, or `default`; not to be changed in place."""
        return self._spaces.get(space, {}).get(key, default)

    def space(self, space: str) -> Mapping[str, Any]:
        """All keys of a space and their values; empty if it was never used."""
        return MappingProxyType(self._spaces.get(space, {}))

    def set(self, space: str, key: str, value: Any) -> None:
        """Keep `value`, which JSON can hold; setting what is already so writes nothing."""
        values = self._spaces.setdefault(space, {})
        if key not in values or values[key] != value:
            self._writer.put((_TABLE, (space, key, encoded(value).decode())))
            values[key] = value
            self._changed(space, key)

    def remove(self, space: str, key: str) -> None:
        """Forget the value; none there is no error."""
        values = self._spaces.get(space, {})
        if key in values:
            self._writer.drop(_TABLE, space, key)
            del values[key]
            self._changed(space, key)

    def watch(self, space: str, watcher: Callable[[str], None]) -> None:
        """`watcher(key)` is called after each change in a space."""
        self._watchers.setdefault(space, []).append(watcher)

    def _changed(self, space: str, key: str) -> None:
        for watcher in self._watchers.get(space, ()):
            watcher(key)
