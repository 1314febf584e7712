"""`[prompts.NAME]`, `[music.NAME]`, `[speech]`: what callers hear when nobody speaks."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.base import FilePath, Positive, Table
from config.switch import Language


class PromptEntry(Table):
    """`[prompts.NAME]`: one message, as files or as text by language."""

    file: FilePath | dict[Language, FilePath] | None = None
    """One sound file for all, or one by language."""
    text: str | dict[Language, str] | None = None
    """Spoken where there is no file; `{variables}` are filled in."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.file is None and self.text is None:
            raise ValueError("a prompt needs a file or a text")
        return self


class Music(Table):
    """`[music.NAME]`: what is heard on hold and in queues; "default" where none is named."""

    files: tuple[FilePath, ...] = ()
    """Played one after another, the same to all; absent: the music that ships."""
    folder: FilePath | None = None
    """Every sound file in it, by name."""
    shuffle: bool = False
    """In an order that is drawn anew at each start, the same to all."""
    gain: Annotated[float, Field(ge=-60, le=20)] = 0.0
    """In decibels."""


class SpeechTable(Table):
    """`[speech]`: the synthesiser."""

    engine: str = "espeak-ng"
    """Or one that an installed package adds (entry point group `softswitch.speech`)."""
    rate: Annotated[int, Field(ge=80, le=400)] = 160
    """Words a minute."""
    voices: dict[Language, str] = {}
    timeout: Positive = 10.0
    cache: Literal["disk", "none"] = "disk"
