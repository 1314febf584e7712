"""Where recordings lie, `recordings/YYYY/MM/DD`, and until when."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from config.settings import Settings
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("recording")

TIDY_EVERY: Seconds = 3600.0


def home(settings: Settings) -> Path:
    """The folder of all recordings."""
    return settings.recording.folder or settings.switch.data / "recordings"


async def keep_recordings(switch: Switch) -> None:
    """Delete recordings that are older than `keep_days`, a day's folder at a time."""
    while True:
        days = switch.settings.recording.keep_days
        if days is not None:
            today = dt.datetime.now(switch.settings.switch.zone).date()
            last = today - dt.timedelta(days=days)
            gone = await asyncio.to_thread(forget_before, home(switch.settings), last)
            if gone:
                log.info("old recordings deleted", days=gone)
        await asyncio.sleep(TIDY_EVERY)


def forget_before(folder: Path, last: dt.date) -> int:
    """Delete the folders of days before `last`; how many.  Files of others are left alone."""
    days = sorted(folder.glob("[0-9]" * 4 + "/[0-9][0-9]/[0-9][0-9]"))
    old = [day for day in days if "/".join(day.parts[-3:]) < f"{last:%Y/%m/%d}"]
    for day in old:
        shutil.rmtree(day, ignore_errors=True)
        for parent in (day.parent, day.parent.parent):
            if not any(parent.iterdir()):
                parent.rmdir()
    return len(old)
