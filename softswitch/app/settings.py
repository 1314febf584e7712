"""From the settings file's words to what each part wants.  Pure."""

from __future__ import annotations

from pydantic import SecretStr

from config.settings import Settings
from media.settings import MediaSettings
from softswitch.sip.guard import GuardLimits
from softswitch.sip.registrar import RegistrarLimits
from softswitch.sip.settings import UaSettings
from softswitch.sip.timers import Timers
from softswitch.transport.limits import Limits

EVERYBODY = ("0.0.0.0/0", "::/0")
UNRELIABLE = tuple(tag for tag in UaSettings.supported if tag != "100rel")


def media_settings(settings: Settings) -> MediaSettings:
    media = settings.media
    return MediaSettings(
        address=media.address,
        address6=media.address6,
        ports=(media.ports.low, media.ports.high),
        workers=media.workers,
        backend=media.backend.value,
        dscp=media.tos >> 2,
        jitter=media.jitter,
    )


def ua_settings(settings: Settings) -> UaSettings:
    sip = settings.sip
    return UaSettings(
        timers=Timers(sip.timers.t1, sip.timers.t2, sip.timers.t4),
        product=sip.product,
        session_expires=sip.session_expires or 0,
        min_se=sip.min_session_expires,
        symmetric=sip.nat,
        supported=UNRELIABLE if sip.reliable == "off" else UaSettings.supported,
        requires_reliable=sip.reliable == "require",
    )


def registrar_limits(settings: Settings) -> RegistrarLimits:
    sip = settings.sip
    return RegistrarLimits(sip.min_expires, sip.max_expires, sip.default_expires)


def guard_limits(settings: Settings) -> GuardLimits:
    guard = settings.guard
    return GuardLimits(
        slow_after=guard.slow_after,
        silence_after=guard.silence_after,
        silence=guard.silence,
        flood_rate=guard.flood_rate,
        flood_burst=guard.flood_burst,
    )


def trusted(settings: Settings) -> tuple[str, ...]:
    """Networks that the guard leaves alone; all, where it is switched off."""
    guard = settings.guard
    return tuple(map(str, guard.trusted)) if guard.enabled else EVERYBODY


def stream_limits(settings: Settings) -> Limits:
    streams = settings.sip.streams
    return Limits(
        connections=streams.connections,
        unread=streams.unread_bytes,
        header=streams.header_bytes,
        body=streams.body_bytes,
        message_time=streams.message_time,
        handshake_time=streams.handshake_time,
        idle_time=streams.idle_time,
    )


def revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
