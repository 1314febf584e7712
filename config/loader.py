"""From a TOML file to `Settings`, or to every mistake in it at once.

Strict JSON is pydantic's door: scalars stay strict there ("5" is no number, `true` no 1), while
enums and tuples may come from TOML's strings and lists.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.advice import advice
from config.explain import explain
from config.loops import loops
from config.plan import clashes
from config.problems import ConfigError, Problem
from config.references import dangling
from config.settings import Settings


def load(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `path`; raises ConfigError with all mistakes.  Warnings are not raised."""
    settings, problems = examine(path, environ)
    if settings is None:
        raise ConfigError(problem for problem in problems if not problem.warning)
    return settings


def examine(
    path: Path | str, environ: Mapping[str, str] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """The settings, None where they cannot be obeyed, and all problems, errors first."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        return None, [Problem("", f"{path} cannot be read ({reason}); give one by --config")]
    except UnicodeDecodeError as error:
        return None, [Problem("", f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem("", f"{path} is no TOML: {error}")]
    return read(document, path.resolve().parent, environ)


def read(
    document: dict[str, Any], base: Path = Path(), environ: Mapping[str, str] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """As `examine`, from what was parsed.  `base` is what relative paths are relative to."""
    context = {"base": base, "environ": os.environ if environ is None else environ}
    document = _expanded(document)
    text = json.dumps(document, default=str)
    try:
        settings = Settings.model_validate_json(text, strict=True, context=context)
    except ValidationError as error:
        return None, explain(error, document, Settings)
    problems = [*dangling(settings), *clashes(settings), *loops(settings), *advice(settings)]
    problems.sort(key=lambda problem: problem.warning)
    refused = any(not problem.warning for problem in problems)
    return (None if refused else settings), problems


def _expanded(document: dict[str, Any]) -> dict[str, Any]:
    """Short forms in full: `day = "Mon-Fri"` is a mode's hours, `welcome = "a.wav"` a file."""
    full = {"switch": {}, **document}
    for table, key, short in (("modes", "hours", (str, list)), ("prompts", "file", (str,))):
        if isinstance(entries := full.get(table), dict):
            full[table] = {
                name: {key: entry} if isinstance(entry, short) else entry
                for name, entry in entries.items()
            }
    return full
