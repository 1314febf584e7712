"""Prompts that settings name and nothing says."""

from pathlib import Path

import pytest

from config import examine

MENU = '[extensions.101]\npassword = "x-y-z"\n[menus.main]\nnumber = "500"\n'


@pytest.mark.parametrize(
    ("lines", "key", "sentence"),
    [
        (
            'prompt = "welcom"',
            "menus.main.prompt",
            'there is no prompt "welcom"; did you mean welcome?; callers hear nothing instead',
        ),
        ('prompt = ["welcome", "nowhere.wav"]', "menus.main.prompt[1]", "nowhere.wav"),
        ('prompt = "welcome"\nkeys = { 1 = "play:clsed" }', "menus.main.keys.1", '"clsed"'),
    ],
)
def test_what_nothing_says_is_one_warning(
    tmp_path: Path, lines: str, key: str, sentence: str
) -> None:
    (tmp_path / "file.toml").write_text(MENU + lines)

    settings, problems = examine(tmp_path / "file.toml")

    assert settings is not None
    [warning] = [problem for problem in problems if "hear nothing" in problem.sentence]
    assert warning.key == key
    assert sentence in warning.sentence
    assert warning.warning


def test_a_file_beside_the_settings_and_a_shipped_prompt_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.wav").touch()
    (tmp_path / "file.toml").write_text(MENU + 'prompt = ["welcome", "mine.wav"]')

    settings, problems = examine(tmp_path / "file.toml")

    assert settings is not None
    assert settings.menus["main"].prompt == ("welcome", str(tmp_path / "mine.wav"))
    assert not [problem for problem in problems if "hear nothing" in problem.sentence]


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        ('prompts.hello = { file = { en = "here.wav", ru = "gone.wav" } }', "another language"),
        ('prompts.hello = { file = { en = "gone.wav" }, text = "Hello" }', "its text is spoken"),
        ('prompts.welcome = { file = "gone.wav" }', "the one that ships"),
        ('prompts.hello = { file = "gone.wav" }', "callers hear nothing"),
    ],
)
def test_a_file_that_is_gone_is_one_warning_which_says_what_is_heard(
    tmp_path: Path, entry: str, instead: str
) -> None:
    (tmp_path / "here.wav").touch()
    (tmp_path / "file.toml").write_text(entry + "\n" + MENU + 'prompt = "welcome"')

    _, problems = examine(tmp_path / "file.toml")

    [warning] = [problem for problem in problems if "gone.wav" in problem.sentence]
    assert warning.warning and instead in warning.sentence
