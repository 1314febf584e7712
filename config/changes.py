"""What differs between two settings: the reload's work list."""

from dataclasses import dataclass, field

from config.problems import Problem
from config.settings import Settings

FIXED = (
    "switch.data",
    "switch.domain",
    "records.database",
    "records.flush",
    "log",
    "api",
    "sip.listen",
    "sip.timers",
    "sip.streams",
    "sip.tls",
    "sip.session_expires",
    "sip.min_session_expires",
    "sip.product",
    "sip.nat",
    "sip.reliable",
    "sip.dns",
    "media.address",
    "media.address6",
    "media.ports",
    "media.workers",
    "media.backend",
    "media.jitter",
    "media.tos",
)
"""What a running switch cannot change."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one table.  A single table such as `[sip]` changes by its keys."""

    added: frozenset[str] = field(default=frozenset())
    changed: frozenset[str] = field(default=frozenset())
    removed: frozenset[str] = field(default=frozenset())

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def names(self) -> frozenset[str]:
        return self.added | self.changed | self.removed


def changes(old: Settings, new: Settings) -> dict[str, Change]:
    """Changes by table; tables without any are left out."""
    found = {
        table: _compare(_entries(getattr(old, table)), _entries(getattr(new, table)))
        for table in Settings.model_fields
    }
    return {table: change for table, change in found.items() if change}


def needs_restart(old: Settings, new: Settings) -> list[Problem]:
    """What `new` asks for that only a restart can give, a sentence each."""
    return [
        Problem(key, "can only change with a restart; the running switch keeps the old value", True)
        for key in FIXED
        if _at(old, key) != _at(new, key)
    ]


def with_fixed(old: Settings, new: Settings) -> Settings:
    """`new`, but for what only a restart could change, which is as in `old`."""
    kept: dict[str, dict[str, object]] = {}
    for key in FIXED:
        table, _, name = key.partition(".")
        if name:
            kept.setdefault(table, {})[name] = _at(old, key)
    tables = {table: getattr(new, table).model_copy(update=keys) for table, keys in kept.items()}
    whole = {key: getattr(old, key) for key in FIXED if "." not in key}
    return new.model_copy(update={**tables, **whole})


def _at(settings: object, key: str) -> object:
    for part in key.split("."):
        settings = getattr(settings, part)
    return settings


def _entries(table: object) -> dict[str, object]:
    if isinstance(table, dict):
        return table
    if isinstance(table, tuple):
        return {str(index): entry for index, entry in enumerate(table)}
    if table is None:
        return {}
    return {name: getattr(table, name) for name in type(table).model_fields}  # type: ignore[attr-defined]


def _compare(old: dict[str, object], new: dict[str, object]) -> Change:
    return Change(
        added=frozenset(new.keys() - old.keys()),
        changed=frozenset(name for name in old.keys() & new.keys() if old[name] != new[name]),
        removed=frozenset(old.keys() - new.keys()),
    )
