"""A process to be killed: keeps things, and says on stdout what it was promised.

Run as `python -m tests.store.killed DIRECTORY`; every line is written after the promise.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from softswitch.store.store import Store
from softswitch.store.writer import Pace


async def keep(directory: Path) -> None:
    store = await Store.open(directory, pace=Pace(gather=0.005))
    start = len(store.registrations.restore(0.0))
    for number in count(start):
        store.registrations.save(f"sip:{number}@x", [{"expires_at": 9e9, "contact": "sip:1@y"}])
        promise(f"binding sip:{number}@x")
        record = store.records.begin(f"{start}-{number}", caller="101", dialled="102")
        promise(f"call {start}-{number}")
        if number % 2:
            record.leg("a", party="101", answered_at=1.0)
            record.end("normal")
            promise(f"ended {start}-{number}")
        await asyncio.sleep(0)


def promise(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
