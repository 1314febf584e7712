"""English: numbers, counts, times and dates as names of prompts."""

from datetime import date, datetime, time

from media.prompts.words import Currency, clock_parts, thousands


def cardinal(number: int, *, gender: str = "m", case: str = "nom") -> list[str]:
    """2105: two thousand, one hundred and five."""
    if not number:
        return ["number-0"]
    names: list[str] = []
    for group, scale in thousands(number):
        if names and not scale and group < 100:
            names.append("and")
        names += _group(group)
        if scale:
            names.append(scale)
    return names


def ordinal(number: int, *, gender: str = "m", case: str = "nom") -> list[str]:
    """The last word of the cardinal is the one that changes."""
    *first, last = cardinal(number)
    return [*first, f"ordinal-{last.removeprefix('number-')}"] if number else [last]


def count(number: int, noun: str) -> list[str]:
    """One message, three messages, no messages."""
    form = "one" if number == 1 else "many"
    return [*(cardinal(number) if number else ["no"]), f"{noun}-{form}"]


def time_of_day(at: time) -> list[str]:
    """Twelve hours: three oh five P M; midnight and noon by name."""
    if not at.minute and at.hour % 12 == 0:
        return ["noon" if at.hour else "midnight"]
    minutes = ["oh"] * (0 < at.minute < 10) + (cardinal(at.minute) if at.minute else [])
    return [*cardinal(at.hour % 12 or 12), *minutes, "pm" if at.hour >= 12 else "am"]


def day(on: date) -> list[str]:
    """Tuesday, November twenty-fourth."""
    return [f"weekday-{on.isoweekday()}", *_day_of_month(on)]


def full_date(on: date) -> list[str]:
    """November twenty-fourth, twenty twenty-six."""
    return [*_day_of_month(on), *_year(on.year)]


def moment(at: datetime) -> list[str]:
    """November twenty-fourth at three oh five P M."""
    return [*_day_of_month(at), "at", *time_of_day(at.time())]


def duration(seconds: int) -> list[str]:
    """Two minutes and five seconds."""
    spoken = [[*cardinal(n), *count(n, noun)[-1:]] for n, noun in clock_parts(seconds)]
    return _joined(spoken)


def money(whole: int, parts: int, currency: Currency) -> list[str]:
    """Twelve dollars and fifty cents."""
    spoken = [[*cardinal(whole), *count(whole, currency.whole)[-1:]]] if whole or not parts else []
    if parts:
        spoken.append(count(parts, currency.part))
    return _joined(spoken)


def _joined(spoken: list[list[str]]) -> list[str]:
    if len(spoken) > 1:
        spoken.insert(-1, ["and"])
    return [name for names in spoken for name in names]


def _day_of_month(on: date) -> list[str]:
    return [f"month-{on.month}", *ordinal(on.day)]


def _year(year: int) -> list[str]:
    """1905: nineteen oh five; 2005: two thousand and five; 2026: twenty twenty-six."""
    century, rest = divmod(year, 100)
    if year % 1000 < 10 or not 1000 <= year < 10000:
        return cardinal(year)
    if not rest:
        return [*cardinal(century), "hundred"]
    return [*cardinal(century), *(["oh"] if rest < 10 else []), *cardinal(rest)]


def _group(number: int) -> list[str]:
    """1 … 999."""
    hundreds, rest = divmod(number, 100)
    names = [f"number-{hundreds}", "hundred"] if hundreds else []
    if hundreds and rest:
        names.append("and")
    if rest > 20 and rest % 10:
        return [*names, f"number-{rest // 10 * 10}", f"number-{rest % 10}"]
    return [*names, f"number-{rest}"] if rest else names
