"""How phones are asked to open their loudspeaker at once, in the words of their makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.extensions import Extension
from softswitch.calls.dial import Place
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch


def headers(domain: str) -> list[tuple[str, str]]:
    """All of them; a phone reads its own and passes over the others."""
    return [
        ("Call-Info", f"<sip:{domain}>;answer-after=0"),  # Snom, Cisco, Yealink, Fanvil, Gigaset
        ("Alert-Info", f"<http://{domain}>;info=alert-autoanswer;delay=0"),  # Grandstream, Aastra
        ("Alert-Info", "Auto Answer"),  # Polycom
        ("Answer-Mode", "Auto"),  # RFC 5373
        ("P-Auto-Answer", "normal"),  # RFC 5373's forerunner
    ]


def loudspeakers(
    switch: Switch, number: str, caller: Leg | None, *, shown: Party | None = None
) -> list[Place]:
    """The phones of an extension, to be opened; none where it does not wish that."""
    person = switch.settings.extensions.get(number)
    if person is None or not person.auto_answer:
        return []
    asked = headers(switch.settings.switch.domain)
    return switch.phones(number, caller, shown=shown, headers=asked)


def may_be_opened(switch: Switch, number: str, person: Extension, *, interrupt: bool) -> bool:
    """Whether nobody is disturbed who talks or wants peace."""
    if switch.wishes(number).do_not_disturb:
        return False
    return switch.may_ring(number, person) if interrupt else not switch.busy(number)
