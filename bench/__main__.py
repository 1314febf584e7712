"""`python -m bench [NAME …]`: measure this machine; `python -m bench compare A.json B.json`.

Exit codes: 0 done, 1 a measurement failed or a figure became worse.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.catalogue import BY_NAME, MEASUREMENTS, Measurement
from bench.compare import THRESHOLD, changes, table
from bench.run import Run, load
from bench.suite import take


def main(words: Sequence[str]) -> int:
    if words[:1] == ["compare"]:
        return _compare(words[1:])
    wish = _parser().parse_args(words)
    run = take(_chosen(wish.names, wish.quick), quick=wish.quick, rounds=wish.rounds)
    if wish.json:
        wish.json.parent.mkdir(parents=True, exist_ok=True)
        wish.json.write_text(run.to_json(), encoding="utf-8")
    if wish.report:
        report.write(run, wish.report, _drawn(run, wish.report.with_suffix("")))
    else:
        print(report.markdown(run))
    return 1 if any(taken.error for taken in run.taken) or run.failures() else 0


def _parser() -> argparse.ArgumentParser:
    known = "\n".join(f"  {each.name:12} {each.title}" for each in MEASUREMENTS)
    parser = argparse.ArgumentParser(
        prog="softswitch bench",
        description="What this switch costs on this machine, beside its peers where they are.",
        epilog=f"measurements:\n{known}\n\ncompare A.json B.json shows what has become worse",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of them; absent: all")
    parser.add_argument("--quick", action="store_true", help="all of them in a minute")
    parser.add_argument("--rounds", type=int, default=1, help="take each so often: tells the noise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write Markdown and plots")
    return parser


def _chosen(names: Sequence[str], quick: bool) -> list[Measurement]:
    for name in names:
        if name not in BY_NAME:
            sys.exit(f"there is no measurement {name}; choose from {', '.join(BY_NAME)}")
    if names:
        return [BY_NAME[name] for name in names]
    kinds = ("always",) if quick else ("always", "whole")
    return [each for each in MEASUREMENTS if each.taken in kinds]


def _drawn(run: Run, folder: Path) -> list[Path]:
    from bench.plots import draw

    try:
        return draw(run, folder)
    except ImportError:
        print('no plots: they need matplotlib, pip install "softswitch[plots]"', file=sys.stderr)
        return []


def _compare(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="softswitch bench compare",
        description="What has become worse from one run to another, by more than the noise.",
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="0.1 is a tenth")
    wish = parser.parse_args(words)
    try:
        found = list(changes(load(wish.before), load(wish.after), wish.threshold))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(table(found))
    return 1 if any(change.is_regression for change in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
