"""The page about the configuration is made from the code, and is up to date."""

from pathlib import Path

from config.reference import reference

PAGE = Path(__file__).parent.parent.parent / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: make docs"
