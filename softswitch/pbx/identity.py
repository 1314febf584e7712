"""Whom the world sees calling: number, name, privacy, who sent the call on (A14, RFC 3323, 3325).

Knows caller-id rules of extensions and trunks and the headers that carry identities.
Refuses to know whether the call may be made.
"""

from __future__ import annotations

from typing import NamedTuple

from config.settings import Settings
from softswitch.calls.call import Call
from softswitch.calls.party import ANONYMOUS, Party
from softswitch.calls.switchboard import name_addr
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.classes import Payer
from softswitch.pbx.numbers import formatted

NOWHERE = "anonymous.invalid"
"""Host of one who does not say who he is (RFC 3323 §4.1.1.3)."""

_CAUSES = {"busy": 486, "no-answer": 408, "unregistered": 480, "always": 302, "deflection": 302}
"""Why a call was sent on, as History-Info tells it (RFC 7044, RFC 4458)."""
_DIVERSIONS = {"busy": "user-busy", "no-answer": "no-answer", "unregistered": "unavailable"}
"""The same in Diversion (RFC 5806 §4); all others are unconditional."""


class Identity(NamedTuple):
    """What an INVITE says of its caller."""

    caller: Party
    """In From."""
    host: str
    headers: list[tuple[str, str]]


def identity(
    settings: Settings, call: Call, payer: Payer, carrier: Carrier, dialled: str
) -> Identity:
    """Who calls `dialled`, as `carrier` is to be told."""
    trunk = carrier.trunk
    number = shown_number(settings, call, payer, carrier)
    name = call.leg.party.name if trunk.trusted else ""
    caller = Party(number, name)
    hidden = trunk.privacy or _hides(call, payer)
    headers = _diverted(settings, call, carrier, dialled)
    if trunk.trusted and number:
        headers.append(("P-Asserted-Identity", name_addr(caller, carrier.host)))
    if not hidden:
        return Identity(caller, carrier.host, headers)
    headers.append(("Privacy", "id"))
    return Identity(ANONYMOUS, NOWHERE, headers)


def shown_number(settings: Settings, call: Call, payer: Payer, carrier: Carrier) -> str:
    """The caller's number: by force the trunk's, else his own from outside, else his
    extension's, the called line's, the trunk's."""
    trunk, country = carrier.trunk, carrier.trunk.country or settings.switch.country
    if trunk.force_caller_id and trunk.caller_id:
        return trunk.caller_id
    outside = call.leg.owner is None and call.leg.party.number != ANONYMOUS.number
    own = payer.extension.caller_id if payer.extension is not None else None
    default = trunk.caller_id or trunk.username
    if outside:
        return formatted(call.leg.party.number, trunk.format, country)
    return own or call.line or default or payer.name or call.leg.party.number


def _hides(call: Call, payer: Payer) -> bool:
    if call.leg.owner is None:
        return call.leg.party.number == ANONYMOUS.number
    return payer.extension is not None and payer.extension.hide_caller_id


def _diverted(
    settings: Settings, call: Call, carrier: Carrier, dialled: str
) -> list[tuple[str, str]]:
    """Who sent the call on: Diversion with the latest first, History-Info with the first."""
    if not call.diversions:
        return []
    steps = [(_known_outside(settings, number, carrier), why) for number, why in call.diversions]
    headers = [
        (
            "Diversion",
            f"<sip:{number}@{carrier.host}>;reason={_DIVERSIONS.get(why, 'unconditional')}",
        )
        for number, why in reversed(steps)
    ]
    numbers = [*(number for number, _ in steps), dialled]
    causes = ["", *(f";cause={_CAUSES.get(why, 302)}" for _, why in steps)]
    history = [
        f"<sip:{number}@{carrier.host}{cause}>;index=1{'.1' * depth}"
        for depth, (number, cause) in enumerate(zip(numbers, causes, strict=True))
    ]
    return [*headers, ("History-Info", ", ".join(history))]


def _known_outside(settings: Settings, number: str, carrier: Carrier) -> str:
    """An extension's number as the world knows it."""
    person = settings.extensions.get(number)
    own = person.caller_id if person is not None else number
    return own or carrier.trunk.caller_id or carrier.trunk.username or number
