"""The switch as a process: its settings file, its limits, its exit code."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import structlog
import uvloop

from config import ConfigError, Settings, load
from media.worker import EngineFailed
from softswitch.api import server
from softswitch.app.garbage import settle
from softswitch.app.root import App
from softswitch.logging import configure as configure_logging
from softswitch.store.errors import StoreError
from softswitch.transport.transports import ListenError

log = structlog.get_logger("app")

CLEAN, FAILED, MISCONFIGURED = 0, 1, 2
SHARE = 0.001
"""Seconds that the thread which writes to the database may hold the interpreter at a time."""


def run(path: Path) -> int:
    """Run the switch in the foreground; the exit code."""
    try:
        settings = load(path)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return MISCONFIGURED
    configure_logging(settings.log)
    sys.setswitchinterval(SHARE)
    _raise_limits()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(path, settings))
    except (ListenError, server.ListenError, StoreError, EngineFailed) as error:
        print(error, file=sys.stderr)
        return FAILED
    return CLEAN


async def _main(path: Path, settings: Settings) -> None:
    async with App(path, settings) as app:
        settle()
        await app.serve()


def _raise_limits() -> None:
    """As many descriptors as the kernel lets us have: each media port and connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
