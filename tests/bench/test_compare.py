"""What counts as worse from one run to another."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.compare import Change, changes, table
from bench.run import Run, load
from tests.bench.runs import BESIDE, PEERLESS, run, taken


def change(before: Run, after: Run, name: str) -> Change:
    return next(each for each in changes(before, after) if each.name == name)


def test_ratios_are_compared_where_both_runs_have_the_peer() -> None:
    """A machine that is half as fast, for us and for the peer, is no regression."""
    slow = {name: 2 * value for name, value in BESIDE.items() if not isinstance(value, str)}

    found = change(
        run(taken("relay", BESIDE)),
        run(taken("relay", slow)),
        "relay.io_uring_us_per_packet",
    )

    assert (found.before, found.after, found.baseline) == (0.5, 0.5, "rtpengine")
    assert not found.is_regression


def test_without_the_peer_the_yardstick_takes_its_place() -> None:
    before = run(taken("engine", {"decision_us": 10.0}, yardstick=0.05))
    after = run(taken("engine", {"decision_us": 30.0}, yardstick=0.10))

    found = change(before, after, "engine.decision_us")

    assert (found.before, found.after, found.worse) == (200.0, 300.0, 0.5)
    assert found.is_regression


def test_a_change_within_the_noise_of_both_runs_is_none() -> None:
    before = run(taken("engine", *({"decision_us": value} for value in (8.0, 10.0, 12.0))))
    after = run(taken("engine", *({"decision_us": value} for value in (10.0, 13.0, 14.0))))

    found = change(before, after, "engine.decision_us")

    assert found.worse == pytest.approx(0.3)
    assert found.bound == pytest.approx(0.2 + 2 / 13)
    assert not found.is_regression


def test_of_rates_more_is_better() -> None:
    before, after = ({"decisions_per_s": value} for value in (100_000.0, 50_000.0))

    found = change(
        run(taken("engine", before)), run(taken("engine", after)), "engine.decisions_per_s"
    )

    assert found.worse == 1.0
    assert found.is_regression


def test_the_first_failed_load_is_a_regression() -> None:
    before, after = ({"switch_call_failed": value} for value in (0, 1))

    found = list(changes(run(taken("signalling", before)), run(taken("signalling", after))))

    assert [each.is_regression for each in found] == [True]


def test_facts_of_the_load_are_not_compared() -> None:
    before, after = ({"calls": value} for value in (600, 900))

    assert not list(changes(run(taken("relay", before)), run(taken("relay", after))))


def test_the_command_tells_what_is_worse_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    worse = {**BESIDE, "io_uring_us_per_packet": 6.0}
    for file, raw in zip(files, (BESIDE, worse), strict=True):
        file.write_text(run(taken("relay", raw)).to_json())

    assert main(["compare", *map(str, files)]) == 1
    assert "WORSE  relay.io_uring_us_per_packet" in capsys.readouterr().out
    assert main(["compare", str(files[0]), str(files[0])]) == 0


def test_a_run_comes_back_from_its_file(tmp_path: Path) -> None:
    first = run(taken("relay", PEERLESS), taken("engine", {"decision_us_at_10_agents": 1.5}))
    file = tmp_path / "run.json"
    file.write_text(first.to_json())

    assert load(file) == first
    assert table(list(changes(first, load(file)))).endswith("0 worse, 0 better")


def test_a_strange_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "strange.json"
    file.write_text("[]")

    with pytest.raises(SystemExit, match=r"strange\.json is no result of this suite"):
        main(["compare", str(file), str(file)])
