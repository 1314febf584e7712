"""Where legs come from: the SIP user agent, the media engine and our own addresses together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from media.client import Media, Player
from media.items import Tone
from media.tones import tone_country
from softswitch.calls.leg import Leg, ignore
from softswitch.calls.party import Party
from softswitch.calls.profile import Profile
from softswitch.sdp import Codec, SessionDescription
from softswitch.sip.callee import Callee
from softswitch.sip.exchange import Credentials
from softswitch.sip.headers import quote
from softswitch.sip.resumed import Resumed, owed
from softswitch.sip.types import Destination
from softswitch.sip.ua import UserAgent
from softswitch.sip.uri import SipUri

Headers = Sequence[tuple[str, str]]
MediaAddress = Callable[[Destination], str]
"""The IP literal that a peer there should send sound to."""


class Switchboard:
    """Makes legs.  One for the whole switch.

    `on_leg` is told whenever a leg begins to ring, is answered, held, resumed or over.
    """

    def __init__(
        self, ua: UserAgent, media: Media, media_address: MediaAddress, domain: str
    ) -> None:
        self.ua, self.media, self.media_address, self.domain = ua, media, media_address, domain
        self.country = tone_country(None)
        self.on_leg: Callable[[Leg], None] = ignore

    @property
    def ringback(self) -> Player:
        """The tone of the country; one player for all who hear it."""
        tone = Tone("ringback", self.country)
        return self.media.player(tone, loop=True, shared=f"ringback {self.country}")

    def receive(self, session: Callee, profile: Profile, party: Party) -> Leg:
        """The leg of an incoming call.  Raises SdpError if its offer cannot be answered."""
        body = session.remote_sdp
        offer = SessionDescription.parse(body) if body is not None else None
        address = self.media_address(session.flow)
        leg = Leg(self, address, profile, party, incoming=True)
        leg.session = session
        leg.sound.remote_offer = offer
        session.on_event = leg.on_sip
        leg.sound.examine_offer()
        return leg

    def resume(self, facts: Mapping[str, Any], address: str, profile: Profile, party: Party) -> Leg:
        """The leg of a call that was answered before a restart, `facts` as `written` gave them.

        Whether the party is still there, an offer to it shows.  Raises ParseError, KeyError,
        TypeError or ValueError for facts that are none.
        """
        leg = Leg(self, address, profile, party, incoming=not facts["initiator"])
        leg.session = Resumed(self.ua, facts, leg.on_sip)
        leg.answered = True
        leg.times.answer()
        return leg

    def ring_on(self, facts: Mapping[str, Any], profile: Profile, party: Party) -> Leg:
        """The leg of a call that came before a restart and was not answered, `facts` as
        `written_invite` gave them.  Raises as `resume` and `receive` do."""
        return self.receive(owed(self.ua, facts), profile, party)

    def place(
        self,
        uri: str,
        destination: Destination,
        *,
        caller: Party,
        party: Party,
        profile: Profile,
        prefer: tuple[Codec, ...] = (),
        routes: Sequence[str] = (),
        headers: Headers = (),
        from_host: str | None = None,
        credentials: Credentials | None = None,
        beside: Leg | None = None,
        max_forwards: int = 70,
    ) -> Leg:
        """Call `party` at `uri`, showing `caller`; the new leg, whose INVITE is on its way.

        `prefer` are the codecs of whom it will be joined with; `beside` shares an engine;
        `max_forwards` bounds the switches that the call may still go through.
        """
        leg = Leg(self, self.media_address(destination), profile, party, incoming=False)
        if beside is not None:
            leg.sound.beside = beside.sound
        leg.session = self.ua.invite(
            uri=uri,
            target=destination,
            from_=name_addr(caller, from_host or self.domain),
            to=f"<{uri.partition(';')[0]}>",
            routes=tuple(routes),
            headers=headers,
            sdp=leg.sound.offer(prefer),
            credentials=credentials,
            on_event=leg.on_sip,
            max_forwards=max_forwards,
        )
        return leg


def name_addr(party: Party, host: str) -> str:
    """`"Name" <sip:number@host>`."""
    name = f"{quote(party.name)} " if party.name else ""
    return f"{name}<{SipUri('sip', party.number, host)}>"
