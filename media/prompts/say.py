"""Numbers, times and money as sequences of prompt names.  Knows words; no files, no sound.

`value` is always text, so that it crosses processes and configuration alike:

    number, number-f, number-n, number-gen, number-f-gen   "2026"        two thousand ...
    ordinal, ordinal-f, ordinal-n, ordinal-gen             "3"           third
    digits                                                 "+7495*1#"    plus seven four ...
    letters                                                "ab12"        A B one two
    time, date, day, datetime                              ISO 8601      "2026-11-24T15:05"
    duration                                               seconds       "125"
    money                                                  "12.50 RUB"   amount and currency
    message, new-message, saved-message, call, caller,
    person, agent, second, minute, hour, day-count         "3"           three new messages

The suffixes of number and ordinal are gender (f, n; else masculine) and case (gen; else
nominative); English has neither and takes them all the same.
"""

import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol

from media.prompts import english, russian
from media.prompts.words import CURRENCIES, Currency


class SayError(ValueError):
    """The caller asked for something that cannot be spoken; the text says what and why."""


class _Grammar(Protocol):
    """One language."""

    def cardinal(self, number: int, *, gender: str = "m", case: str = "nom") -> list[str]: ...
    def ordinal(self, number: int, *, gender: str = "m", case: str = "nom") -> list[str]: ...
    def count(self, number: int, noun: str) -> list[str]: ...
    def time_of_day(self, at: time) -> list[str]: ...
    def day(self, on: date) -> list[str]: ...
    def full_date(self, on: date) -> list[str]: ...
    def moment(self, at: datetime) -> list[str]: ...
    def duration(self, seconds: int) -> list[str]: ...
    def money(self, whole: int, parts: int, currency: Currency) -> list[str]: ...


_GRAMMARS: Final[dict[str, _Grammar]] = {"en": english, "ru": russian}
_NOUNS: Final = {
    "message", "new-message", "saved-message", "call", "caller", "person", "agent", "second",
    "minute", "hour", "day-count",
}  # fmt: skip
_SIGNS: Final = {"*": "star", "#": "hash", "+": "plus", "-": "minus", ".": "point"}
_INFLECTED: Final = re.compile(r"(number|ordinal)(?:-([fn]))?(-gen)?")
LARGEST: Final = 10**12 - 1


def say(kind: str, value: str, language: str) -> list[str]:
    """Names of the prompts that speak `value`; see the module's table of kinds."""
    grammar = _GRAMMARS.get(language)
    if grammar is None:
        raise SayError(f"no grammar for language {language!r}; there are {', '.join(_GRAMMARS)}")
    try:
        return _say(grammar, kind, value.strip())
    except (ValueError, InvalidOperation) as error:
        if isinstance(error, SayError):
            raise
        raise SayError(f"{value!r} cannot be spoken as {kind}: {error}") from None


def _say(grammar: _Grammar, kind: str, value: str) -> list[str]:
    if inflected := _INFLECTED.fullmatch(kind):
        return _inflected(grammar, inflected, _whole(value))
    if kind in _NOUNS:
        return grammar.count(_whole(value), kind.removesuffix("-count"))
    match kind:
        case "digits" | "letters":
            return [_sign(sign) for sign in value if not sign.isspace()]
        case "time":
            return grammar.time_of_day(_time(value))
        case "date":
            return grammar.full_date(datetime.fromisoformat(value).date())
        case "day":
            return grammar.day(datetime.fromisoformat(value).date())
        case "datetime":
            return grammar.moment(datetime.fromisoformat(value))
        case "duration":
            return grammar.duration(_whole(value))
        case "money":
            return _money(grammar, value)
    raise SayError(f"nothing is known of how to say {kind!r}")


def _inflected(grammar: _Grammar, kind: re.Match[str], number: int) -> list[str]:
    gender, case = kind[2] or "m", "gen" if kind[3] else "nom"
    if kind[1] == "ordinal":
        return grammar.ordinal(number, gender=gender, case=case)
    spoken = grammar.cardinal(abs(number), gender=gender, case=case)
    return ["minus", *spoken] if number < 0 else spoken


def _whole(value: str) -> int:
    number = int(value)
    if abs(number) > LARGEST:
        raise SayError(f"{value} is too large to be spoken")
    return number


def _sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isascii() and sign.isalnum():
        return f"number-{sign}" if sign.isdigit() else f"letter-{sign.lower()}"
    raise SayError(f"there is no prompt for the sign {sign!r}")


def _time(value: str) -> time:
    return datetime.fromisoformat(value).time() if "T" in value else time.fromisoformat(value)


def _money(grammar: _Grammar, value: str) -> list[str]:
    amount, _, code = value.partition(" ")
    currency = CURRENCIES.get(code.upper())
    if currency is None:
        raise SayError(f"currency {code!r} is not known; there are {', '.join(CURRENCIES)}")
    hundredths = int(abs(Decimal(amount)).scaleb(2).to_integral_value())
    if hundredths > LARGEST:
        raise SayError(f"{value} is too large to be spoken")
    spoken = grammar.money(*divmod(hundredths, 100), currency)
    return ["minus", *spoken] if Decimal(amount) < 0 else spoken
