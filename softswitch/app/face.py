"""The outside: HTTP on a Unix socket and on TCP, with a view of every part."""

from __future__ import annotations

import ssl
from typing import Any

from config.settings import Settings
from softswitch.api.application import create_api
from softswitch.api.server import ApiServer
from softswitch.api.view import Views
from softswitch.api.views.calls import Calls
from softswitch.api.views.centre import Centre
from softswitch.api.views.conferences import Conferences
from softswitch.api.views.desk import Desk
from softswitch.api.views.modes import Modes
from softswitch.api.views.park import Park
from softswitch.api.views.routes import Routes
from softswitch.api.views.statistics import Statistics
from softswitch.api.views.voicemail import Voicemail
from softswitch.app.settings import revealed
from softswitch.app.whole import Whole
from softswitch.pbx.switch import Switch
from softswitch.store.voicemail import VoiceMessage


class Face:
    """Shows one switch, and tells what happens in it."""

    def __init__(self, switch: Switch, whole: Whole) -> None:
        self._switch, self._whole = switch, whole
        self._api = switch.settings.api
        self._phones: dict[str, int] = {}
        self.views = Views(
            whole=whole,
            calls=Calls(switch),
            modes=Modes(switch),
            centre=Centre(switch),
            voicemail=Voicemail(switch),
            conferences=Conferences(switch),
            park=Park(switch),
            desk=Desk(switch),
            routes=Routes(switch),
            statistics=Statistics(switch),
        )
        application = create_api(
            self.views, revealed(self._api.token), request_time=self._api.request_time
        )
        self._server = ApiServer(application, [whole.events, whole.trace])
        switch.on_event = whole.events.publish
        switch.store.records.on_event = self._on_call
        switch.locations.watchers.append(self._on_phone)
        switch.parking.watchers.append(self._on_slot)
        switch.mailroom.on_message.append(self._on_message)

    async def listen(self, settings: Settings) -> list[str]:
        """Open the Unix socket and, if wanted, TCP; the addresses.  Raises ListenError."""
        path = settings.switch.socket
        await self._server.listen_unix(path)
        where = [f"unix:{path}"]
        if self._api.listen != "off":
            tls = self._tls()
            host, port = await self._server.listen_tcp(*self._api.listen, tls)
            scheme = "http" if tls is None else "https"
            where.append(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        return where

    async def close(self) -> None:
        await self._server.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self._api.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._api.certificate, self._api.key)
        return context

    def _on_call(self, kind: str, data: dict[str, Any]) -> None:
        self._whole.events.publish(f"call.{kind}", data)

    def _on_message(self, message: VoiceMessage) -> None:
        told = {"message": message.id, "box": message.box, "caller": message.caller}
        self._switch.tell("voicemail.left", **told, seconds=message.seconds)

    def _on_slot(self, slot: str) -> None:
        parked = self._switch.parking.get(slot)
        if parked is None:
            self._switch.tell("park.left", slot=slot)
        else:
            self._switch.tell("park.taken", slot=slot, call=parked.call.id, by=parked.by)

    def _on_phone(self, extension: str) -> None:
        """Phones that come and go; those that only stay are not told of."""
        phones = len(self._switch.locations.of(extension))
        if phones != self._phones.get(extension, 0):
            self._phones[extension] = phones
            self._switch.tell("registration.changed", extension=extension, phones=phones)
