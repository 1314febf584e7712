"""What an owner types into a phone, in the words of the phones' own forms."""

import socket
from pathlib import Path

from config import Settings, examine
from config.addresses import is_loopback, join_host_port
from softswitch.cli.client import fail

PREFERENCE = ("udp", "tcp", "tls")


def accounts(path: Path, number: str = "") -> list[dict[str, str]]:
    """One row an extension: number, name, server, user, password."""
    settings, problems = examine(path)
    if settings is None:
        fail("\n".join(str(problem) for problem in problems if not problem.warning), code=2)
    if number and number not in settings.extensions:
        fail(f'there is no extension "{number}" in {path}')
    server = registrar(settings)
    return [
        {
            "username": name,
            "display_name": extension.name,
            "password": extension.password.get_secret_value() if extension.password else "(ha1)",
            "server": server,
            "transport": transports(settings),
        }
        for name, extension in settings.extensions.items()
        if number in ("", name)
    ]


def registrar(settings: Settings) -> str:
    """host:port that phones register at: the address that others reach, if any does."""
    listens = sorted(
        (listen for listen in settings.sip.listen if listen.transport in PREFERENCE),
        key=lambda listen: (is_loopback(listen.host), PREFERENCE.index(listen.transport)),
    )
    if not listens:
        return settings.switch.domain
    host, port = listens[0].host, listens[0].port
    if host in ("0.0.0.0", "::"):
        host = settings.sip.external or own_address()
    return join_host_port(host, port)


def transports(settings: Settings) -> str:
    return ", ".join(dict.fromkeys(listen.transport.upper() for listen in settings.sip.listen))


def own_address() -> str:
    """This machine's address in its network; the loopback's where it has none.

    Connecting a UDP socket sends nothing: it only asks the kernel for the route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address that nobody has
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
