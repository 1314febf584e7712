"""What an administrator may set: typed tables, and a loader that names every mistake at once.

The package knows the settings file and nothing of the switch that obeys it: no socket, no
database, no asyncio.  One TOML file becomes one immutable `Settings`; `load` refuses a file with
mistakes, `examine` lists them.
"""

from config.changes import Change, changes, needs_restart, with_fixed
from config.loader import examine, load
from config.passwords import is_placeholder
from config.problems import ConfigError, Problem
from config.settings import Settings
from config.targets import Kind, Target, Targets

__all__ = [
    "Change",
    "ConfigError",
    "Kind",
    "Problem",
    "Settings",
    "Target",
    "Targets",
    "changes",
    "examine",
    "is_placeholder",
    "load",
    "needs_restart",
    "with_fixed",
]
