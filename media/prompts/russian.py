"""Russian: numbers, counts, times and dates as names of prompts, with gender and case.

A noun after a number has three forms: 1 минута (one), 2 минуты (few), 5 минут (many).
"""

from datetime import date, datetime, time
from typing import Final

from media.prompts.words import Currency, clock_parts, thousands

_GENDERS: Final = {
    "second": "f",
    "minute": "f",
    "kopeck": "f",
    "thousand": "f",
    "message": "n",
    "new-message": "n",
    "saved-message": "n",
}
"""Of nouns that are not masculine."""


def cardinal(number: int, *, gender: str = "m", case: str = "nom") -> list[str]:
    """2021, feminine: две тысячи двадцать одна.  Cases: nom, gen, acc (of inanimate nouns)."""
    if not number:
        return [_inflected("number-0", "m", case)]
    names: list[str] = []
    for group, scale in thousands(number):
        if group > 1 or not scale:  # "тысяча", not "одна тысяча"
            names += _group(group, _GENDERS.get(scale, "m") if scale else gender, case)
        if scale:
            names.append(f"{scale}-{_form(group, case)}")
    return names


def ordinal(number: int, *, gender: str = "m", case: str = "nom") -> list[str]:
    """Only the last word is an ordinal: две тысячи двадцать шестой.

    Round thousands above 2000, which nobody counts by, are spoken as cardinals.
    """
    last = _last_word(number)
    if not last:
        return cardinal(number, gender=gender, case=case)
    suffix = "-gen" if case == "gen" else {"f": "-f", "n": "-n"}.get(gender, "")
    before = cardinal(number - last) if number > last else []
    return [*before, f"ordinal-{last}{suffix}"]


def count(number: int, noun: str, *, case: str = "nom") -> list[str]:
    """Одно сообщение, две минуты, пять звонков; нет сообщений."""
    spoken = cardinal(number, gender=_GENDERS.get(noun, "m"), case=case) if number else ["no"]
    return [*spoken, f"{noun}-{_form(number, case, noun)}"]


def time_of_day(at: time) -> list[str]:
    """Twenty-four hours: пятнадцать часов одна минута."""
    return _time(at, "nom")


def day(on: date) -> list[str]:
    """Вторник, двадцать четвёртое ноября."""
    return [f"weekday-{on.isoweekday()}", *ordinal(on.day, gender="n"), f"month-{on.month}"]


def full_date(on: date) -> list[str]:
    """Двадцать четвёртое ноября две тысячи двадцать шестого года."""
    year = [*ordinal(on.year, case="gen"), "year-gen"]
    return [*ordinal(on.day, gender="n"), f"month-{on.month}", *year]


def moment(at: datetime) -> list[str]:
    """When something was: двадцать четвёртого ноября в пятнадцать часов одну минуту."""
    day_of_month = [*ordinal(at.day, case="gen"), f"month-{at.month}"]
    return [*day_of_month, "at", *_time(at.time(), "acc")]


def duration(seconds: int) -> list[str]:
    """Две минуты пять секунд."""
    return [name for number, noun in clock_parts(seconds) for name in _amount(number, noun)]


def money(whole: int, parts: int, currency: Currency) -> list[str]:
    """Двенадцать рублей пятьдесят копеек."""
    spoken = _amount(whole, currency.whole) if whole or not parts else []
    return spoken + (_amount(parts, currency.part) if parts else [])


def _amount(number: int, noun: str, case: str = "nom") -> list[str]:
    """As `count`, but zero is a number: ноль секунд."""
    return count(number, noun, case=case) if number else ["number-0", f"{noun}-many"]


def _time(at: time, case: str) -> list[str]:
    if not at.minute and at.hour % 12 == 0:
        return ["noon" if at.hour else "midnight"]
    hours = _amount(at.hour, "hour", case)
    return [*hours, *(_amount(at.minute, "minute", case) if at.minute else [])]


def _form(number: int, case: str, noun: str = "") -> str:
    """Which form of a noun follows the number."""
    if number % 10 == 1 and number % 100 != 11:
        if case == "gen":
            return "few"  # одной минуты: the genitive singular sounds as after two
        return "acc" if case == "acc" and noun in ("minute", "second") else "one"
    if case != "gen" and number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return "few"
    return "many"


def _group(number: int, gender: str, case: str) -> list[str]:
    """1 … 999."""
    rest = number % 100
    parts = [number - rest, rest] if rest <= 20 else [number - rest, rest // 10 * 10, rest % 10]
    names = [f"number-{part}" for part in parts if part]
    return [_inflected(name, gender, case) for name in names]


def _inflected(name: str, gender: str, case: str) -> str:
    """The form that agrees; only one and two have genders, and only the feminine one four cases."""
    if case == "gen":
        return "number-1-f-gen" if (name, gender) == ("number-1", "f") else f"{name}-gen"
    if (name, gender, case) == ("number-1", "f", "acc"):
        return "number-1-f-acc"
    if (name == "number-1" and gender in "fn") or (name == "number-2" and gender == "f"):
        return f"{name}-{gender}"
    return name


def _last_word(number: int) -> int:
    """The part that becomes an ordinal: 2026 → 6, 1911 → 11, 140 → 40, 2000; 0 if there is none."""
    if number in (1000, 2000):
        return number
    rest = number % 100
    if not rest:
        return number % 1000
    return rest if rest <= 20 or rest % 10 == 0 else rest % 10
