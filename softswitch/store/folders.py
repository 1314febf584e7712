"""Folders that things are kept in."""

from pathlib import Path

from softswitch.store.errors import StoreError


def make(directory: Path) -> None:
    """Make it unless it is there.  Raises `StoreError`, a sentence, where it cannot be used."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise StoreError(f"nothing can be kept in {directory}: {reason}") from error
