"""Strategies from outside: found by their entry point, and told what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acd.conformance import main, problems_of
from acd.strategies import strategies
from tests.acd.floorplan import Centre, queue, settings

HEAD = """
from itertools import count
from acd.strategies import LongestIdle, Strategy

class Mine(Strategy):
    name = "mine"
"""
RULES = {
    "alphabet": "    def key(self, seat, pool, now): return (ord(seat.agent.name[-1]),)",
    "secretive": "    turn = count()\n    def __init__(self): self.turns = {}\n"
    "    def key(self, seat, pool, now):\n"
    "        self.turns[seat.agent.name] = next(self.turn)\n        return (next(self.turn),)",
    "wordy": "    def key(self, seat, pool, now): return (object(),)",
    "forgetful": "    pass",
    "silent": "    def fan(self, settings, rung): return 0",
    "crowded": "    def fan(self, settings, rung): return 2",
    "partial": "    def rank(self, entry, now): return 0.0",
    "dated": "    interface = 0",
}


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A package with one strategy, as an installer would leave it behind."""
    (tmp_path / "somebodys_rules.py").write_text(f"{HEAD}{RULES[request.param]}\n")
    info = tmp_path / "somebodys_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[softswitch.strategies]\nmine = somebodys_rules:Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    strategies.cache_clear()
    yield str(request.param)
    strategies.cache_clear()
    sys.modules.pop("somebodys_rules", None)


@pytest.mark.parametrize("installed", ["alphabet"], indirect=True)
def test_c13_a_strategy_from_outside_serves(
    installed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (main(["mine"]), main(["yours"])) == (0, 1)
    assert "is its package installed" in capsys.readouterr().out
    centre = Centre(settings({"q": queue("zoe", "ann", "bob", strategy="mine")}))
    assert centre.serve("one") == "bob"  # who ends with the earliest letter


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ("secretive", "would be lost at a restart"),
        ("wordy", "raises TypeError"),
        ("forgetful", "raises NotImplementedError"),
        ("silent", "rings [0, 0, 0] agents"),
        ("crowded", "`single` must be False"),
        ("partial", "`neutral` must be False"),
        ("dated", "is not of interface version 1"),
    ],
    indirect=["installed"],
)
def test_what_is_wrong_with_a_strategy_is_said(installed: str, said: str) -> None:
    assert said in "; ".join(problems_of("mine"))


@pytest.mark.parametrize("name", sorted(strategies()))
def test_our_own_conform(name: str) -> None:
    assert list(problems_of(name)) == []
