"""SIPp: scripted callers and answerers, refusals, races, load."""

import csv
from dataclasses import dataclass
from pathlib import Path

from tests.interop.ports import free_ports
from tests.interop.process import Child, peer


@dataclass(frozen=True, slots=True)
class SippRun:
    """How a run ended: `code` 0 all calls passed, 1 some failed, other values fatal."""

    code: int
    errors: str
    statistics: dict[str, str]

    @property
    def passed(self) -> int:
        return int(self.statistics.get("SuccessfulCall(C)", 0))

    @property
    def failed(self) -> int:
        return int(self.statistics.get("FailedCall(C)", 0))


class Sipp(Child):
    """One SIPp.  `scenario` is XML, a file, or the name of a built-in one (`uac`, `uas`).

    `fields` are rows of its injection file, `[field0]`, `[field1]`, … in the scenario.
    `traced`: whether every message is kept for `messages`.
    """

    def __init__(
        self,
        folder: Path,
        scenario: str | Path,
        remote: str = "",
        *,
        service: str = "service",
        calls: int = 1,
        rate: float = 10,
        fields: list[list[str]] | None = None,
        transport: str = "u1",
        address: str = "127.0.0.1",
        timeout: int = 30,
        port: int | None = None,
        traced: bool = True,
        options: tuple[str, ...] = (),
    ) -> None:
        program = peer("sipp")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.family = folder, 6 if ":" in address else 4
        self.port = port or free_ports(2, address)
        self.media_port = free_ports(10, address)
        words = [*self._scenario(scenario), *self._fields(fields), "-s", service]
        words += ["-i", address, "-p", str(self.port), "-mp", str(self.media_port)]
        words += ["-m", str(calls), "-r", str(rate), "-t", transport, "-timeout", str(timeout)]
        words += ["-nostdin", "-trace_err", "-error_file", str(folder / "errors")]
        words += ["-trace_stat", "-stf", str(folder / "statistics"), "-fd", "1"]
        if traced:
            words += ["-trace_msg", "-message_file", str(folder / "messages")]
        super().__init__(
            [program, *([remote] if remote else []), *words, *options], folder / "log", cwd=folder
        )

    def _scenario(self, scenario: str | Path) -> list[str]:
        if isinstance(scenario, str) and not scenario.lstrip().startswith("<"):
            return ["-sn", scenario]
        path = self.folder / "scenario.xml" if isinstance(scenario, str) else scenario
        if isinstance(scenario, str):
            path.write_text(scenario.lstrip())
        return ["-sf", str(path)]

    def _fields(self, fields: list[list[str]] | None) -> list[str]:
        if fields is None:
            return []
        path = self.folder / "fields.csv"
        path.write_text("SEQUENTIAL\n" + "".join(";".join(row) + "\n" for row in fields))
        return ["-inf", str(path)]

    def listening(self) -> None:
        """Wait until it has its UDP port (the kernel's table is in hexadecimal)."""
        table = Path("/proc/net/udp6" if self.family == 6 else "/proc/net/udp")
        self.until(lambda: f":{self.port:04X} " in table.read_text(), "a listening SIPp")

    def wait(self, timeout: float = 60.0) -> SippRun:
        """Wait until all its calls are over."""
        code = self.process.wait(timeout)
        return SippRun(code, self._text("errors"), self._statistics())

    def passes(self, timeout: float = 60.0) -> str:
        """Wait until every call has gone as its scenario says; all that was sent and received."""
        run = self.wait(timeout)
        assert run.code == 0, run.errors + self.messages()[-3000:]
        return self.messages()

    def messages(self) -> str:
        """Every SIP message that it sent and received."""
        return self._text("messages")

    def _text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def _statistics(self) -> dict[str, str]:
        rows = list(csv.DictReader(self._text("statistics").splitlines(), delimiter=";"))
        return {key: value for key, value in rows[-1].items() if key} if rows else {}
