"""Changing one setting in the file, its comments and order kept; a change that errs is not made.

tomlkit is slow (seconds for ten thousand extensions), so it is used here alone.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item

from config.loader import examine
from config.problems import ConfigError, Problem


def set_value(
    path: Path, key: str, value: str, environ: Mapping[str, str] | None = None
) -> list[Problem]:
    """Set `key` ("extensions.105.name") to `value`, TOML or plain text; the warnings that remain.

    Raises ConfigError, and changes nothing, where the file would then be refused.
    """
    parts = _parts(key)

    def change(document: tomlkit.TOMLDocument) -> None:
        at: Any = document
        for part in parts[:-1]:
            if part not in at:
                at[part] = tomlkit.table()
            at = at[part]
            if not isinstance(at, dict):
                raise ConfigError([Problem(key, f"{part} is no table")])
        at[parts[-1]] = _value(value)

    return _rewrite(path, change, environ)


def remove(path: Path, key: str, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Take `key`, a setting or a whole table, out of the file; as `set_value`."""
    parts = _parts(key)

    def change(document: tomlkit.TOMLDocument) -> None:
        at: Any = document
        for part in parts[:-1]:
            at = at.get(part) if isinstance(at, dict) else None
        if not isinstance(at, dict) or parts[-1] not in at:
            raise ConfigError([Problem(key, "is not in the file")])
        del at[parts[-1]]

    return _rewrite(path, change, environ)


def _parts(key: str) -> list[str]:
    """The dotted key's parts; quotes as in TOML: `lines."+7495".day`."""
    try:
        at: Any = tomlkit.parse(f"{key} = 0").unwrap()
    except TOMLKitError as error:
        raise ConfigError([Problem(key, f"is no key ({error})")]) from None
    parts = []
    while isinstance(at, dict):
        ((part, at),) = at.items()
        parts.append(part)
    return parts


def _value(text: str) -> Item:
    """TOML where it is TOML (`20`, `true`, `["101"]`), text otherwise."""
    try:
        return tomlkit.value(text)
    except TOMLKitError:
        return tomlkit.string(text)


def _rewrite(
    path: Path,
    change: Callable[[tomlkit.TOMLDocument], None],
    environ: Mapping[str, str] | None,
) -> list[Problem]:
    """Write a changed copy beside the file, examine it there, and put it in the file's place."""
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError([Problem("", f"{path} cannot be changed ({error})")]) from None
    change(document)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(document))
        fresh.chmod(path.stat().st_mode & 0o777)
        settings, problems = examine(fresh, environ)
        if settings is None:
            raise ConfigError(problem for problem in problems if not problem.warning)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return problems
