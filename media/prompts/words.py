"""What both grammars share: currencies, and how a number falls apart."""

from typing import Final, NamedTuple


class Currency(NamedTuple):
    """Nouns of a currency and of its hundredth."""

    whole: str
    part: str


CURRENCIES: Final = {
    "RUB": Currency("rouble", "kopeck"),
    "USD": Currency("dollar", "cent"),
    "EUR": Currency("euro", "cent"),
    "GBP": Currency("pound", "penny"),
}

SCALES: Final = ("", "thousand", "million", "billion")


def thousands(number: int) -> list[tuple[int, str]]:
    """Groups of three digits that are not zero, largest first, each with its scale's name."""
    groups = []
    for scale in SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.append((group, scale))
    return groups[::-1]


def clock_parts(seconds: int) -> list[tuple[int, str]]:
    """Hours, minutes and seconds that are not zero, each with its noun; "0 seconds" if all are."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    parts = [(hour, "hour"), (minute, "minute"), (second, "second")]
    return [part for part in parts if part[0]] or [(0, "second")]
