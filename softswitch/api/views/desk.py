"""The attendant's desk (D1, D3, D7): colleagues, groups, what is done to calls, callbacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

from config.groups import Group
from softswitch.api import desk_models as models
from softswitch.api.view import RefusedError, UnknownError
from softswitch.calls.call import Call
from softswitch.pbx import commands, presence, wishes
from softswitch.pbx.group import has_joined, set_joined
from softswitch.pbx.reach import member_target
from softswitch.pbx.recalls import LIFE, For
from softswitch.pbx.switch import Switch
from softswitch.store.ringing import rung

_WAITS_FOR: Mapping[For, Literal["trunk", "colleague"]] = {
    For.TRUNK: "trunk",
    For.PERSON: "colleague",
}
_NUMBER = re.compile(r"\+?[0-9*#]{1,24}", re.ASCII)


class Desk:
    """Over the switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    # -- colleagues ------------------------------------------------------------------

    def extensions(self) -> list[models.Extension]:
        return [self._extension(number) for number in self._switch.settings.extensions]

    def command_extension(self, number: str, verb: models.ExtensionVerb, to: str | None) -> None:
        if number not in self._switch.settings.extensions:
            raise UnknownError("extension", number)
        state = self._switch.store.state
        match verb:
            case "forward" if not to or to == number:
                raise RefusedError("say where to: another number", status=422)
            case "forward" if not self._is_dialable(to):
                raise RefusedError(f"{to!r} is no number that a phone could dial", status=422)
            case "forward":
                wishes.forward_always(number, to, state)
            case "forward-off":
                wishes.forward_always(number, None, state)
            case _:
                wishes.do_not_disturb(number, verb == "dnd-on", state)
                self._switch.subscriptions.changed(presence.EVENT, number)

    def _is_dialable(self, number: str | None) -> bool:
        known = number in self._switch.settings.extensions
        return known or _NUMBER.fullmatch(number or "") is not None

    def _extension(self, number: str) -> models.Extension:
        switch, wished = self._switch, self._switch.wishes(number)
        legs = switch.legs.get(number, ())
        return models.Extension(
            number=number,
            name=switch.settings.extensions[number].name,
            state=self._state_of(number),
            phones=len(switch.locations.of(number)),
            do_not_disturb=wished.do_not_disturb,
            forward=[str(target) for target in wished.always],
            calls=[leg.call.id for leg in legs if leg.call is not None],
        )

    def _state_of(self, number: str) -> models.ExtensionState:
        legs = self._switch.legs.get(number, ())
        if any(leg.answered for leg in legs):
            return "held" if all(leg.held for leg in legs if leg.answered) else "talking"
        if legs:
            return "ringing"
        return "free" if self._switch.registered(number) else "away"

    # -- groups ----------------------------------------------------------------------

    def groups(self) -> list[models.HuntGroup]:
        return [self._group(name, group) for name, group in self._switch.settings.groups.items()]

    def command_group(self, group: str, member: str, verb: models.GroupVerb) -> None:
        if member not in self._members(group):
            raise UnknownError(f"member of group {group} called", member)
        set_joined(self._switch, member, verb == "join")

    async def report(
        self, group: str, since: float | None, until: float | None
    ) -> list[models.Ringing]:
        members = self._members(group)
        found = await rung(await self._switch.store.search(), group, since, until)
        answers = sum(each.answered for each in found.values()) or 1
        return [
            models.Ringing(
                member=number,
                share=round(found[number].answered / answers, 3),
                **found[number]._asdict(),
            )
            for number in members
            if number in found
        ]

    def _members(self, group: str) -> list[str]:
        settings = self._switch.settings.groups.get(group)
        if settings is None:
            raise UnknownError("group", group)
        return [member_target(each).name for each in settings.members]

    def _group(self, name: str, group: Group) -> models.HuntGroup:
        state, people = self._switch.store.state, self._switch.settings.extensions
        members = [
            models.GroupMember(
                number=number,
                joined=has_joined(state, number),
                state=self._state_of(number) if number in people else "outside",
            )
            for number in self._members(name)
        ]
        return models.HuntGroup(name=name, number=group.number, ring=group.ring, members=members)

    # -- calls -----------------------------------------------------------------------

    def transfer(self, call: str, to: str, by: str | None) -> str:
        found = self._find(call)
        try:
            whose = commands.transfer(self._switch, found, to, by)
        except commands.CommandError as error:
            raise RefusedError(str(error)) from error
        return f"{whose}'s party in call {found.id} goes to {to}"

    def record(self, call: str, verb: models.RecordingVerb) -> str:
        found = self._find(call)
        try:
            commands.record(self._switch, found, verb)
        except commands.CommandError as error:
            raise RefusedError(str(error)) from error
        return f"call {found.id}: recording {verb}"

    def _find(self, beginning: str) -> Call:
        found = [call for name, call in self._switch.calls.items() if name.startswith(beginning)]
        if len(found) != 1:
            raise UnknownError("call, or more than one, that begins with", beginning)
        return found[0]

    # -- who waits to be rung back ---------------------------------------------------

    def recalls(self) -> list[models.Recall]:
        waiting = [
            models.Recall(waits_for=what, until=wish.since + LIFE, **wish._asdict())
            for kind, what in _WAITS_FOR.items()
            for wish in self._switch.recalls.wishes(kind)
        ]
        return sorted(waiting, key=lambda each: each.since)

    def cancel_recalls(self, extension: str) -> None:
        if not self._switch.recalls.forget(extension):
            raise UnknownError("recall of extension", extension)

    # -- callbacks -------------------------------------------------------------------

    def errands(self, owner: str | None, closed: bool) -> list[models.Errand]:
        found = self._switch.errands.all(owner, closed=closed)
        return [models.Errand(**asdict(each)) for each in found]

    def file_errand(self, wish: models.ErrandWish) -> models.Errand:
        if wish.owner not in self._switch.settings.extensions:
            raise UnknownError("extension", wish.owner)
        made = self._switch.errands.file(
            wish.owner, wish.number, note=wish.note, by=wish.by, due=wish.due
        )
        return models.Errand(**asdict(made))

    def close_errand(self, errand: str) -> models.Errand:
        done = self._switch.errands.close(errand)
        if done is None:
            raise UnknownError("callback", errand)
        return models.Errand(**asdict(done))
