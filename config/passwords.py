"""Secrets: given as they are, by the environment (`"${NAME}"`) or by a file (`{file = "…"}`).

A placeholder such as "change-me" is what examples are written with.  The registrar accepts it
from the loopback only, so that no password known to everybody ever works from outside.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, SecretStr, ValidationInfo

PLACEHOLDERS = frozenset(
    {"0000", "1234", "12345", "123456", "admin", "change-me", "change_me", "changeme"}
    | {"passwd", "password", "secret", "test"}
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def is_placeholder(password: SecretStr | str | None, user: str = "") -> bool:
    """Whether `password` is one that strangers guess first: an example's, empty, or the number."""
    if password is None:
        return False
    text = password.get_secret_value() if isinstance(password, SecretStr) else password
    return text.lower() in PLACEHOLDERS or text in {"", user}


def _reveal(value: Any, info: ValidationInfo) -> Any:
    """The secret itself; raises ValueError with the repair where it cannot be had."""
    context = info.context or {}
    if isinstance(value, dict):
        if value.keys() != {"file"}:
            raise ValueError('write it as "…", "${NAME}" or {file = "path"}')
        return _from_file(Path(context.get("base", Path())) / str(value["file"]))
    if isinstance(value, str):
        if value.startswith("${") and "}" not in value:
            raise ValueError('the "}" of "${NAME}" is missing')
        environ = context.get("environ", os.environ)
        return _VARIABLE.sub(lambda match: _from_environment(match[1], environ), value)
    return value


def _from_file(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the secret's file {path} cannot be read ({_reason(error)})") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it is not UTF-8"


def _from_environment(name: str, environ: Any) -> str:
    if name not in environ:
        raise ValueError(f"the environment has no variable {name}; set it, or write the secret")
    return str(environ[name])


Secret: TypeAlias = Annotated[SecretStr, BeforeValidator(_reveal)]
"""A password, PIN or token; never printed."""
