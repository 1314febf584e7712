"""Classes of service: what may be dialled, by whom, and through which trunks (P27, P30, P31).

A number belongs to the destination with the longest matching prefix; what belongs to none
is allowed by `anywhere` only.  Decides, and says why in a sentence; what a barred caller
hears is another's affair.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from config.extensions import Extension
from config.lines import ANYWHERE, ClassOfService
from config.numbers import e164
from config.settings import Settings
from softswitch.pbx.peers import Phone

if TYPE_CHECKING:
    from softswitch.calls.call import Call

NOTHING_OUTSIDE = ClassOfService()
"""The class of those who have none: our own numbers only."""


class Payer(NamedTuple):
    """In whose name a call goes out: an extension, or the line it came in by."""

    name: str
    """The extension's number, or the line's."""
    class_name: str | None
    class_: ClassOfService
    extension: Extension | None = None

    @property
    def trunks(self) -> tuple[str, ...]:
        """What he may seize, in his order."""
        own = self.extension.trunks if self.extension is not None else None
        return self.class_.trunks if own is None else own


class Bar(Enum):
    """Whether a number may be dialled."""

    OPEN = "open"
    BY_PIN = "barred, but the PIN opens it"
    SHUT = "barred"


class Verdict(NamedTuple):
    """What a class says of a number."""

    bar: Bar
    destination: str | None
    """Where the number leads; None where no prefix fits."""
    why: str


def payer_of(settings: Settings, call: Call) -> Payer:
    """Whose rights a call to the outside uses.

    Who forwarded or transferred it pays, the last one first; else the extension that
    dials; else the line that was called.
    """
    for number in [number for number, _ in reversed(call.diversions)] + [call.leg.owner or ""]:
        person = settings.extensions.get(number)
        if person is not None:
            return of_extension(settings, number, person)
    line = settings.lines.get(call.line or "")
    name = line.class_ if line is not None else None
    return Payer(call.line or "", name, settings.classes.get(name or "", NOTHING_OUTSIDE))


def of_extension(settings: Settings, number: str, person: Extension) -> Payer:
    """An extension's own rights."""
    name = person.class_
    return Payer(number, name, settings.classes.get(name or "", NOTHING_OUTSIDE), person)


def of_class(settings: Settings, name: str, class_name: str | None) -> Payer:
    """The rights of one who is no extension, such as an agent outside or a queue that calls."""
    return Payer(name, class_name, settings.classes.get(class_name or "", NOTHING_OUTSIDE))


def may_use(settings: Settings, phone: Phone, code: str) -> bool:
    """Whether the extension's class lets it dial this feature code."""
    allowed = of_extension(settings, phone.number, phone.extension).class_.features
    return allowed is None or code in allowed


def destination_of(settings: Settings, number: str) -> str | None:
    """The destination whose prefix fits longest: as dialled, else in the form +E.164."""
    full = e164(number, settings.switch.country)
    for form in (number, full):
        fits = [
            (len(prefix), name)
            for name, prefixes in settings.destinations.items()
            for prefix in prefixes
            if form is not None and form.startswith(prefix)
        ]
        if fits:
            return max(fits)[1]
    return None


def judge(settings: Settings, payer: Payer, number: str) -> Verdict:
    """Whether `payer` may dial `number`."""
    found = destination_of(settings, number)
    allowed, name = payer.class_, payer.class_name or "no class"
    where = found or "no known destination"
    if found is not None and found in allowed.barred:
        return _barred(payer, found, f"{where} is barred for {name}")
    if found is not None and found in allowed.dial:
        return Verdict(Bar.OPEN, found, f"{where} is open to {name}")
    if ANYWHERE in allowed.dial:
        return Verdict(Bar.OPEN, found, f"{name} may dial anywhere")
    return _barred(payer, found, f"{where} is not among what {name} may dial")


def _barred(payer: Payer, destination: str | None, why: str) -> Verdict:
    opens = destination is not None and destination in payer.class_.override
    has_pin = payer.extension is not None and payer.extension.pin is not None
    if opens and has_pin:
        return Verdict(Bar.BY_PIN, destination, f"{why}, but the PIN opens it")
    return Verdict(Bar.SHUT, destination, why)
