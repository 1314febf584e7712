"""Which backend runs: the one asked for, or the best that this kernel permits."""

from __future__ import annotations

from media.backends import Backend, uring
from media.backends.epoll import EpollBackend
from media.backends.sockets import Sockets
from media.settings import MediaSettings


def choose(settings: MediaSettings, sockets: Sockets, control: int) -> tuple[Backend, str]:
    """A backend, and a sentence for the log when it is not the best that there is.

    Raises OSError where io_uring was asked for by name and is not to be had.
    """
    note = ""
    if settings.backend != "epoll":
        try:
            uring.probe()
            return uring.UringBackend(sockets, control, settings.gather), ""
        except OSError as error:
            if settings.backend == "io_uring":
                raise
            note = f"io_uring is not to be had here ({error.strerror or error}): epoll runs instead"
    return EpollBackend(sockets, control, settings.gather), note
