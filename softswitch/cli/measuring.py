"""`softswitch bench`: hands over to the suite, which is a package beside this one."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from softswitch.cli.client import fail


def measure(words: list[str]) -> int:
    """Run the suite with these words in the folder that we stand in; its exit code."""
    root = Path(__file__).parent.parent.parent
    if find_spec("bench") is None or not (root / "tests" / "interop").is_dir():
        fail("bench needs the source tree: its load are the phones of the tests")
    return subprocess.call([sys.executable, "-m", "bench", *words])
