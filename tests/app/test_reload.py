"""A changed file is applied whole or not at all."""

from pathlib import Path

import pytest

from config import ConfigError, Settings, load
from softswitch.app.reload import Reload

pytestmark = pytest.mark.anyio
OFFICE = '[extensions.101]\npassword = "x7kfq"\n'


class Parts:
    """Remembers what was applied; fails where it is told to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.write(OFFICE)
        self.settings = load(path)
        self.fails = False
        self.applied: list[Settings] = []

    def write(self, text: str) -> None:
        self._path.write_text(text)

    def apply(self, settings: Settings) -> None:
        self.applied.append(settings)
        self.settings = settings
        if self.fails:
            self.fails = False
            raise OSError("no room")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "office.toml"


@pytest.fixture
def parts(path: Path) -> Parts:
    return Parts(path)


@pytest.fixture
def reload(path: Path, parts: Parts) -> Reload:
    return Reload(path, lambda: parts.settings, parts.apply)


async def test_what_changed_is_said_by_table(parts: Parts, reload: Reload) -> None:
    many = "".join(f'[extensions.2{n:02}]\npassword = "x7kfq"\n' for n in range(10))
    parts.write(OFFICE.replace("x7kfq", "0ther") + many + "[guard]\nslow_after = 5\n")

    told = await reload()

    assert told == [
        "guard: slow_after changed",
        "extensions: 200, 201, 202, 203, 204, 205, 206, 207 and 2 more added",
        "extensions: 101 changed",
    ]
    assert parts.settings.guard.slow_after == 5


async def test_what_only_a_restart_can_change_stays_and_is_said(
    parts: Parts, reload: Reload
) -> None:
    parts.write(OFFICE + '[switch]\ndomain = "new.test"\n[limits]\ncalls = 7\n')

    told = await reload()

    assert told[0] == "limits: calls changed"
    assert told[1].startswith("warning: switch.domain: can only change with a restart")
    assert (parts.settings.switch.domain, parts.settings.limits.calls) == ("localhost", 7)


async def test_a_faulty_file_changes_nothing(parts: Parts, reload: Reload) -> None:
    parts.write(OFFICE + "[limits]\ncals = 7\n")

    with pytest.raises(ConfigError, match="did you mean calls"):
        await reload()
    await reload.on_signal()

    assert parts.applied == []


async def test_a_part_that_fails_takes_the_others_back(parts: Parts, reload: Reload) -> None:
    old, parts.fails = parts.settings, True
    parts.write(OFFICE + "[limits]\ncalls = 7\n")

    with pytest.raises(OSError, match="no room"):
        await reload()

    assert parts.settings == old
    assert len(parts.applied) == 2
