"""The machine that figures were taken on, in words."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from bench.cores import CROWD, MEASURED

PEERS = {"kamailio": ("-v",), "rtpengine": ("--version",), "sipp": ("-v",), "asterisk": ("-V",)}
"""Programs beside us, and how each tells its version."""


def describe() -> dict[str, str]:
    """Processor, cores, memory, kernel, Python, this project's commit, and the peers' versions."""
    model = _field(Path("/proc/cpuinfo"), "model name")
    memory = int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 1e6
    cores = f"{_range(MEASURED)} for what is measured, {_range(CROWD)} for its load"
    return {
        "processor": model or platform.machine(),
        "cores": f"{os.cpu_count()}; core {cores}",
        "memory": f"{memory:.0f} GB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _said("git", "describe", "--always", "--dirty"),
        **{name: _version(name, words) for name, words in PEERS.items()},
    }


def _range(cores: set[int]) -> str:
    return ", ".join(map(str, sorted(cores)))


def _field(path: Path, name: str) -> str:
    lines = path.read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def _version(program: str, words: tuple[str, ...]) -> str:
    if shutil.which(program) is None:
        return "absent"
    lines = _said(program, *words).splitlines()
    return next((line.strip() for line in lines if any(map(str.isdigit, line))), "present")


def _said(*words: str) -> str:
    """What a program prints, or nothing where it cannot be run."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip()
