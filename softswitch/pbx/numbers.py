"""Forms of a telephone number: as dialled, as a trunk wants it; and the rules that rewrite it.

Knows numbering plans of countries (phonenumbers).  Refuses to know who dials and where to;
callers keep numbers of their own office and emergency numbers away from it, since a number
plan would find a country for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

from config.numbers import e164
from config.trunks import Rewrite, Trunk

_NOT_DIALLED = re.compile(r"[^0-9+*#]")
_SEPARATORS = re.compile(r"[-.()\s]")
_LOOKS_DIALLED = re.compile(r"[+*#0-9]")


def as_dialled(user: str) -> str:
    """The number in the user part of a URI, visual separators taken out (RFC 3966 §5.1.1)."""
    user = user.partition(";")[0]  # number;phone-context=…
    return _SEPARATORS.sub("", user) if _LOOKS_DIALLED.match(user) else user


@lru_cache(maxsize=8192)
def formatted(number: str, form: str, country: str | None) -> str:
    """`number` in one of the forms of `[trunks.NAME] format`; as it is where that cannot be."""
    if form == "as-dialled":
        return number
    full = e164(number, country)
    if full is None:
        return number
    if form == "e164":
        return full
    if form == "e164-without-plus":
        return full[1:]
    return _national(full, country)


def rewritten(number: str, rules: Iterable[Rewrite]) -> str:
    """`number` by the first rule that fits it."""
    for rule in rules:
        if (changed := rule.apply(number)) is not None:
            return changed
    return number


def sent_to(trunk: Trunk, number: str, country: str | None) -> str:
    """What is dialled through `trunk` to reach `number`."""
    return rewritten(
        formatted(number, trunk.format, trunk.country or country), trunk.rewrite_called
    )


def _national(full: str, country: str | None) -> str:
    """As somebody in `country` dials it; abroad that is with the prefix that leads there."""
    parsed = phonenumbers.parse(full)
    if country is None:
        form = PhoneNumberFormat.NATIONAL
        return _NOT_DIALLED.sub("", phonenumbers.format_number(parsed, form))
    text = phonenumbers.format_out_of_country_calling_number(parsed, country)
    return _NOT_DIALLED.sub("", text)
