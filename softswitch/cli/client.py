"""Asking the running switch: HTTP over the Unix socket in its data folder.

It reads no more of the settings file than where that folder is, so that a question needs no
pydantic and is answered even while the file is being edited wrongly elsewhere.
"""

import http.client
import json
import os
import socket
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

CANDIDATES = (Path("softswitch.toml"), Path("/etc/softswitch/softswitch.toml"))

Json = Any


class UnixConnection(http.client.HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost")
        self._path, self._patience = path, timeout

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._patience)
        self.sock.connect(str(self._path))


def settings_path(given: Path | None) -> Path:
    """The settings file: given, in $SOFTSWITCH_CONFIG, here, or in /etc/softswitch."""
    if given is not None:
        return given
    if named := os.environ.get("SOFTSWITCH_CONFIG"):
        return Path(named)
    return next((path for path in CANDIDATES if path.exists()), CANDIDATES[0])


def socket_path(given: Path | None) -> Path:
    """Where the switch of that settings file listens; ends the command where it cannot be told."""
    path = settings_path(given)
    try:
        switch = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("switch", {})
        data = switch.get("data", "var")
    except OSError as error:
        reason = error.strerror or error
        fail(f"the settings file {path} cannot be read ({reason}); name it by --config", code=2)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError) as error:
        fail(f"{path} is no settings file ({error}); softswitch check says more", code=2)
    return path.resolve().parent / str(data) / "switch.sock"


def ask(
    config: Path | None, method: str, path: str, body: Json = None, timeout: float = 30.0
) -> Json:
    """The switch's JSON answer; ends the command with a sentence where there is none."""
    with _asked(socket_path(config), method, path, body, timeout) as response:
        text = response.read()
    if response.status >= 400:
        fail(_refusal(text, response))
    return json.loads(text) if text else {}


def text(config: Path | None, path: str, timeout: float = 120.0) -> str:
    """The switch's answer in plain text."""
    with _asked(socket_path(config), "GET", path, None, timeout) as response:
        answer = response.read().decode()
    if response.status >= 400:
        fail(_refusal(answer, response))
    return answer


def listen(config: Path | None, path: str) -> Iterator[Json]:
    """Events of a stream (SSE), one by one, until it ends."""
    with _asked(socket_path(config), "GET", path, None, None) as response:
        if response.status >= 400:
            fail(_refusal(response.read(), response))
        while line := response.readline():
            field, _, value = line.decode().rstrip("\r\n").partition(": ")
            if field == "data":
                yield json.loads(value)


@contextmanager
def _asked(
    path: Path, method: str, target: str, body: Json, timeout: float | None
) -> Iterator[http.client.HTTPResponse]:
    """The switch's response, still to be read; what goes wrong on the way ends the command."""
    payload = None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"} if payload else {}
    with closing(UnixConnection(path, timeout)) as connection:
        try:
            connection.request(method, target, payload, headers)
            with connection.getresponse() as response:
                yield response
        except (FileNotFoundError, ConnectionRefusedError):
            fail(f"no switch is running (nobody listens at {path}); start one: softswitch run")
        except PermissionError:
            fail(f"{path} belongs to somebody else; run this as the user of the switch")
        except TimeoutError:
            fail(f"the switch at {path} did not answer within {timeout} s")
        except BrokenPipeError:
            raise  # of our own stdout
        except (OSError, http.client.HTTPException) as error:
            fail(f"the switch at {path} broke off ({error})")


def _refusal(text: bytes | str, response: http.client.HTTPResponse) -> str:
    """What the switch said against it: our own `error`, or FastAPI's `detail`."""
    try:
        answer = json.loads(text)
    except ValueError:  # a request that failed is answered in plain words
        answer = None
    if isinstance(answer, dict):
        for key in ("error", "detail", "message"):
            if isinstance(answer.get(key), str):
                return str(answer[key])
        if isinstance(answer.get("detail"), list):
            return "; ".join(str(item.get("msg", item)) for item in answer["detail"])
    return f"the switch refused: {response.status} {response.reason}"


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with `sentence` on stderr."""
    print(sentence, file=sys.stderr)
    sys.exit(code)
