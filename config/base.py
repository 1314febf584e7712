"""The ground every table stands on: immutable, strict about names, documented under each field."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)


class Table(BaseModel):
    """One table of the settings file.  A key it does not know is an error, never ignored."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True
    )


def matching(pattern: str, what: str) -> AfterValidator:
    """Text that fits `pattern` as a whole; what does not is told that it is not `what`."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(f'"{text}" is not {what}')
        return text

    return AfterValidator(check)


def _as_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _beside_file(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base", Path())
    return Path(base) / path.expanduser()


SOUND_FILES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a"})
"""Endings by which a prompt's name is a file's."""


def sound_beside_file(name: str, info: ValidationInfo) -> str:
    """A prompt as it was written, unless it is a file: that lies beside the settings."""
    path = Path(name)
    return str(_beside_file(path, info)) if path.suffix.lower() in SOUND_FILES else name


Seconds: TypeAlias = float
"""A duration."""

Positive: TypeAlias = Annotated[float, Field(gt=0)]
"""A duration or amount above nothing."""

Words: TypeAlias = Annotated[str, matching(r"[^\x00-\x1f\x7f-\x9f]{0,255}", "one line of text")]
"""What is shown or sent in one line: no CR, LF or other control character (RFC 3261 §25.1)."""

Host: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?", "an address or a host name")
]
"""An IP address or a name that DNS knows, without a port."""

Name: TypeAlias = Annotated[str, matching(r"[\w.+-]{1,64}", "a name: letters, digits, . + - _")]
"""What a table is called, and what others refer to it by."""

Number: TypeAlias = Annotated[str, matching(r"\+?[0-9*#]{1,24}", "a number: digits, * and #")]
"""What a phone dials."""

Digit: TypeAlias = Annotated[str, matching(r"[0-9*#A-D]", "one key: a digit, * or #")]
"""One key of a phone."""

Prompt: TypeAlias = Annotated[str, matching(r".+", "a prompt"), AfterValidator(sound_beside_file)]
"""What is said: the name of a prompt (`[prompts.NAME]`, or one that ships) or a sound file."""

FilePath: TypeAlias = Annotated[Path, AfterValidator(_beside_file)]
"""A file or folder; a relative one lies beside the settings file."""

Numbers: TypeAlias = Annotated[tuple[Number, ...], BeforeValidator(_as_list)]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(_as_list)]
Prompts: TypeAlias = Annotated[tuple[Prompt, ...], BeforeValidator(_as_list)]
Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
