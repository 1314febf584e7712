"""The documentation tells the truth: its examples are settings, and every page can be found."""

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from config.example import EXAMPLE
from config.loader import read

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
SCENARIOS = {"simulator.md"}
"""Pages whose TOML is not of the settings file."""
SECRET = re.compile(r"\$\{(\w+)\}")
FENCED = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"\| [A-Z]\d")
INTEROP = ROOT / "tests" / "interop"
INDENTED = re.compile(r"^(?: {4}\[[a-z].*\n)(?:(?: {4}.*)?\n)*", re.MULTILINE)


def examples(page: Path) -> Iterator[str]:
    """Every piece of a settings file that a page shows."""
    text = page.read_text(encoding="utf-8")
    yield from FENCED.findall(text)
    yield from (textwrap.dedent(match) for match in INDENTED.findall(FENCED.sub("", text)))


def laid_over(base: Mapping[str, Any], piece: Mapping[str, Any], depth: int = 2) -> dict[str, Any]:
    """`piece` takes the place of what `base` says, key by key of each `[table.name]`."""
    merged = dict(base)
    for key, value in piece.items():
        old = merged.get(key)
        if depth and isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = laid_over(old, value, depth - 1)
        else:
            merged[key] = value
    return merged


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_is_obeyed_by_the_example_office(page: Path) -> None:
    """Those of a page build on one another."""
    if page.name in SCENARIOS:
        pytest.skip("its examples are of another kind of file")
    office = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    secrets = dict.fromkeys(SECRET.findall(page.read_text(encoding="utf-8")), "a-secret")
    for example in examples(page):
        office = laid_over(office, tomllib.loads(example))
        settings, problems = read(office, ROOT, secrets)
        wrong = [str(problem) for problem in problems if not problem.warning]
        assert settings is not None, f"{example}\n{wrong}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    missing = [page.name for page in PAGES if f"({page.name})" not in index]

    assert set(missing) <= {"index.md", "README.md"}


def test_every_feature_of_the_table_is_proved_by_a_test_of_its_name() -> None:
    table = re.findall(r"^\| ((?:[A-Z]\d+ ?)+)\|", (ROOT / "docs/features.md").read_text(), re.M)
    tests = " ".join(
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    )

    rows = [row for line in table for row in line.split()]
    assert len(rows) > 50
    assert [row for row in rows if f"_{row.lower()}_" not in tests] == []


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_row_of_the_office_is_proved_with_real_phones() -> None:
    """By a test that bears its name, in one of the files that the row names."""
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split("|") for line in text.splitlines() if ROW.match(line)]
    assert len(rows) > 15
    for row in rows:
        files = [INTEROP / f"test_{name}.py" for name in re.findall(r"`(\w+)`", row[-1])]
        tests = "\n".join(
            name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())
        )
        missing = [
            name for name in row[0].split() if not re.search(rf"_{name.lower()}(?!\d)", tests)
        ]
        assert not missing, f"{missing} stand in no name of a test in {row[-1]}"
