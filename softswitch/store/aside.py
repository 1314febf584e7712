"""Long work beside the event loop, by a copy of the process that sees everything as it is now.

The copy shares the memory of the moment at which it was made (fork, copy on write), so the state
it works on neither changes under it nor has to be copied for it.  It closes every descriptor that
it does not need first of all: sockets and locks of a switch that is killed meanwhile are free at
once.  It must not touch the loop, threads or sockets, and nothing it does is seen here but files
that it writes, and its answer.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import warnings
from collections.abc import Callable
from typing import NoReturn

from softswitch.store.errors import StoreError

MODEST = 10
"""How much nicer the copy is than the switch."""
CHUNK = 1 << 16


class AsideError(StoreError):
    """The work failed; the text says how."""


async def aside(work: Callable[[], bytes]) -> bytes:
    """What `work` returns.  The loop stands still only while the copy is made: milliseconds.

    Raises OSError where none can be made, AsideError where the work fails.  Cancelled, it kills
    the copy.
    """
    reading, writing = os.pipe()
    try:
        child = _fork(work, writing)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        answer = await _read(reading)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - it is over, or was killed
    if os.waitstatus_to_exitcode(status):
        raise AsideError(answer.decode() or "the copy of the process was killed")
    return answer


async def _read(descriptor: int) -> bytes:
    """Everything until the other end is closed."""
    loop = asyncio.get_running_loop()
    chunks: list[bytes] = []
    over: asyncio.Future[None] = loop.create_future()

    def read() -> None:
        chunk = os.read(descriptor, CHUNK)
        chunks.append(chunk)
        if not chunk and not over.done():
            over.set_result(None)

    loop.add_reader(descriptor, read)
    try:
        await over
    finally:
        loop.remove_reader(descriptor)
    return b"".join(chunks)


def _fork(work: Callable[[], bytes], writing: int) -> int:
    """The copy's process id; the copy itself never returns."""
    with warnings.catch_warnings():  # that other threads exist: the copy needs nothing of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run(work, writing)
    return child


def _run(work: Callable[[], bytes], writing: int) -> NoReturn:
    """Everything that the copy does; the switch's own clean-up at exit is not for it."""
    status = 1
    try:
        gc.disable()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, writing)
        os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
        os.nice(MODEST)
        answer = work()
        status = 0
    except BaseException as fault:  # whatever it is, it is told
        answer = f"{type(fault).__name__}: {fault}".encode()
    with open(writing, "wb", closefd=False) as pipe:
        pipe.write(answer)
    os._exit(status)
