"""Where the time of calls, registrations and sound goes: py-spy beside the loads of the suite.

    python -m bench.profile [--quick] [--json]

Shares are of the samples in which the process was at work, each given to the function that was
running; what that function did in the kernel, or waited for at the disk, counts as its own.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench import crowd, rig
from bench.cores import CROWD
from bench.rig import Figures, place, report
from bench.servers import Server, switch
from bench.signalling import Load

HERTZ = 400
MOST = 12
"""Functions that are named."""
WAITING = ("_worker (", "_connection_worker_thread (", "Condition.wait ", "select (")
"""Innermost functions of threads that only wait, whatever py-spy believes."""
_SPY = shutil.which("py-spy", path=str(Path(sys.executable).parent))

SIGNALLING: dict[str, tuple[Load, float]] = {
    "call": (partial(crowd.calls, digest=False), 200.0),
    "call_through_queue": (partial(crowd.calls, digest=False, queue=True), 80.0),
    "registration": (crowd.registrations, 600.0),
}


@contextmanager
def spying(pid: int, folder: Path) -> Iterator[Path]:
    """Sample a process until the end of the `with`; the file of stacks is whole after it."""
    stacks = folder / "stacks"
    assert _SPY is not None, "py-spy comes with the extra dev"
    words = [_SPY, "record", "-p", str(pid), "-r", str(HERTZ), "-d", "3600", "-f", "raw"]
    with subprocess.Popen(
        [*words, "-o", str(stacks)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as spy:
        place(spy.pid, CROWD)
        try:
            yield stacks
        finally:
            spy.send_signal(2)  # it writes what it has
            said = spy.communicate(timeout=30)[0].decode(errors="replace")
    if not stacks.exists():
        raise RuntimeError(f"py-spy saw nothing: {said.strip()[-200:]}")


def shares(stacks: str) -> tuple[Counter[str], Counter[str]]:
    """Samples by room (`softswitch/sip`) and by function of py-spy's raw stacks.

    A line is `outermost (file:line);…;innermost (file:line) COUNT`.  What no file of ours runs is
    its caller's.
    """
    rooms: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        innermost = stack.split(";")[-1]
        if innermost.startswith(WAITING):
            continue
        functions[_without_line(innermost)] += int(count)
        ours = [frame for frame in stack.split(";") if _room(frame)]
        rooms[_room(ours[-1]) if ours else "the loop and libraries"] += int(count)
    return rooms, functions


def _without_line(frame: str) -> str:
    name, _, place = frame.partition(" (")
    file = place.partition(":")[0].rstrip(")")
    return f"{name} ({'/'.join(file.split('/')[-2:])})"


def _room(frame: str) -> str:
    """The package of ours that a frame is of, at most two deep; empty for others."""
    parts = frame.partition(" (")[2].partition(":")[0].split("/")
    for root in ("softswitch", "media", "acd", "config"):
        if root in parts and "site-packages" not in parts:
            at = parts.index(root)
            return "/".join(parts[at : min(at + 2, len(parts) - 1)]) or root
    return ""


def told(stacks: Path) -> dict[str, str]:
    """Two sentences: by room, by function."""
    rooms, functions = shares(stacks.read_text(encoding="utf-8"))
    whole = max(rooms.total(), 1)

    def sentence(found: Counter[str]) -> str:
        return ", ".join(f"{count / whole:.0%} {name}" for name, count in found.most_common(MOST))

    return {"by_room": sentence(rooms), "by_function": sentence(functions)}


def signalling(seconds: float) -> Iterator[tuple[str, dict[str, str]]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(switch(folder / "switch"))
        stack.enter_context(crowd.answering(folder / "phones", server))
        for name, (load, rate) in SIGNALLING.items():
            load(server, folder / f"{name}-before", int(rate), rate)
            yield name, _loaded(server, partial(load, server), folder / name, seconds, rate)


def _loaded(
    server: Server,
    load: Callable[[Path, int, float], object],
    folder: Path,
    seconds: float,
    rate: float,
) -> dict[str, str]:
    folder.mkdir()
    with spying(server.signalling[0], folder) as stacks:
        load(folder / "crowd", int(seconds * rate), rate)
    return told(stacks)


async def sound(seconds: float) -> list[tuple[str, dict[str, str]]]:
    """The engine: 600 relayed calls, and a room of 1000."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        for load, count in (("relay", 1200), ("room", 1000)):
            folder = Path(name) / load
            folder.mkdir()
            async with rig.engine(count) as media, rig.crowd(count) as phones:
                legs = rig.opened(media, phones)
                room = media.room()
                for one, other in zip(legs[::2], legs[1::2], strict=True):
                    if load == "relay":
                        one.hear(other)
                        other.hear(one)
                        continue
                    for leg in (one, other):
                        room.add(leg)
                        leg.hear(room)
                await legs[-1].stats()
                await rig.settle()
                with spying(media.pids[0], folder) as stacks:
                    await phones.run(media.pids[0], rig.hosts(legs), seconds)
                found.append((load, told(stacks)))
    return found


def figures(quick: bool) -> Figures:
    if _SPY is None:
        return {"py-spy": "is absent; it comes with the extra dev"}
    seconds = 2.0 if quick else 8.0
    parts = [*signalling(seconds), *asyncio.run(sound(seconds))]
    return {f"{name}_{how}": text for name, told in parts for how, text in told.items()}


if __name__ == "__main__":
    report(figures, __doc__ or "")
