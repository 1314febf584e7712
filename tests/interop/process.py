"""Real programs as children: output kept, ended by their own pid, never by name."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

Event = dict[str, Any]
PATIENCE = 30.0
"""Seconds within which a thing that must happen is waited for; a busy machine may need them."""


def peer(program: str) -> str:
    """Path of a program of the distribution; without it the test is skipped, in CI failed."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        sentence = f"{program} is absent; make phones installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


class Child:
    """A running program.  Leaving the `with` ends it: SIGTERM, then SIGKILL after `patience`."""

    patience = 5.0

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=stdin,
                stdout=output if stdout is None else stdout,
                stderr=output if stdout is not None else subprocess.STDOUT,
                env={**os.environ, **env} if env else None,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        """All that it printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for_output(self, text: str, timeout: float = PATIENCE) -> None:
        self.until(lambda: text in self.output(), f"{text!r} in {self.log}", timeout)

    def until(self, fact: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        """Wait for `fact`; a program that ends before fails at once."""
        deadline = time.monotonic() + timeout
        while not fact():
            if self.process.poll() is not None and not fact():
                raise AssertionError(
                    f"ended ({self.process.returncode}) before {what}\n{self.tail()}"
                )
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} within {timeout} s\n{self.tail()}")
            time.sleep(0.02)

    def live(self, length: float) -> None:
        """Let it go on for `length` seconds; a program that ends before fails."""
        deadline = time.monotonic() + length
        self.until(lambda: time.monotonic() > deadline, f"{length} s of life", length + 5)

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.output().splitlines()[-lines:])

    def stop(self) -> int:
        """End it and reap it; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Events:
    """What a phone told, in order; each event answers one `wait_for` only."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._news = threading.Condition()
        self.history: list[Event] = []

    def add(self, event: Event) -> None:
        with self._news:
            self._events.append(event)
            self.history.append(event)
            self._news.notify_all()

    def wait_for(self, timeout: float = PATIENCE, **wanted: Any) -> Event:
        """The next event whose fields equal `wanted`; those before it are left for others."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for index, event in enumerate(self._events):
                    if all(event.get(key) == value for key, value in wanted.items()):
                        return self._events.pop(index)
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    told = "\n".join(map(str, self.history[-20:]))
                    raise AssertionError(f"no {wanted} within {timeout} s; told:\n{told}")

    def seen(self, **wanted: Any) -> bool:
        """Whether such an event ever came."""
        with self._news:
            return any(
                all(event.get(key) == value for key, value in wanted.items())
                for event in self.history
            )


class Scripted(Child):
    """A phone that is a Python library, run by a script of ours in a process of its own.

    Commands go down its stdin and events come up its stdout, a JSON object a line.
    """

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        super().__init__(command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.events = Events()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def tell(self, verb: str, **arguments: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": verb, **arguments}).encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, event: str, timeout: float = PATIENCE, **wanted: Any) -> Event:
        return self.events.wait_for(timeout, event=event, **wanted)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"{"):
                self.events.add(json.loads(line))

    def stop(self) -> int:
        if self.process.poll() is None:
            try:
                self.tell("quit")
                self.process.wait(self.patience)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(self.patience)
        return super().stop()
