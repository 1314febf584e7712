"""What a busy lamp is told: the calls of an extension, or one that stands for something else.

Writes `application/dialog-info+xml` (RFC 4235).  Knows legs; refuses to know who watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from softswitch.calls.leg import Leg
from softswitch.sip.uri import SipUri

CONTENT_TYPE = "application/dialog-info+xml"
IDLE, RINGING, TALKING = "terminated", "early", "confirmed"
"""The states that phones show as dark, blinking and lit."""
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Lamp(NamedTuple):
    """One dialog of a document; `leg` is the call that it is, None for a slot, queue or mode."""

    state: str
    leg: Leg | None = None


def lamps_of(legs: Iterable[Leg]) -> list[Lamp]:
    """An extension's lamps: one for each call that it is in."""
    return [Lamp(state_of(leg), leg) for leg in legs if not leg.ended]


def state_of(leg: Leg) -> str:
    """As the phone sees its own dialog; one that still dials is shown as trying."""
    if leg.answered:
        return TALKING
    return "trying" if leg.incoming else RINGING


def document(number: str, domain: str, lamps: Sequence[Lamp], version: int) -> bytes:
    """The whole state of `number`; without calls one dialog that is over, or lamps stay lit."""
    entity = str(SipUri("sip", number, domain))
    dialogs = [_dialog(number, entity, domain, lamp) for lamp in lamps or (Lamp(IDLE),)]
    text = (
        f'{_HEAD}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" '
        f'state="full" entity={quoteattr(entity)}>\n{"".join(dialogs)}</dialog-info>\n'
    )
    return text.encode("utf-8", "replace")


def _dialog(number: str, entity: str, domain: str, lamp: Lamp) -> str:
    if lamp.leg is None:
        return f"<dialog id={quoteattr(number)}><state>{lamp.state}</state></dialog>\n"
    leg = lamp.leg
    direction = "initiator" if leg.incoming else "recipient"
    other = str(SipUri("sip", _other(leg), domain))
    name = _other_name(leg)
    return (
        f'<dialog id="{leg.id}"{_identity(leg)} direction="{direction}">'
        f"<state>{lamp.state}</state>"
        f"<local><identity>{escape(entity)}</identity><target uri={quoteattr(entity)}/></local>"
        f"<remote><identity display={quoteattr(name)}>{escape(other)}</identity>"
        f"<target uri={quoteattr(other)}/></remote></dialog>\n"
    )


def _identity(leg: Leg) -> str:
    """The dialog as the phone knows it, for INVITE with Replaces (RFC 4235 §4.1.2)."""
    dialog = leg.session.dialog
    if dialog is None:
        return ""
    names = ("call-id", "local-tag", "remote-tag")
    values = (dialog.call_id, dialog.remote_tag, dialog.local_tag)
    return "".join(f" {name}={quoteattr(value)}" for name, value in zip(names, values, strict=True))


def _other(leg: Leg) -> str:
    """With whom: who calls, or what was dialled."""
    call = leg.call
    if call is None:
        return "anonymous"
    return call.dialled if call.leg is leg else call.leg.party.number


def _other_name(leg: Leg) -> str:
    call = leg.call
    return "" if call is None or call.leg is leg else call.leg.party.name
