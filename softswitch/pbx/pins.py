"""Who may open a voicemail box: its pin, as set in the settings or changed by phone.

Wrong pins are counted by box over all calls, so that nobody tries them all by calling again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from softswitch.pbx.boxes import box_view

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

CHANGED = "voicemail-pins"
"""Where in the store pins lie that were changed by phone: salt and hash, in hexadecimal."""
WRONG = "voicemail-wrong-pins"
MOST_WRONG = 20
"""Wrong pins in a row after which a box opens from its own phone only, until its owner did so."""


async def is_pin(switch: Switch, box: str, pin: str) -> bool:
    """Whether `pin` opens `box`; a box that does not exist, or has none, looks just the same."""
    state = switch.store.state
    wrong = int(state.get(WRONG, box, 0))
    view = box_view(switch.settings, box)
    if view is None or wrong >= MOST_WRONG:
        return False
    changed = state.get(CHANGED, box)
    if changed is not None:
        right = hmac.compare_digest(await _hashed(pin, changed["salt"]), changed["hash"])
    else:
        right = view.pin is not None and hmac.compare_digest(view.pin, pin)
    if right:
        state.remove(WRONG, box)
    else:
        state.set(WRONG, box, wrong + 1)
    return right


async def change_pin(switch: Switch, box: str, pin: str) -> None:
    """From now on `pin` opens `box`, whatever the settings say."""
    salt = secrets.token_hex(16)
    switch.store.state.set(CHANGED, box, {"salt": salt, "hash": await _hashed(pin, salt)})
    forgive(switch, box)


def forgive(switch: Switch, box: str) -> None:
    """Its owner was there: wrong pins are counted anew."""
    switch.store.state.remove(WRONG, box)


async def _hashed(pin: str, salt: str) -> str:
    """Slow on purpose, so in a thread."""
    made = await asyncio.to_thread(
        hashlib.scrypt, pin.encode(), salt=bytes.fromhex(salt), n=2**12, r=8, p=1
    )
    return made.hex()
