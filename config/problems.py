"""Mistakes in the settings file: each a dotted key and a sentence that says the repair."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")
LONGEST = 500
"""Characters of a sentence; a value that would make it longer is cut short."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.  A `warning` is worth knowing but does not keep the switch from running."""

    key: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        label = "warning: " if self.warning else ""
        return on_a_line(
            f"{label}{self.key}: {self.sentence}" if self.key else f"{label}{self.sentence}"
        )


def on_a_line(text: str) -> str:
    """`text` as one line of bearable length, whatever the values in it hold."""
    shown = _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)
    half = LONGEST // 2
    return shown if len(shown) <= LONGEST else f"{shown[:half]} … {shown[-half:]}"


class ConfigError(Exception):
    """The administrator's file cannot be obeyed.  Caught once, where the file was asked for."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def dotted(*parts: object) -> str:
    """The key as it is written in TOML: `lines."+7495".day`, `rules[2].to`."""
    key = ""
    for part in parts:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            text = str(part)
            key += ("." if key else "") + (text if _BARE.match(text) else f'"{text}"')
    return key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or what there is to choose from where nothing is close."""
    names = sorted(known)
    if close := get_close_matches(word, names, n=1, cutoff=0.6):
        return f"; did you mean {close[0]}?"
    if not names:
        return ""
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"; there is {listed}"
