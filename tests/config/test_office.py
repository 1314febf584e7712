"""The example office, its fresh copy, and the keys that others rely on."""

import re
import tomllib
from pathlib import Path

import pytest

from config import examine, load
from config.example import EXAMPLE, office, write_office
from config.loader import read
from config.targets import Target


def test_the_example_has_no_mistake() -> None:
    settings, problems = examine(EXAMPLE)

    assert settings is not None
    assert all("works from this machine only" in str(problem) for problem in problems)


def test_a_fresh_office_has_passwords_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "softswitch.toml"
    write_office(path)

    settings, problems = examine(path)

    assert settings is not None and problems == []
    words = {e.password.get_secret_value() for e in settings.extensions.values() if e.password}
    assert len(words) == len(settings.extensions)
    assert path.stat().st_mode & 0o077 == 0
    assert "change-me" not in office().partition("[switch]")[2]


def test_an_office_is_never_overwritten(tmp_path: Path) -> None:
    write_office(tmp_path / "softswitch.toml")

    with pytest.raises(FileExistsError):
        write_office(tmp_path / "softswitch.toml")


def test_a_line_follows_the_mode() -> None:
    line = load(EXAMPLE).lines["74951234567"]

    assert line.scenario("day") == (Target.parse("menu:welcome"),)
    assert line.scenario("night") == line.any == (Target.parse("voicemail:101"),)


def test_what_is_commented_out_can_be_obeyed_as_well() -> None:
    """Trunks, another site and a look-up, for those who take the # away."""
    inside, mark, outside = office().partition("# ── The outside")
    bare = re.sub(r"^# (?=\[|[a-z_]+ = )", "", outside, flags=re.MULTILINE)
    text = inside.replace("# trunks =", "trunks =") + mark + bare
    secrets = {"CITY_PASSWORD": "x7kfq", "CRM_DATABASE": "sqlite:///crm.db"}
    settings, problems = read(tomllib.loads(text), environ=secrets)
    assert settings is not None, problems
    assert set(settings.trunks) == {"city", "coast"} and "crm" in settings.lookups
