"""Other B2BUAs: Asterisk (C) with its own registrar and digest, sippy (Python) with neither.

Each answers on the loopback on the measured core, with settings that have nothing to do but calls.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cores import MEASURED
from bench.rig import place
from bench.servers import AGENTS, CALLEES, CALLERS, Server
from tests.interop.ports import free_ports
from tests.interop.process import Child

_HERE = Path(__file__).parent
CONFIGURATION = _HERE / "asterisk"
_PLACES = f"{_HERE.parent / 'out' / 'sippy' / 'bin'}:{os.environ['PATH']}:/usr/sbin"
"""`make peers` gives sippy a Python environment of its own."""
PEOPLE = (*CALLERS, *CALLEES, *AGENTS)


def program(name: str) -> str | None:
    """Where a peer's program is, if it is installed."""
    return shutil.which(name, path=_PLACES)


def has_asterisk() -> bool:
    return program("asterisk") is not None


def has_sippy() -> bool:
    return program("b2bua_simple") is not None


@contextmanager
def asterisk(folder: Path) -> Iterator[Server]:
    """Asterisk with chan_pjsip, our extensions and passwords, and no call records."""
    folder.mkdir(parents=True)
    port, found = free_ports(), program("asterisk")
    assert found is not None, "make peers installs asterisk where the distribution has it"
    for path in CONFIGURATION.glob("*.conf"):
        text = path.read_text().replace("FOLDER", str(folder)).replace("PORT", str(port))
        people = "".join(map(_endpoint, PEOPLE)) if path.stem == "pjsip" else ""
        (folder / path.name).write_text(text + people)
    words = [found, "-f", "-C", str(folder / "asterisk.conf")]
    with Child(words, folder / "log") as child:
        child.wait_for_output("Asterisk Ready", 30.0)
        place(child.pid, MEASURED)
        yield Server("asterisk", port, 0, [child.pid], [])


def _endpoint(user: str) -> str:
    return (
        f"\n[{user}](phone)\nauth = {user}\naors = {user}\n"
        f"[{user}]\ntype = auth\nusername = {user}\npassword = secret-{user}\n"
        f"[{user}]\ntype = aor\nmax_contacts = 50\n"
    )


@contextmanager
def sippy(folder: Path, phones: int) -> Iterator[Server]:
    """sippy's simple B2BUA, which asks nobody for a password and sends all to the port `phones`."""
    folder.mkdir(parents=True)
    port, caller, found = free_ports(), free_ports(), program("b2bua_simple")
    assert found is not None, "make peers installs sippy"
    words = [found, "-f", "-l", "127.0.0.1", "-p", str(port), "-n", f"127.0.0.1:{phones}"]
    quiet = {"SIPLOG_BEND": "none", "SIPLOG_LVL": "CRIT"}
    with Child(words, folder / "log", env=quiet) as child:
        table, line = Path("/proc/net/udp"), f":{port:04X} "
        child.until(lambda: line in table.read_text(), "a listening sippy", 20.0)
        place(child.pid, MEASURED)
        yield Server("sippy", port, caller, [child.pid], [])
