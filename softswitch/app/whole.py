"""The switch on one page, as the API shows it, and the commands that concern all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Literal

from config import ConfigError
from config.problems import dotted
from media.client import Media
from softswitch.api import models
from softswitch.api.events import Event, Hub
from softswitch.api.metrics import Metric
from softswitch.api.view import RefusedError, UnknownError
from softswitch.app.metrics import Meters
from softswitch.app.reload import Reload
from softswitch.app.signalling import Signalling
from softswitch.app.tracing import Tracing
from softswitch.pbx import modes
from softswitch.pbx.carrier import Carrier
from softswitch.pbx.inbound import calls_of
from softswitch.pbx.switch import Switch
from softswitch.sip.guard import State, Suspect

FATAL = frozenset({"media"})
"""Alarms with which no call can be served."""


class Whole:
    """Over all parts; `listening` are the addresses that answer, ours of HTTP among them."""

    def __init__(
        self,
        switch: Switch,
        signalling: Signalling,
        media: Media,
        meters: Meters,
        tracing: Tracing,
        reload: Reload,
    ) -> None:
        self._switch, self._signalling, self._media = switch, signalling, media
        self._meters, self._tracing, self._reload = meters, tracing, reload
        self._started_at = time.time()
        self.events = Hub(switch.settings.api.events_kept)
        self.listening: list[str] = []

    @property
    def trace(self) -> Hub:
        return self._tracing.hub

    def passed(self, extension: str | None) -> Sequence[Event]:
        return self._tracing.passed(extension)

    def health(self) -> models.Health:
        return models.Health(state=self._state())

    def status(self) -> models.Status:
        switch = self._switch
        return models.Status(
            version=version("softswitch"),
            state=self._state(),
            domain=switch.settings.switch.domain,
            started_at=self._started_at,
            mode=modes.current(switch.settings, switch.store.state, time.time()),
            listening=self.listening,
            media=self._media.backend,
            usage=self._usage(),
            trunks=[_trunk(carrier) for carrier in switch.trunks],
            lines=[self._line(number) for number in switch.settings.lines],
            suspects=self.suspects(),
            alarms=[models.Alarm(**alarm._asdict()) for alarm in switch.alarms],
        )

    async def metrics(self) -> Sequence[Metric]:
        return await self._meters.read()

    async def reload(self) -> models.Reloaded:
        try:
            return models.Reloaded(changes=await self._reload())
        except ConfigError as error:
            raise RefusedError("\n".join(map(str, error.problems))) from error

    def settings(self, key: str) -> models.EffectiveSettings:
        everything = self._switch.settings.model_dump(mode="json", by_alias=True)
        found = {
            name: value
            for name, value in _flat(everything)
            if not key or name == key or name.startswith(f"{key}.")
        }
        if not found:
            raise UnknownError("setting", key)
        return models.EffectiveSettings(settings=found)

    def suspects(self) -> list[models.Suspect]:
        epoch = self._switch.locations.epoch
        found = self._signalling.guard.status(time.time() - epoch)
        return [_suspect(each, epoch) for each in found]

    def lift(self, source: str) -> None:
        if not self._signalling.guard.lift(source):
            raise UnknownError("source", source)

    def _state(self) -> Literal["ready", "draining", "failing"]:
        if self._switch.draining:
            return "draining"
        fatal = any(alarm.name in FATAL for alarm in self._switch.alarms)
        return "failing" if fatal else "ready"

    def _line(self, number: str) -> models.Line:
        line = self._switch.settings.lines[number]
        used = calls_of(self._switch, number)
        return models.Line(
            number=number, name=line.name, channels=models.Usage(used=used, limit=line.channels)
        )

    def _usage(self) -> dict[str, models.Usage]:
        switch, limits = self._switch, self._switch.settings.limits
        used, ports = self._media.usage
        bound = len(switch.locations.registrar)
        present = sum(map(switch.registered, switch.settings.extensions))
        channels = [carrier.trunk.channels for carrier in switch.trunks]
        most = sum(filter(None, channels)) if None not in channels else None
        in_use = sum(carrier.used for carrier in switch.trunks)
        return {
            "calls": models.Usage(used=len(switch.calls), limit=limits.calls),
            "legs": models.Usage(used=switch.leg_count, limit=limits.legs),
            "extensions": models.Usage(used=present, limit=len(switch.settings.extensions)),
            "channels": models.Usage(used=in_use, limit=most),
            "registrations": models.Usage(used=bound, limit=limits.registrations),
            "ports": models.Usage(used=used, limit=ports),
        }


def _trunk(carrier: Carrier) -> models.Trunk:
    return models.Trunk(
        name=carrier.name,
        state=carrier.state,
        channels=models.Usage(used=carrier.used, limit=carrier.trunk.channels),
        registered_until=carrier.registered_until,
    )


def _suspect(suspect: Suspect, epoch: float) -> models.Suspect:
    return models.Suspect(
        source=suspect.source,
        state=suspect.state.value,
        why="too many messages" if suspect.state is State.FLOODING else "wrong passwords",
        failures=suspect.failures,
        dropped=suspect.dropped,
        until=None if suspect.until is None else suspect.until + epoch,
    )


def _flat(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything in a table; what is absent has no value."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, (*path, name))
        elif value is not None:
            yield dotted(*path, name), value
