"""Conference rooms with somebody in them, as the API shows and steers them."""

from __future__ import annotations

from softswitch.api import models
from softswitch.api.desk_models import RoomVerb
from softswitch.api.view import RefusedError, UnknownError
from softswitch.pbx.rooms import Member, Room
from softswitch.pbx.seat import record, try_to_invite
from softswitch.pbx.switch import Switch


class Conferences:
    """Over the rooms in progress."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def conferences(self) -> list[models.Conference]:
        return [_conference(room) for room in self._switch.rooms]

    def command_room(self, conference: str, verb: RoomVerb, number: str | None) -> None:
        room = self._room(conference)
        match verb:
            case "lock" | "unlock":
                room.locked = verb == "lock"
            case "mute" | "unmute":
                room.mute_all(verb == "mute")
            case "record" if not room.is_recorded:
                record(self._switch, room)
            case "stop-recording":
                room.stop_recording()
            case "invite":
                if not number:
                    raise RefusedError("say whom to invite", status=422)
                self._switch.spawn(try_to_invite(self._switch, room, number))
            case "end":
                room.end()

    def command_member(self, conference: str, leg: str, verb: models.MemberVerb) -> None:
        room = self._room(conference)
        named = (each for each in room.members if leg in (each.leg.id, each.leg.party.number))
        member = next(named, None)
        if member is None:
            raise UnknownError(f"member of {conference} called", leg)
        if verb == "kick":
            room.kick(member)
        else:
            room.mute(member, verb == "mute")

    def _room(self, conference: str) -> Room:
        room = self._switch.rooms.get(conference)
        if room is None:
            raise UnknownError("conference with somebody in it called", conference)
        return room


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
