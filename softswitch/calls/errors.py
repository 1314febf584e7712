"""What can go wrong with a call through nobody's mistake in the code."""

from softswitch.calls.causes import Cause, cause_of
from softswitch.sip.types import SwitchError


class NotAnswered(SwitchError):  # noqa: N818 - a state of affairs, no fault
    """Nobody took the call; `status` is the best final SIP answer of all who were tried."""

    def __init__(self, status: int, reason: str | None = None) -> None:
        super().__init__(f"{status} {reason or ''}".strip())
        self.status, self.reason = status, reason

    @property
    def cause(self) -> Cause:
        return cause_of(self.status)


class Refused(SwitchError):  # noqa: N818 - as above
    """A feature refuses the call for a reason of its own: barred, full, a loop."""

    def __init__(self, cause: Cause, text: str = "") -> None:
        super().__init__(text or cause.word)
        self.cause = cause
