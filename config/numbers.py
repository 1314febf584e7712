"""The one form in which telephone numbers are compared: +E.164.

Knows numbering plans of countries (phonenumbers).
"""

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


@lru_cache(maxsize=8192)
def e164(number: str, country: str | None) -> str | None:
    """`number` as +E.164, read as one dialled in `country`; None where it is no whole number.

    A number of a provider that leaves the plus away (`74951234567`) is understood as well.
    """
    parsed = _parse(number, country)
    if parsed is None and country is not None and number.isdigit():
        parsed = _parse(f"+{number}", country)
    if parsed is None:
        return None
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


def _parse(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    written_out = text.startswith("+")  # then a block of numbers too new to be known may be meant
    check = phonenumbers.is_possible_number if written_out else phonenumbers.is_valid_number
    return parsed if check(parsed) else None
