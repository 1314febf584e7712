"""`kill -9` at any moment: nothing that was acknowledged is lost."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from softswitch.store.search import Query
from softswitch.store.store import Store

pytestmark = pytest.mark.anyio
DICE = random.Random(4)


def live_and_die(directory: Path, promises: int) -> list[tuple[str, str]]:
    """What a process was promised before it was killed, after `promises` of them at the least."""
    command = [sys.executable, "-m", "tests.store.killed", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(promises)]
        process.kill()
        lines += process.stdout.readlines()
    whole = (line.removesuffix("\n") for line in lines if line.endswith("\n"))
    return [(what, name) for what, _, name in (line.partition(" ") for line in whole)]


async def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    promised: set[tuple[str, str]] = set()
    for _ in range(4):
        promised |= set(live_and_die(tmp_path, DICE.randrange(1, 3000)))

    store = await Store.open(tmp_path)
    kept = store.registrations.restore(0.0)
    search = await store.search()
    calls = {call["id"]: call for call in await search.page(Query(), limit=10**6)}
    await store.close()

    assert {name for what, name in promised if what == "binding"} <= kept.keys()
    assert {name for what, name in promised if what == "call"} <= calls.keys()
    ended = {name for what, name in promised if what == "ended"}
    assert {calls[name]["cause"] for name in ended} == {"normal"}
    assert {call["cause"] for call in calls.values()} == {"normal", "interrupted"}
    assert all(call["ended_at"] >= call["began_at"] for call in calls.values())
