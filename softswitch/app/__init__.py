"""The composition root: builds every room, joins them, runs until told to stop.

The only package that knows all rooms.  Nothing is decided here but who is given what.
"""

from softswitch.app.process import run

__all__ = ["run"]
