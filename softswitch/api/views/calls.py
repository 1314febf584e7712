"""Phones and calls as the API shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from softswitch.api import models
from softswitch.api.view import RefusedError, UnknownError
from softswitch.calls.call import Call
from softswitch.calls.errors import Refused
from softswitch.calls.leg import Leg
from softswitch.pbx.originate import NoPhoneError, originate
from softswitch.pbx.switch import Switch
from softswitch.store.search import Search


class Calls:
    """Over the switch and its registrar."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    @property
    def zone(self) -> tzinfo:
        return self._switch.settings.switch.zone

    def registrations(self) -> list[models.Registration]:
        locations, domain = self._switch.locations, self._switch.settings.switch.domain
        epoch = locations.epoch
        return [
            models.Registration(
                aor=f"sip:{binding.aor}@{domain}",
                extension=binding.aor,
                contact=binding.uri,
                transport=binding.flow.transport if binding.flow else "",
                address=_text(binding.flow.remote) if binding.flow else "",
                expires_at=binding.expires_at + epoch,
                user_agent=binding.user_agent or None,
                path=list(binding.path),
            )
            for binding in locations.registrar
        ]

    def calls(self) -> list[models.Call]:
        return [_call(call) for call in self._switch.calls.values()]

    def hang_up(self, call: str) -> str:
        found = self._find(call)
        found.end()
        return found.id

    async def originate(self, caller: str, to: str) -> str:
        try:
            return originate(self._switch, caller, to).id
        except NoPhoneError as error:
            raise RefusedError(str(error)) from error
        except Refused as refusal:
            raise RefusedError(str(refusal), status=503) from refusal

    async def search(self) -> Search:
        return await self._switch.store.search()

    def _find(self, beginning: str) -> Call:
        found = [call for name, call in self._switch.calls.items() if name.startswith(beginning)]
        if len(found) > 1:
            raise RefusedError(f"{len(found)} calls begin with {beginning}; say more of the id")
        if not found:
            raise UnknownError("call", beginning)
        return found[0]


def _call(call: Call) -> models.Call:
    leg = call.leg
    return models.Call(
        id=call.id,
        state=_state_of(call),
        caller=leg.party.number,
        caller_name=leg.party.name or None,
        dialled=call.dialled,
        began_at=leg.times.began,
        answered_at=leg.times.answered,
        doing=call.doing or None,
        legs=[_leg(each) for each in call.legs],
    )


def _state_of(call: Call) -> str:
    """`routing`, `ringing` before the answer; after it `served` (by us), `talking` or `held`."""
    if not call.leg.answered:
        return "ringing" if call.leg.times.rang else "routing"
    answered = [leg for leg in call.legs if leg.answered and not leg.ended]
    if any(leg.held for leg in answered):
        return "held"
    return "talking" if len(answered) > 1 else "served"


def _leg(leg: Leg) -> models.Leg:
    state, since = list(_moments(leg))[-1]
    flow = leg.session.flow
    return models.Leg(
        id=leg.id,
        party=leg.party.number,
        state=state,
        since=since,
        address=_text(flow.remote) if flow else None,
        codec=leg.codec.name if leg.codec else None,
        sip_call_id=leg.session.call_id,
    )


def _moments(leg: Leg) -> Iterator[tuple[str, float]]:
    """What the leg has been, each with its beginning."""
    times = leg.times
    yield "begun", times.began
    if times.rang is not None:
        yield "ringing", times.rang
    if times.answered is not None:
        yield "answered", times.answered
    if leg.held:
        yield "held", times.hold_began or times.began


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
