"""The servers whose signalling is measured, each on the measured core with an exact account of CPU.

Knows how each is started and what its settings are; refuses to know what load they get.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.cores import MEASURED
from bench.rig import place
from tests.interop.ports import free_ports, is_free
from tests.interop.process import Child

PEOPLE = 100
"""Extensions that call, and as many that are called."""
CALLERS = [str(1001 + number) for number in range(PEOPLE)]
CALLEES = [str(3001 + number) for number in range(PEOPLE)]
AGENTS = [str(5001 + number) for number in range(50)]
QUEUE = "7000"
_DESCRIPTORS = 15_000
"""Sockets that one engine may have open; two of them are a port pair."""

_SETTINGS = """
[switch]
domain = "office.test"
data = "data"
drain = 0.1
[sip]
listen = ["udp:127.0.0.1:{port}"]
[media]
address = "127.0.0.1"
ports = "{low}-{high}"
workers = {workers}
silence = 0
[api]
listen = "127.0.0.1:{http}"
[log]
format = "json"
level = "warning"
[guard]
flood_rate = 1e6
flood_burst = 1000000
[limits]
calls = 20000
[trunks.crowd]
server = "sip:127.0.0.1:{caller}"
ping = 0
[classes.staff]
"""


class Spent(NamedTuple):
    """CPU seconds so far."""

    signalling: float
    media: float


class Server(NamedTuple):
    """One that runs.  Calls from the port `caller` need no password."""

    name: str
    port: int
    caller: int
    signalling: list[int]
    media: list[int]

    def spent(self) -> Spent:
        return Spent(sum(map(_cpu, self.signalling)), sum(map(_cpu, self.media)))

    def memory(self) -> int:
        """Octets of memory that signalling has for itself alone."""
        return sum(psutil.Process(pid).memory_full_info().uss for pid in self.signalling)


def _cpu(pid: int) -> float:
    """CPU seconds of a process with all its threads, in the kernel's nanoseconds.

    The clock of another process is named by its number (clock_getcpuclockid(3)).
    """
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def switch(folder: Path, *, extensions: int = 0, pairs: int = 1000) -> Iterator[Server]:
    """Our switch with so many extensions more, and ports for so many legs."""
    folder.mkdir(parents=True)
    workers = 1 + 2 * pairs // _DESCRIPTORS  # each engine has a limit of its own
    port, caller, low = free_ports(), free_ports(), _media_ports(2 * pairs)
    text = _SETTINGS.format(
        port=port,
        caller=caller,
        http=free_ports(),
        low=low,
        high=low + 2 * pairs - 1,
        workers=workers,
    )
    (folder / "settings.toml").write_text(text + "".join(_people(extensions)) + _queue())
    words = [sys.executable, "-m", "softswitch", "run", "--config", str(folder / "settings.toml")]
    with Child(words, folder / "log", env={"PYTHONUNBUFFERED": "1"}) as child:
        child.patience = 20.0
        child.wait_for_output("ready udp:", 60.0)
        engines = [each.pid for each in psutil.Process(child.pid).children()]
        for pid in (child.pid, *engines):
            place(pid, MEASURED)
        yield Server("switch", port, caller, [child.pid], engines)


def _media_ports(count: int) -> int:
    """The first of so many neighbouring ports that nobody seems to use."""
    return next(
        first
        for first in range(20_000, 65_000 - count, 1000)
        if all(is_free("127.0.0.1", port) for port in range(first, first + count, 500))
    )


def _people(more: int) -> Iterator[str]:
    for number in (*CALLERS, *CALLEES, *AGENTS, *extra(more)):
        yield (
            f'[extensions.{number}]\nname = "Phone {number}"\npassword = "secret-{number}"\n'
            'class = "staff"\nmax_calls = 10000\ndevices = 50\n'
        )
    for number in CALLEES:
        yield f'[lines."{number}"]\nany = "extension:{number}"\n'


def _queue() -> str:
    """One queue and its agents, each with a phone of his own."""
    tables = [
        f'[agents.a{number}]\nextension = "{number}"\nlogged_in = true\n' for number in AGENTS
    ]
    names = ", ".join(f'"a{number}"' for number in AGENTS)
    line = f'[lines."{QUEUE}"]\nany = "queue:crowd"\n'
    queue = f'[queues.crowd]\nnumber = "{QUEUE}"\nagents = [{names}]\n'
    return "".join(tables) + queue + line


def extra(count: int) -> list[str]:
    """The numbers of extensions beyond those that call and are called."""
    return [str(100_000 + number) for number in range(count)]


@contextmanager
def kamailio(folder: Path) -> Iterator[Server]:
    """The stateful proxy in C that others are compared with; one process takes all datagrams."""
    folder.mkdir(parents=True)
    port, caller = free_ports(), free_ports()
    text = (Path(__file__).parent / "peers" / "kamailio.cfg").read_text()
    config = folder / "kamailio.cfg"
    config.write_text(text.replace("PORT", str(port)).replace("CALLER", str(caller)))
    program = shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "make peers installs kamailio"
    words = [program, "-DD", "-E", "-f", str(config), "-Y", str(folder), "-m", "512"]
    with Child(words, folder / "log") as child:
        table, line = Path("/proc/net/udp"), f":{port:04X} "
        child.until(lambda: line in table.read_text(), "a listening Kamailio")
        process = psutil.Process(child.pid)
        child.until(lambda: len(process.children()) >= 3, "all processes of Kamailio")
        everybody = [child.pid, *(each.pid for each in process.children(recursive=True))]
        for pid in everybody:
            place(pid, MEASURED)
        yield Server("kamailio", port, caller, everybody, [])


def has_kamailio() -> bool:
    return shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin") is not None
