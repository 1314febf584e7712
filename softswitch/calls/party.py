"""Who is at the other end, as people see it."""

from typing import NamedTuple


class Party(NamedTuple):
    """A number (or user name) and the name shown beside it."""

    number: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.number}>" if self.name else self.number


ANONYMOUS = Party("anonymous", "Anonymous")
