"""From a TOML file to `Settings`, or to every mistake in it at once.

Strict JSON is pydantic's door: scalars stay strict there ("5" is no number, `true` no 1), while
enums and tuples may come from TOML's strings and lists.  Mistakes of form do not hide those of
meaning: the faulty parts are cut out and the rest is checked.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.advice import advice
from config.cut import cut
from config.explain import explain
from config.loops import loops
from config.plan import clashes
from config.problems import ConfigError, Problem
from config.references import dangling
from config.settings import Settings
from config.sockets import unlistenable

CUTS = 4
"""Rounds of validation; a table's own rules are checked only once its fields are sound."""


def load(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `path`; raises ConfigError with all mistakes.  Warnings are not raised."""
    settings, problems = _examined(path, environ, warn=False)
    if settings is None:
        raise ConfigError(problem for problem in problems if not problem.warning)
    return settings


def examine(
    path: Path | str, environ: Mapping[str, str] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """The settings, None where they cannot be obeyed, and all problems, errors first."""
    return _examined(path, environ, warn=True)


def _examined(
    path: Path | str, environ: Mapping[str, str] | None, *, warn: bool
) -> tuple[Settings | None, list[Problem]]:
    """As `examine`; `warn` looks for warnings as well, which takes as long as all the rest."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or error
        return None, [Problem("", f"{path} cannot be read ({reason}); give one by --config")]
    except UnicodeDecodeError as error:
        return None, [Problem("", f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem("", f"{path} is no TOML: {error}")]
    return read(document, path.resolve().parent, environ, warn=warn)


def read(
    document: dict[str, Any],
    base: Path = Path(),
    environ: Mapping[str, str] | None = None,
    *,
    warn: bool = True,
) -> tuple[Settings | None, list[Problem]]:
    """As `examine`, from what was parsed.  `base` is what relative paths are relative to."""
    context = {"base": base, "environ": os.environ if environ is None else environ}
    settings, problems, cut_out = _soundest(_expanded(document), context)
    if settings is None:
        return None, problems
    sound = not problems
    problems += [p for p in _disagreements(settings) if not _misses(p, cut_out)]
    problems += advice(settings) if sound and warn else []
    problems.sort(key=lambda problem: problem.warning)
    refused = any(not problem.warning for problem in problems)
    return (None if refused else settings), problems


def _soundest(
    document: dict[str, Any], context: dict[str, Any]
) -> tuple[Settings | None, list[Problem], set[str]]:
    """The settings without their faulty parts, what was wrong, and the tables that went."""
    problems, cut_out = list[Problem](), set[str]()
    for _ in range(CUTS):
        try:
            return _validated(document, context), problems, cut_out
        except ValidationError as error:
            problems += explain(error, document, Settings)
            document, names = cut(document, error)
            cut_out |= names
    return None, problems, cut_out


def _validated(document: dict[str, Any], context: dict[str, Any]) -> Settings:
    text = json.dumps(document, default=str)
    return Settings.model_validate_json(text, strict=True, context=context)


def _disagreements(settings: Settings) -> list[Problem]:
    """What the tables say of one another."""
    found = [*dangling(settings), *clashes(settings), *loops(settings)]
    return [*found, *unlistenable(settings)]


def _misses(problem: Problem, cut_out: set[str]) -> bool:
    """Whether the problem is only that a faulty table, told of already, was cut out."""
    return any(f'"{name}"' in problem.sentence for name in cut_out)


def _expanded(document: dict[str, Any]) -> dict[str, Any]:
    """Short forms in full: `day = "Mon-Fri"` is a mode's hours, `welcome = "a.wav"` a file."""
    full = {"switch": {}, **document}
    if isinstance(full["switch"], dict):  # a default would not be taken relative to the file
        full["switch"] = {"data": "var", **full["switch"]}
    for table, key, short in (("modes", "hours", (str, list)), ("prompts", "file", (str,))):
        if isinstance(entries := full.get(table), dict):
            full[table] = {
                name: {key: entry} if isinstance(entry, short) else entry
                for name, entry in entries.items()
            }
    return full
