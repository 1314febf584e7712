"""Stores to test with: files under `tmp_path`, and PostgreSQL where its programs are there."""

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from softswitch.store.database import connect, parse_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> URL:
    return parse_url(f"sqlite:///{tmp_path}/switch.db")


@pytest.fixture
async def engine(sqlite_url: URL) -> AsyncIterator[AsyncEngine]:
    engine = connect(sqlite_url)
    yield engine
    await engine.dispose()


def _program(name: str) -> str | None:
    """A program of PostgreSQL; distributions keep them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """A server of our own on a Unix socket; skips where PostgreSQL is not installed.

    Its home is not among pytest's folders, which are closed to the user that it runs as.
    """
    pytest.importorskip("asyncpg", reason="the extra `postgres` is not installed")
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    with TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as home:
        yield from _serve(Path(home), initdb, server)


def _serve(home: Path, initdb: str, server: str) -> Iterator[URL]:
    """Run a cluster in `home`; as another user if we are root, which PostgreSQL refuses to be."""
    prefix = _unprivileged(home)
    data = home / "data"
    made = [initdb, "-D", str(data), "-U", "switch", "-A", "trust", "--no-sync"]
    subprocess.run([*prefix, *made], check=True, stdout=subprocess.DEVNULL)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}", "-F"]
    running = subprocess.Popen(
        [*prefix, server, "-D", str(data), *options], stderr=subprocess.DEVNULL
    )
    try:
        ready = _program("pg_isready") or "pg_isready"
        while subprocess.run([ready, "-h", str(home), "-q"], check=False).returncode:
            assert running.poll() is None, "PostgreSQL ended"
        yield parse_url(f"postgresql://switch@/postgres?host={home}")
    finally:
        running.send_signal(signal.SIGINT)  # SIGTERM would wait for clients that a test left
        running.wait()


def _unprivileged(home: Path) -> list[str]:
    """What to put before a command so that it runs as `postgres`; gives `home` to that user."""
    if os.getuid() != 0:
        return []
    shutil.chown(home, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
