"""Callbacks that people promise: who calls whom back, until when (D3, O8).

An attendant files one for a colleague; it is closed by a call of his to that number that is
answered, or by hand.  All of them outlive a restart.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from config.numbers import e164
from softswitch.calls.leg import Leg

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

SPACE = "errands"
KEPT = 30 * 86400.0
"""How long one that is closed can still be seen, in seconds."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One call to be made.  Times are epoch seconds."""

    id: str
    owner: str
    """The extension that shall call."""
    number: str
    note: str = ""
    by: str = ""
    """Who filed it."""
    made_at: float = 0.0
    due: float | None = None
    closed_at: float | None = None
    call: str | None = None
    """The call that closed it."""


class Errands:
    """All of them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        switch.watchers.append(self._on_leg)

    def file(
        self, owner: str, number: str, *, note: str = "", by: str = "", due: float | None = None
    ) -> Errand:
        """Have `owner` call `number`."""
        self.tidy()
        made = Errand(secrets.token_hex(4), owner, number, note, by, time.time(), due)
        self._keep(made)
        self._switch.tell("errand.filed", **asdict(made))
        return made

    def all(self, owner: str | None = None, *, closed: bool = False) -> list[Errand]:
        """Open ones, and closed ones too if asked for; those due first come first."""
        kept = self._switch.store.state.space(SPACE).values()
        found = [Errand(**each) for each in kept]
        wanted = [
            each
            for each in found
            if owner in (None, each.owner) and (closed or each.closed_at is None)
        ]
        return sorted(wanted, key=lambda each: (each.due or float("inf"), each.made_at))

    def close(self, errand_id: str, call: str | None = None) -> Errand | None:
        """It is done; None where there is no such errand."""
        kept = self._switch.store.state.get(SPACE, errand_id)
        if kept is None:
            return None
        done = replace(Errand(**kept), closed_at=time.time(), call=call)
        self._keep(done)
        self._switch.tell("errand.closed", **asdict(done))
        return done

    def tidy(self) -> None:
        """Forget those that were closed long ago."""
        least = time.time() - KEPT
        for each in self.all(closed=True):
            if each.closed_at is not None and each.closed_at < least:
                self._switch.store.state.remove(SPACE, each.id)

    def _keep(self, errand: Errand) -> None:
        self._switch.store.state.set(SPACE, errand.id, asdict(errand))

    def _on_leg(self, leg: Leg) -> None:
        """Somebody has answered: was he to be called?"""
        call = leg.call
        if leg.incoming or not leg.answered or leg.ended or call is None:
            return
        if not self._switch.store.state.space(SPACE):
            return
        for each in self.all(call.leg.owner) if call.leg.owner is not None else ():
            if self._same(each.number, call.dialled):
                call.record.event("errand", errand=each.id)
                self.close(each.id, call.id)

    def _same(self, one: str, other: str) -> bool:
        if one == other or self._switch.plan.target(one) or self._switch.plan.target(other):
            return one == other
        country = self._switch.settings.switch.country
        return e164(one, country) is not None and e164(one, country) == e164(other, country)
