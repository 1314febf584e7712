"""What may go wrong with a session description, and whose fault it is."""

from __future__ import annotations


class SdpError(Exception):
    """The peer's octets are no session description (RFC 8866): data, owed a 400 or 488."""


class NotAcceptable(SdpError):  # noqa: N818 - the reason phrase of RFC 3261 §21.4.26
    """A well-formed offer or answer that leaves nothing to talk with: a 488 is owed.

    `warning` is the code for the Warning header (RFC 3261 §20.43), such as 305 for
    "incompatible media format".
    """

    def __init__(self, reason: str, *, warning: int = 399) -> None:
        super().__init__(reason)
        self.warning = warning
