"""`python -m bench.child NAME [--quick]`: one measurement in a process of its own, as JSON.

A process each, so that one that fails, leaks or pins its cores does not touch the next.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback

from bench.catalogue import BY_NAME
from bench.cores import CROWD, MEASURED
from bench.yardstick import take


def main(name: str, quick: bool) -> int:
    with contextlib.redirect_stdout(sys.stderr):  # of the programs that are measured
        measure = importlib.import_module(f"bench.{name}").figures
        os.sched_setaffinity(0, MEASURED)
        before = take()
        os.sched_setaffinity(0, MEASURED if BY_NAME[name].alone else CROWD)
        try:
            found = dict(measure(quick))
        except Exception as error:
            traceback.print_exc()
            print(json.dumps({"error": _first_line(error)}), file=sys.__stdout__)
            return 1
        os.sched_setaffinity(0, MEASURED)
        after = take()
    yardsticks = {kind: (before[kind] + after[kind]) / 2 for kind in before}
    print(json.dumps({"figures": found, "yardsticks": yardsticks}))
    return 0


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--quick" in sys.argv[2:]))
