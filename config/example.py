"""A first settings file: the example office with passwords that nobody else has."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).parent / "office.toml"
_SECRET = re.compile(r'^(\w+)(\s*=\s*)"(?:change-me|0000)"', re.MULTILINE)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def office(choose: Callable[[str], str] = secrets.choice) -> str:
    """The example's text with a random secret for each placeholder.

    Secrets are of letters and digits that are hard to take for one another when typed into a
    phone (32 signs: 60 bits in 12); PINs are of digits.
    """

    def fresh(match: re.Match[str]) -> str:
        alphabet, length = ("0123456789", 6) if match[1] == "pin" else (_ALPHABET, 12)
        return f'{match[1]}{match[2]}"{"".join(choose(alphabet) for _ in range(length))}"'

    return _SECRET.sub(fresh, EXAMPLE.read_text(encoding="utf-8"))


def write_office(path: Path) -> None:
    """Write a new example office, for its owner's eyes only; raises FileExistsError."""
    with path.open("x", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write(office())
