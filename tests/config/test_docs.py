"""What the pages show can be obeyed: each example laid over the example office."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from config.example import office
from config.loader import read

DOCS = Path(__file__).parents[2] / "docs"
SECRETS = dict.fromkeys(("PROVIDER_PASSWORD", "PARTNER_PASSWORD", "HELP_TOKEN"), "x7kfq")


def examples(page: str) -> Iterator[dict[str, Any]]:
    """The indented blocks of a page that are settings."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE):
        if dedent(block).lstrip().startswith("["):
            yield tomllib.loads(dedent(block))


def lay_over(document: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            lay_over(document[key], value)
        else:
            document[key] = value


@pytest.mark.parametrize("page", ["routing.md", "trunks.md"])
def test_examples_of_a_page_can_be_obeyed_together(page: str) -> None:
    document = tomllib.loads(office())
    found = list(examples(page))
    for each in found:
        lay_over(document, each)
    settings, problems = read(document, environ=SECRETS, warn=False)
    assert len(found) >= 4 and settings is not None, "\n".join(map(str, problems))
