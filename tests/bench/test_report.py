"""The report: aims met and missed, loads that failed, growth, and the words above the mark."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.aims import AIMS
from bench.catalogue import BY_NAME
from bench.report import MARK, markdown, write
from bench.run import Taken
from tests.bench.runs import BESIDE, PEERLESS, run, taken

AIM = AIMS["relay.io_uring_us_per_packet"]


def test_a_figure_stands_beside_its_peer_and_its_aim() -> None:
    text = markdown(run(taken("relay", BESIDE)))

    row = "| relay.io_uring_us_per_packet | 3 µs | 0.5 × rtpengine | ≤ 0.6 × rtpengine | met |"
    assert row in text
    assert "| relay.io_uring_us_per_packet | 3 µs | 6 µs | 0.5 × rtpengine |" in text
    assert "`softswitch bench relay`" in text
    assert "Load: calls 600." in text


def test_an_absent_peer_is_said_in_a_line() -> None:
    text = markdown(run(taken("relay", PEERLESS)))

    assert "* rtpengine: is not installed" in text
    assert "no peer to compare with" in text


def test_what_failed_is_said_first() -> None:
    broken = Taken("rooms", 2.0, error="no ports are free")
    text = markdown(run(taken("signalling", {"switch_call_failed": 3}), broken))

    assert "**Loads that failed in part:** signalling.switch_call_failed 3." in text
    assert "**Failed:** no ports are free" in text


def test_growth_has_its_exponent() -> None:
    raw = {f"decision_us_at_{agents}_agents": float(agents) for agents in (10, 100, 1000)}

    text = markdown(run(taken("engine", raw)))

    assert (
        "| engine.decision_us | agents | 10: 10 µs, 100: 100 µs, 1,000: 1,000 µs | +1.00 |" in text
    )


def test_what_people_wrote_above_the_mark_stays(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Benchmarks\n\nOur words.\n\n{MARK}\n\nold figures\n")

    write(run(taken("relay", BESIDE)), page)

    text = page.read_text()
    assert text.startswith(f"# Benchmarks\n\nOur words.\n\n{MARK}\n\n## Machine")
    assert "old figures" not in text


def test_plots_are_drawn_and_shown(tmp_path: Path) -> None:
    plots = pytest.importorskip("bench.plots")
    pytest.importorskip("matplotlib")
    raw = {f"decision_us_at_{agents}_agents": 1.0 + agents for agents in (10, 100)}
    whole = run(taken("relay", BESIDE), taken("engine", raw))

    drawn = plots.draw(whole, tmp_path / "benchmarks")
    write(whole, tmp_path / "benchmarks.md", drawn)

    assert [path.read_bytes()[:4] for path in drawn] == [b"\x89PNG"] * 3
    assert "![growth](benchmarks/growth.png)" in (tmp_path / "benchmarks.md").read_text()


def test_every_aim_is_about_a_measurement_that_there_is() -> None:
    names = {name for aim in AIMS.values() for name in (aim.figure, aim.of) if name}

    assert {name.partition(".")[0] for name in names} <= BY_NAME.keys()


def test_an_unknown_measurement_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="there is no measurement nonsense"):
        main(["nonsense"])


def test_every_module_with_figures_is_in_the_catalogue() -> None:
    folder = Path(__file__).parents[2] / "bench"
    measuring = {
        path.stem
        for path in folder.glob("*.py")
        if "\ndef figures(quick: bool)" in path.read_text()
    }

    assert measuring == set(BY_NAME)
