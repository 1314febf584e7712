"""`python -m bench [NAME …]`: every measurement one after another, or those named."""

import pkgutil
import runpy
import sys
from pathlib import Path


def names() -> list[str]:
    """Measurements: the modules of this package that have a main program."""
    folder = Path(__file__).parent
    found = (module.name for module in pkgutil.iter_modules([str(folder)]))
    return [name for name in found if "__main__" in (folder / f"{name}.py").read_text()]


def main(wanted: list[str]) -> None:
    known = [name for name in names() if name != "__main__"]
    strangers = set(wanted) - set(known)
    if strangers:
        sys.exit(f"there is no measurement {sorted(strangers)[0]}; choose from {', '.join(known)}")
    for name in wanted or known:
        print(f"── {name} ──", flush=True)
        sys.argv = [name]
        runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
