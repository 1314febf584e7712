"""Why a call ended or was refused: SIP statuses, Q.850 causes and our own words, in one place.

Records carry the word, SIP the status, Reason headers both (RFC 3326, RFC 3398 §8.2.6).
"""

from typing import NamedTuple

from softswitch.sip.reason import Reason


class Cause(NamedTuple):
    """One reason: our `word`, the SIP `status` to refuse with and the `q850` value."""

    word: str
    status: int
    q850: int


NORMAL = Cause("normal", 480, 16)
BUSY = Cause("busy", 486, 17)
NO_ANSWER = Cause("no-answer", 480, 19)
UNREACHABLE = Cause("unreachable", 480, 20)
DECLINED = Cause("declined", 603, 21)
UNKNOWN_NUMBER = Cause("unknown-number", 404, 1)
FORBIDDEN = Cause("forbidden", 403, 21)
NOT_ACCEPTABLE = Cause("not-acceptable", 488, 88)
TIMED_OUT = Cause("timed-out", 408, 102)
FAILED = Cause("failed", 500, 41)
CONGESTED = Cause("congested", 503, 34)
CANCELLED = Cause("cancelled", 487, 16)
ELSEWHERE = Cause("answered-elsewhere", 487, 26)
LOOP = Cause("loop", 482, 25)
SILENT = Cause("media-silent", 480, 27)
SHUT_DOWN = Cause("shut-down", 503, 38)

_BY_STATUS = {
    404: UNKNOWN_NUMBER,
    408: TIMED_OUT,
    410: UNKNOWN_NUMBER,
    480: NO_ANSWER,
    482: LOOP,
    483: LOOP,
    484: UNKNOWN_NUMBER,
    486: BUSY,
    487: CANCELLED,
    488: NOT_ACCEPTABLE,
    600: BUSY,
    603: DECLINED,
    604: UNKNOWN_NUMBER,
    606: NOT_ACCEPTABLE,
}


def cause_of(status: int) -> Cause:
    """The cause that a final SIP status from a far side stands for."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    if 500 <= status < 600:
        return Cause("failed", status, 41)
    return Cause("refused", status, 21)


def reason_of(cause: Cause) -> Reason:
    """What a CANCEL or BYE says of it (RFC 3326)."""
    if cause is ELSEWHERE:
        return Reason("SIP", 200, "Call completed elsewhere")
    return Reason("Q.850", cause.q850, cause.word)
