"""Conference rooms with somebody in them, as the API shows and steers them."""

from __future__ import annotations

from softswitch.api import models
from softswitch.api.view import UnknownError
from softswitch.pbx.rooms import Member, Room
from softswitch.pbx.switch import Switch


class Conferences:
    """Over the rooms in progress."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def conferences(self) -> list[models.Conference]:
        return [_conference(room) for room in self._switch.rooms]

    def command_member(self, conference: str, leg: str, verb: models.MemberVerb) -> None:
        room = self._switch.rooms.get(conference)
        if room is None:
            raise UnknownError("conference with somebody in it called", conference)
        member = next((each for each in room.members if each.leg.id == leg), None)
        if member is None:
            raise UnknownError(f"member of {conference} called", leg)
        if verb == "kick":
            room.kick(member)
        else:
            room.mute(member, verb == "mute")


def _conference(room: Room) -> models.Conference:
    return models.Conference(
        name=room.name,
        locked=room.locked,
        limit=room.settings.max_members,
        members=[_member(member) for member in room.members],
    )


def _member(member: Member) -> models.Member:
    return models.Member(
        leg=member.leg.id,
        party=member.leg.party.number,
        muted=member.muted,
        moderator=member.moderator,
        since=member.since,
    )
