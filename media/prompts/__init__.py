"""The prompt sets that ship with the switch: names to files, in English and Russian.

The texts stand in `en.toml` and `ru.toml`; `make.py` speaks them.  Knows no players.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from media.decoding import SoundError

_HERE: Final = Path(__file__).parent
LANGUAGES: Final = ("en", "ru")
HOLD_MUSIC: Final = _HERE / "music" / "hold.ogg"
"""A quiet piece of our own, free of anybody's rights."""


@cache
def texts(language: str) -> dict[str, str]:
    """What each prompt of a language says, by name.  Raises SoundError for a strange language."""
    if language not in LANGUAGES:
        raise SoundError(f"no prompts in language {language!r}; there are {', '.join(LANGUAGES)}")
    tables: dict[str, dict[str, str]] = tomllib.loads(
        (_HERE / f"{language}.toml").read_text(encoding="utf-8")
    )
    return {name: text for table in tables.values() for name, text in table.items()}


def find_prompt(name: str, language: str) -> Path | None:
    """The sound of a prompt, or None when none of that name ships with the switch."""
    try:
        return prompt_path(name, language)
    except SoundError:
        return None


def shipped_music() -> tuple[Path, ...]:
    """The pieces of hold music that ship with the switch."""
    return (HOLD_MUSIC,)


def prompt_path(name: str, language: str) -> Path:
    """The sound of a prompt.  Raises SoundError when there is none of that name."""
    if name not in texts(language):
        raise SoundError(f"no prompt is called {name!r} in language {language!r}")
    return _HERE / language / f"{name}.ogg"
