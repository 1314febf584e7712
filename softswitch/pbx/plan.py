"""The number plan: what a dialled number means inside the office.

Built once for each set of settings; a look-up is one dictionary access for whole numbers
and a walk over the few codes that take a number at once (`*72102`).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from config.codes import TAKE_NUMBER
from config.numbers import e164
from config.settings import Settings
from config.targets import NUMBERED, Kind, Target


class Code(NamedTuple):
    """A feature code and the number dialled right behind it ("" if none)."""

    name: str
    """As in `[codes]`; also `slot` (a park slot's number) and `mode:NAME`."""
    number: str


class Plan:
    """What numbers mean."""

    def __init__(self, settings: Settings) -> None:
        self._targets = dict(_targets(settings))
        self._codes = dict(_codes(settings))
        codes = {name: getattr(settings.codes, name, "") for name in TAKE_NUMBER}
        self._taking = [(code, name) for name, code in codes.items() if code]
        self._taking.sort(key=lambda pair: -len(pair[0]))
        self._country = settings.switch.country
        full = ((e164(number, self._country), number) for number in settings.lines)
        self._lines: dict[str | None, str] = {
            _with_other_plus(each): each for each in settings.lines
        }
        self._lines |= {form: number for form, number in full if form}
        self._lines |= {number: number for number in settings.lines}

    @property
    def inside(self) -> Mapping[str, Target]:
        """Every place inside by its number."""
        return self._targets

    def target(self, number: str) -> Target | None:
        """The place inside that `number` reaches."""
        return self._targets.get(number)

    def line(self, called: str, country: str | None = None) -> str | None:
        """The line that the world called, as its table names it, in whatever form it was sent.

        `country`: in whose form, where that is not the switch's own.
        """
        return self._lines.get(called) or self._lines.get(e164(called, country or self._country))

    def code(self, dialled: str) -> Code | None:
        """The feature that `dialled` asks for."""
        if (name := self._codes.get(dialled)) is not None:
            return Code(name, dialled if name == "slot" else "")
        for code, name in self._taking:
            if dialled.startswith(code) and len(dialled) > len(code):
                return Code(name, dialled[len(code) :])
        return None


def _with_other_plus(number: str) -> str:
    """`+74951234567` for `74951234567` and the reverse: one number, whatever the country."""
    return number[1:] if number.startswith("+") else f"+{number}"


def _targets(settings: Settings) -> Iterator[tuple[str, Target]]:
    for table, kind in NUMBERED.items():
        for name, entry in getattr(settings, table).items():
            if entry.number:
                yield entry.number, Target(kind, name)
    for number in settings.extensions:
        yield number, Target(Kind.EXTENSION, number)


def _codes(settings: Settings) -> Iterator[tuple[str, str]]:
    for slot in settings.park.slots.numbers():
        yield slot, "slot"
    for name, mode in settings.modes.items():
        if mode.code:
            yield mode.code, f"mode:{name}"
    for name in type(settings.codes).model_fields:
        if code := getattr(settings.codes, name):
            yield code, name
