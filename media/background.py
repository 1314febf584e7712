"""Threads beside the engine's own: they read and write files while sound must not wait."""

from __future__ import annotations

import os
import threading

_NICE = 10


def stand_back() -> None:
    """Let the calling thread run only when the one that ticks does not want to (Linux: a thread
    has a priority of its own)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
