"""The command line against a switch that answers from a table, over a real Unix socket."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

import pytest

from acd.metrics.definitions import QUEUE
from softswitch.cli import main
from softswitch.cli.old_names import OLD, translate

ANSWERS: dict[str, Any] = {
    "GET /v1/calls": [{"id": "7f", "caller": "101", "seconds": 1.25, "held": False}],
    "DELETE /v1/calls/7f": {"detail": "call 7f is ended"},
    "POST /v1/calls": {"call": "80"},
    "GET /v1/status": {"calls": {"now": 1, "allowed": 1000}, "trunks": [{"name": "city"}]},
    "GET /v1/agents": [{"name": "anna"}, {"name": "boris"}],
    "POST /v1/agents/anna/pause": {"detail": "anna: pause"},
    "GET /v1/statistics?since=1772451000.0": {
        "queues": [
            {
                "name": "sales",
                "figures": {"SL-A": 0.75},
                "explanations": {n: f"{n} = 6 / 8" for n in QUEUE},
            }
        ],
        "agents": [{"name": "anna", "figures": {"answered": 3}}],
    },
    "GET /v1/explain/agent/anna": {"sentences": ["she is paused"], "facts": {}},
}


class Handler(BaseHTTPRequestHandler):
    """Answers from the table; what it does not hold is refused as the API refuses."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - one list for all requests

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.asked.append((f"{self.command} {self.path}", self.rfile.read(length).decode()))
        if self.path.startswith("/v1/trace"):
            return self._stream()
        answer = ANSWERS.get(f"{self.command} {self.path}")
        body = json.dumps({"detail": "there is no such thing"} if answer is None else answer)
        if self.path.endswith("/crash"):  # as a server answers for code that failed
            body = "Internal Server Error"
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        return None

    do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815

    def _stream(self) -> None:
        self.send_response(200)
        self.end_headers()
        for source, destination in (("127.0.0.1:5071", "switch"), ("switch", "127.0.0.1:5071")):
            event = {"at": "2026-03-02T12:30:01.123456", "summary": "INVITE sip:102@office"}
            data = json.dumps({**event, "from": source, "to": destination})
            self.wfile.write(f": ping\n\nid: 1\nevent: sip\ndata: {data}\n\n".encode())

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Tests read answers, not a log."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "office.toml"
    path.write_text('[switch]\ndata = "data"\n[extensions.101]\npassword = "x7kfq"\n')
    (tmp_path / "data").mkdir()
    return path


@pytest.fixture
def switch(settings: Path) -> Iterator[type[Handler]]:
    Handler.asked.clear()
    with UnixStreamServer(str(settings.parent / "data" / "switch.sock"), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Handler
        server.shutdown()
        thread.join()


def softswitch(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    """Run one command in this process; its exit code."""
    monkeypatch.setattr("sys.argv", ["softswitch", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


Patch = pytest.MonkeyPatch
Captured = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("switch")
def test_calls_are_a_table(monkeypatch: Patch, settings: Path, capsys: Captured) -> None:
    assert softswitch(monkeypatch, "calls", "-c", settings) == 0

    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["id", "caller"]
    assert row.split() == ["7f", "101"]


@pytest.mark.usefixtures("switch")
def test_json_is_what_the_switch_said(monkeypatch: Patch, settings: Path, capsys: Captured) -> None:
    assert softswitch(monkeypatch, "calls", "--json", "-c", settings) == 0

    assert json.loads(capsys.readouterr().out) == ANSWERS["GET /v1/calls"]


@pytest.mark.parametrize(
    ("words", "asked", "told"),
    [
        (["hangup", "7f"], [("DELETE /v1/calls/7f", "")], "call 7f is ended"),
        (["hangup", "--all"], [("GET /v1/calls", ""), ("DELETE /v1/calls/7f", "")], "ended"),
        (["originate", "101", "102"], [("POST /v1/calls", '{"from": "101", "to": "102"}')], "80"),
        (["agents", "anna"], [("GET /v1/agents", "")], "anna"),
        (["agents", "anna", "pause", "--reason", "lunch"],
         [("POST /v1/agents/anna/pause", '{"reason": "lunch"}')], "anna: pause"),
        (["explain", "agent", "anna"], [("GET /v1/explain/agent/anna", "")], "she is paused"),
        (["status"], [("GET /v1/status", "")], "allowed  1000"),
        (["trace", "--extension", "101"], [("GET /v1/trace?extension=101", "")], "INVITE sip:102"),
    ],
)  # fmt: skip
def test_a_command_asks_and_tells(
    monkeypatch: Patch,
    settings: Path,
    capsys: Captured,
    switch: type[Handler],
    words: list[str],
    asked: list[tuple[str, str]],
    told: str,
) -> None:
    assert softswitch(monkeypatch, *words, "-c", settings) == 0

    assert switch.asked == asked
    assert told in capsys.readouterr().out


@pytest.mark.usefixtures("switch")
def test_figures_and_what_they_come_of(
    monkeypatch: Patch, settings: Path, capsys: Captured
) -> None:
    asked = ("statistics", "--since", "2026-03-02T11:30+00:00", "-c", settings)
    assert softswitch(monkeypatch, *asked) == 0
    assert "answered  3" in capsys.readouterr().out
    assert softswitch(monkeypatch, *asked, "--why", "SL-A") == 0
    assert capsys.readouterr().out == "sales: SL-A = 6 / 8\n"
    assert softswitch(monkeypatch, *asked, "--why", "SLA") == 1


def test_figures_of_somebodys_queue_log(
    monkeypatch: Patch, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "queue_log"
    path.write_text("""\
1366720577|1366720574.105|support|NONE|ENTERQUEUE||5551234|1
1366720590|1366720574.105|support|SIP/300|CONNECT|13|1366720587.108|3
1366720650|1366720574.105|support|SIP/300|COMPLETECALLER|13|60|1
""")
    assert softswitch(monkeypatch, "statistics", "--from", path, "--why", "SL-A") == 0
    assert capsys.readouterr().out == "support: SL-A = answered_in_T / answered = 1 / 1 = 1\n"
    path.write_text("what is this\n")
    assert softswitch(monkeypatch, "statistics", "--from", path) == 1
    assert "line 1" in capsys.readouterr().err


@pytest.mark.usefixtures("switch")
def test_a_refusal_is_told_as_the_switch_says_it(
    monkeypatch: Patch, settings: Path, capsys: Captured
) -> None:
    assert softswitch(monkeypatch, "hangup", "99", "-c", settings) == 1

    assert capsys.readouterr().err == "there is no such thing\n"


@pytest.mark.usefixtures("switch")
def test_an_answer_that_is_no_json_is_a_sentence_too(
    monkeypatch: Patch, settings: Path, capsys: Captured
) -> None:
    assert softswitch(monkeypatch, "hangup", "crash", "-c", settings) == 1

    assert capsys.readouterr().err == "the switch refused: 404 Not Found\n"


def test_no_running_switch_is_a_sentence(
    monkeypatch: Patch, settings: Path, capsys: Captured
) -> None:
    assert softswitch(monkeypatch, "status", "-c", settings) == 1

    assert "no switch is running" in capsys.readouterr().err


def test_no_settings_file_is_the_configurations_fault(
    monkeypatch: Patch, tmp_path: Path, capsys: Captured
) -> None:
    assert softswitch(monkeypatch, "status", "-c", tmp_path / "gone.toml") == 2
    assert softswitch(monkeypatch, "check", "-c", tmp_path / "gone.toml") == 2

    assert "cannot be read" in capsys.readouterr().err


def test_check_tells_good_from_bad(monkeypatch: Patch, settings: Path, capsys: Captured) -> None:
    assert softswitch(monkeypatch, "check", "-c", settings) == 0
    settings.write_text("[sip]\nlisen = 1\n")
    assert softswitch(monkeypatch, "check", "-c", settings) == 2
    assert "did you mean listen?" in capsys.readouterr().out
    assert softswitch(monkeypatch, "check", "--json", "-c", settings) == 2

    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["key"] == "sip.lisen"


def test_init_writes_an_office_once_and_phones_shows_it(
    monkeypatch: Patch, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "new.toml"

    assert softswitch(monkeypatch, "init", path) == 0
    assert softswitch(monkeypatch, "init", path) == 1
    assert softswitch(monkeypatch, "phones", "101", "--json", "-c", path) == 0

    told = capsys.readouterr()
    (phone,) = json.loads(told.out[told.out.index("[") :])
    assert phone["username"] == "101" and len(phone["password"]) == 12


@pytest.mark.parametrize("words", [["bogus"], ["calls", "--bogus"], ["route"]])
def test_a_wrong_command_line_is_not_the_configurations_fault(
    monkeypatch: Patch, capsys: Captured, words: list[str]
) -> None:
    assert softswitch(monkeypatch, *words) == 1

    assert "softswitch --help" in capsys.readouterr().err


def test_every_command_shows_an_example(monkeypatch: Patch, capsys: Captured) -> None:
    assert softswitch(monkeypatch) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2]
    commands = [line.split()[0] for line in listed.splitlines() if line[2:3].strip()]

    for command in commands:
        assert softswitch(monkeypatch, command, "--help") == 0
        assert f"Example: softswitch {command}" in capsys.readouterr().out, command


@pytest.mark.parametrize("old", OLD)
def test_an_old_name_is_answered_with_ours(old: str) -> None:
    answer = translate(old.split())

    assert answer is not None and f"softswitch {OLD[old]}" in answer


def test_our_own_names_are_not_translated() -> None:
    for words in (["calls"], ["queues", "--json"], ["agents", "anna", "pause"], []):
        assert translate(words) is None
