"""What can go wrong with things that last, by whose fault it is."""

from pathlib import Path


class StoreError(Exception):
    """Base of all errors of this package; the text is a sentence for the administrator."""


class JournalFullError(StoreError):
    """The journal could not take a record: nothing was kept, so nothing may be answered."""


class JournalLockedError(StoreError):
    """Another running switch owns this journal."""


class JournalCorruptError(StoreError):
    """A record in the middle of the journal is damaged; what follows it cannot be trusted.

    `offset` is the byte of `path` where the damaged record starts.
    """

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(
            f"{path}, byte {offset}: {reason}; restore this file from a backup, or move the "
            f"journal's directory away to start without what the database has not yet got"
        )
        self.path, self.offset, self.reason = path, offset, reason


class SchemaTooNewError(StoreError):
    """The database was written by a later version of the switch."""
