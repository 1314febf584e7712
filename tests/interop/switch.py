"""Our switch as its owner starts it: a real process, a real settings file, real sockets."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit

from config.example import office
from tests.interop.phones.account import Account
from tests.interop.ports import free_ports, media_range
from tests.interop.process import Child

DOMAIN = "office.test"
READY, DRAIN = 60.0, 30.0
"""Seconds within which it must be ready, and gone."""


class Switch(Child):
    """`softswitch run` with a settings file of its own.

    `settings` is what the test is about: TOML without [switch], [sip], [media] and [api], which
    are written here, with the lines `switch`, `sip` and `media` more; extensions 101 to 10N have
    the passwords `secret-101` ….
    """

    patience = DRAIN
    domain = DOMAIN
    program: tuple[str, ...] = ("-m", "softswitch")

    def __init__(
        self,
        folder: Path,
        settings: str = "",
        *,
        extensions: int = 4,
        transports: str = "udp tcp",
        switch: str = "",
        sip: str = "",
        media: str = "",
        drain: float = 1.0,
        ports: int = 300,
        port: int | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, port or free_ports(2)
        self.tls_port, self.http_port = self.port + 1, free_ports()
        self.settings = folder / "settings.toml"
        self.settings.write_text(
            self._head(transports, switch, sip, media, drain, ports) + people(extensions) + settings
        )
        self.start()

    def start(self) -> None:
        """Start it, or start it again once it is gone."""
        super().__init__(
            [sys.executable, *self.program, "run", "--config", self.settings],
            self.folder / "log",
            env={"PYTHONUNBUFFERED": "1"},
        )

    def _head(
        self, transports: str, switch: str, sip: str, media: str, drain: float, ports: int
    ) -> str:
        listen = [
            f"{transport}:{host}:{self.tls_port if transport == 'tls' else self.port}"
            for transport in transports.split()
            for host in ("127.0.0.1", "[::1]")
        ]
        low, high = media_range(ports)
        return f"""
[switch]
domain = "{DOMAIN}"
data = "data"
drain = {drain}
{switch}
[sip]
listen = {listen}
{sip}
[media]
address = "127.0.0.1"
address6 = "::1"
ports = "{low}-{high}"
{media}
[api]
listen = "127.0.0.1:{self.http_port}"
[log]
format = "json"
"""

    def ready(self) -> None:
        self.wait_for_output("ready udp:", READY)

    def account(self, user: str, transport: str = "udp", host: str = "127.0.0.1") -> Account:
        port = self.tls_port if transport == "tls" else self.port
        return Account(user, f"secret-{user}", host, port, transport)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`softswitch WORDS` against this switch."""
        return subprocess.run(
            [sys.executable, "-m", "softswitch", *words, "--config", self.settings],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def kill(self) -> None:
        """As the power fails: no farewell."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()

    def tracebacks(self) -> list[str]:
        return [line for line in self.output().splitlines() if "Traceback (most recent" in line]


def people(count: int) -> str:
    """Extensions 101, 102, … of class "staff", which may dial inside."""
    tables = [
        f'[extensions.{number}]\nname = "Phone {number}"\npassword = "secret-{number}"\n'
        'class = "staff"\n'
        for number in range(101, 101 + count)
    ]
    return "[classes.staff]\n" + "".join(tables)


class ExampleOffice(Switch):
    """The example office as it ships, with passwords and ports of its own, and two media engines,
    so that transfers, conferences and queues join callers of both.

    `changes`: TOML laid over it, table by table and key by key.
    """

    domain = "office.example"

    def __init__(self, folder: Path, changes: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port, self.http_port = folder, free_ports(), free_ports()
        low, high = media_range()
        own = {
            "switch": {"data": "data", "drain": 1.0},
            "sip": {"listen": [f"udp:127.0.0.1:{self.port}", f"tcp:127.0.0.1:{self.port}"]},
            "media": {"address": "127.0.0.1", "ports": f"{low}-{high}", "workers": 2},
            "api": {"listen": f"127.0.0.1:{self.http_port}"},
            "log": {"format": "json"},
        }
        self.tables = tomlkit.parse(office())
        for table in (own, tomllib.loads(changes)):
            _lay_over(self.tables, table)
        self.settings = folder / "settings.toml"
        self.lay_over("")
        self.start()

    def lay_over(self, changes: str) -> None:
        """Write the settings that it began with, and these over them; to be reloaded."""
        tables = tomlkit.parse(tomlkit.dumps(self.tables))
        _lay_over(tables, tomllib.loads(changes))
        self.settings.write_text(tomlkit.dumps(tables))

    def account(self, user: str, transport: str = "udp", host: str = "127.0.0.1") -> Account:
        password = str(self.tables.unwrap()["extensions"][user]["password"])
        return Account(user, password, host, self.port, transport)

    def pin(self, user: str) -> str:
        """Of the voicemail box of an extension."""
        return str(self.tables.unwrap()["extensions"][user]["pin"])


def _lay_over(tables: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(tables.get(key), MutableMapping):
            _lay_over(tables[key], value)
        else:
            tables[key] = value


@contextmanager
def running(
    folder: Path,
    settings: str = "",
    *,
    transports: str = "udp tcp",
    switch: str = "",
    sip: str = "",
    media: str = "",
    extensions: int = 4,
    ports: int = 300,
    port: int | None = None,
) -> Iterator[Switch]:
    """A switch that is ready; at the end it must go at SIGTERM with code 0 and without a crash."""
    office = Switch(
        folder,
        settings,
        extensions=extensions,
        transports=transports,
        switch=switch,
        sip=sip,
        media=media,
        ports=ports,
        port=port,
    )
    with serving(office):
        yield office


@contextmanager
def serving(switch: Switch) -> Iterator[None]:
    """From `ready` to its end at SIGTERM, which must be a clean one."""
    try:
        switch.ready()
        yield
    finally:
        code = switch.stop()
    assert not switch.tracebacks(), switch.tail(80)
    assert code == 0, f"exit code {code}\n{switch.tail()}"


def told(switch: Switch, *words: str) -> Any:
    """What a command says with --json."""
    answer = switch.command(*words, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
