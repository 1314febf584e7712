"""Scenario files, the command line and its reports, from the outside."""

import json
from pathlib import Path
from typing import Any

import pytest

from acd.events import Event
from acd.journal import encode
from acd.simulate.day import Day
from acd.simulate.laws import Constant, Exponential, Lognormal, Recorded
from acd.types import Instant
from config import ConfigError
from softswitch.cli import _run
from softswitch.simulation.command import Wish, base_scenario
from softswitch.simulation.scenario_file import load_scenario
from softswitch.store.engine_log import EngineLog

OFFICE = """
[agents.anna]
skills = { sales = 8 }
[agents.boris]
skills = { sales = 5 }
[queues.sales]
agents = ["anna", "boris"]
skills = { sales = 3 }
wrap_up = 10
"""
DAY = """
miss = 0.05
speed = { anna = 1.5 }

[[calls]]
queue = "sales"
hours = "09:00-12:00"
profile = { "09:00" = 20, "10:30" = 40 }
talk = { mean = 100, cv = 0.8 }
patience = 60
ring = 3

[[calls]]
queue = "sales"
per_hour = 5
hours = "10:00-11:00"
talk = { samples = [30, 60, 90] }
priority = 2

[[shifts]]
agents = "anna"
hours = "09:00-12:00"
breaks = ["10:00-10:15"]
"""


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.toml"
    path.write_text(DAY + OFFICE)
    return path


def test_a_scenario_file_is_read(day: Path) -> None:
    scenario = load_scenario(day)
    first, second = scenario.streams
    assert [(p.start, p.end, p.per_hour) for p in first.periods] == [
        (9 * 3600, 10.5 * 3600, 20),
        (10.5 * 3600, 12 * 3600, 40),
    ]
    assert (first.talk, first.patience, first.answer) == (
        Lognormal(100, 0.8), Exponential(60), Constant(3),
    )  # fmt: skip
    assert (second.talk, second.priority) == (Recorded((30, 60, 90)), 2)
    anna, boris = scenario.shifts
    assert (anna.agent, anna.breaks) == ("anna", ((36000, 36900),))
    assert (boris.agent, boris.start, boris.end) == ("boris", 9 * 3600, 12 * 3600)
    assert scenario.settings.queues["sales"].skills == "sales >= 3"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"09:00-12:00"\nprofile', '"9-12"\nprofile', "calls[0].hours"),
        ("miss = 0.05", "miss = 2", "miss"),
        ('queue = "sales"\nper_hour', 'queue = "sails"\nper_hour', "calls[1].queue"),
        ('agents = "anna"', 'agents = "ana"', "shifts[0].agents"),
        ("ring = 3", "rings = 3", "calls[0].rings"),
        ("wrap_up = 10", "wrapup = 10", "queues.sales.wrapup"),
        ("mean = 100, ", "mean = 100, samples = [1], ", "calls[0].talk"),
    ],
)
def test_mistakes_are_named_by_their_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = (DAY + OFFICE).replace(old, new, 1)
    assert text != DAY + OFFICE
    path = tmp_path / "day.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert key in [problem.key for problem in caught.value.problems]


def test_a_queue_of_the_settings_file_is_taken_alone(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    text = OFFICE.replace("wrap_up", 'overflow = { to = "queue:other", length = 3 }\nwrap_up')
    path.write_text(text + '[queues.other]\nagents = ["anna"]\n')
    scenario = base_scenario(Wish(queue="sales", config=path))
    assert list(scenario.settings.queues) == ["sales"]
    assert list(scenario.settings.agents) == ["anna", "boris"]


def run(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    assert _run(["simulate", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_strategies_and_staffing_side_by_side(
    day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--profile", day, "--strategy", "fair", "--strategy", "linear", "--seeds", 2]
    picture = tmp_path / "out.png"
    found = json.loads(run(*options, "--json", "--plot", picture, capsys=capsys))
    assert [candidate["name"] for candidate in found["candidates"]] == ["fair", "linear"]
    figures = found["candidates"][1]["figures"]
    assert figures["offered"]["against_first"] == {"mean": 0, "margin": 0}
    assert figures["SL-C-"]["margin"] is not None
    assert found["formulas"]["SL-A"] == "answered_in_T / answered"
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = run(*options, "--agents", 3, "--agents", 4, capsys=capsys)
    assert "fair, 3 agents" in table
    assert "square-root rule" in table


def test_without_any_file(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--agents", 4, "--calls-per-hour", 30, "--hours", 2, "--seeds", 1]
    table = run(*options, capsys=capsys)
    assert "longest-idle" in table
    assert "more give intervals" in table


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--strategy", "lineer"], "did you mean linear?"),
        (["--profile", "nowhere.toml"], "cannot be read"),
        (["--replay", "nowhere.journal"], "there is no such journal"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _run(["simulate", *options])
    assert said in capsys.readouterr().err


def recorded(day: Path) -> tuple[Day, list[tuple[Event, Instant]]]:
    scenario, events = load_scenario(day), list[tuple[Event, Instant]]()
    return Day(scenario, scenario.callers(1), journal=events), events


def test_a_recorded_day_from_a_file(
    day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done, events = recorded(day)
    journal, office = tmp_path / "day.journal", tmp_path / "office.toml"
    journal.write_bytes(b"\n".join(encode(event, at) for event, at in events))
    office.write_text(OFFICE)
    rows: list[dict[str, Any]] = json.loads(
        run(
            "--replay", journal, "--config", office, "--strategy", "linear", "--json", capsys=capsys
        )
    )["rules"]
    assert [row["rules"] for row in rows] == ["as recorded", "its own rules", "linear"]
    assert rows[0]["answered"] == len(done.assignments)
    assert rows[0]["calls_with_another_agent"] == 0
    assert rows[2]["calls_with_another_agent"] > 0
    assert rows[1]["surely"] == []
    assert rows[2]["margins"]["offered"] == 0  # the same callers, however patient
    table = run("--replay", journal, "--config", office, "--strategy", "linear", capsys=capsys)
    assert "its own rules" in table
    assert "calls with another agent" in table


def test_a_recorded_day_from_the_switchs_own_folder(
    day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The snapshot in it says with which settings the day began."""
    from acd.engine import Engine

    done, events = recorded(day)
    log = EngineLog(tmp_path / "acd")
    log.snapshot({"engine": Engine(done.scenario.settings).snapshot(), "history": {}})
    for event, at in events:
        log.append(encode(event, at))
    log.close()
    rows = json.loads(run("--replay", tmp_path / "acd", "--json", capsys=capsys))["rules"]
    assert rows[0]["answered"] == len(done.assignments)


def test_a_bad_record_is_named_by_its_number(
    day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal, office = tmp_path / "day.journal", tmp_path / "office.toml"
    journal.write_text('[0.0, {"event": "Tick"}]\n[1.0, {"event": "Tock"}]\n')
    office.write_text(OFFICE)
    with pytest.raises(SystemExit):
        _run(["simulate", "--replay", str(journal), "--config", str(office)])
    assert "record 2" in capsys.readouterr().err


def test_the_example_of_the_manual_is_a_scenario() -> None:
    scenario = load_scenario(Path(__file__).parents[2] / "docs" / "sales-day.toml")
    assert len(scenario.shifts) == 5
