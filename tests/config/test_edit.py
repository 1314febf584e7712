"""One setting changed in the file, everything else as its owner wrote it."""

from pathlib import Path

import pytest

from config import ConfigError, load
from config.edit import remove, set_value
from config.example import write_office


@pytest.fixture
def office(tmp_path: Path) -> Path:
    path = tmp_path / "office.toml"
    write_office(path)
    return path


def test_a_setting_changes_and_comments_stay(office: Path) -> None:
    before = office.read_text()

    set_value(office, "queues.sales.ring_time", "25")

    assert office.read_text() == before.replace("ring_time = 20", "ring_time = 25")
    assert office.stat().st_mode & 0o777 == 0o600


def test_a_new_extension_is_added(office: Path) -> None:
    set_value(office, "extensions.105.name", "Olga")
    set_value(office, "extensions.105.password", "x7kfq")
    set_value(office, 'lines."74951234568".any', '["extension:105", "voicemail:101"]')

    settings = load(office)
    assert settings.extensions["105"].name == "Olga"
    assert len(settings.lines["74951234568"].any) == 2


def test_a_table_is_taken_out(office: Path) -> None:
    remove(office, "paging.floor")

    assert load(office).paging == {}


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("queues.sales.ring_tme", "25", "did you mean ring_time?"),
        ("queues.sales.agents", '["ana"]', "did you mean anna?"),
        ("switch.domain.x", "1", "domain is no table"),
        ("not a key", "1", "is no key"),
    ],
)
def test_a_change_that_errs_is_not_made(office: Path, key: str, value: str, sentence: str) -> None:
    before = office.read_text()

    with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")):
        set_value(office, key, value)

    assert office.read_text() == before
    assert [path.name for path in office.parent.iterdir()] == ["office.toml"]


def test_what_others_refer_to_is_not_taken_out(office: Path) -> None:
    with pytest.raises(ConfigError, match="there is no queue"):
        remove(office, "queues.sales")
    with pytest.raises(ConfigError, match="is not in the file"):
        remove(office, "queues.support")
