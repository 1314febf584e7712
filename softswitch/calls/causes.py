"""Why a call ended or was refused: SIP statuses, Q.850 causes and our own words, in one place.

Records carry the word, SIP the status, Reason headers both (RFC 3326, RFC 3398 §8.2.6).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from softswitch.sip.message import Response
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


_BY_Q850 = {
    **dict.fromkeys((1, 2, 3), 404),
    17: 486,
    18: 408,
    **dict.fromkeys((19, 20, 31), 480),
    21: 403,
    **dict.fromkeys((22, 23), 410),
    26: 404,
    27: 502,
    28: 484,
    29: 501,
    **dict.fromkeys((34, 38, 41, 42, 47, 58, 88), 503),
    **dict.fromkeys((55, 57, 87), 403),
    **dict.fromkeys((65, 70), 488),
    102: 504,
}
"""What an ISDN cause is in SIP (RFC 3398 §7.2.4.1)."""

_VAGUE = frozenset((480, 500, 502, 503, 603))
"""Statuses under which gateways hide what their Reason header tells better."""

_Q850 = re.compile(r"\s*Q\.850\s*;(?:[^,]*;)?\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE)


def understood(status: int, response: Response | None, statuses: Mapping[int, int]) -> int:
    """What a peer means by refusing with `status`.

    `statuses` are the administrator's word about this peer; without one, the ISDN cause in
    its Reason header explains a status that says little (RFC 3326).
    """
    if status in statuses:
        return statuses[status]
    if response is None or status not in _VAGUE:
        return status
    found = (_Q850.match(text) for text in response.headers.values("Reason"))
    values = [int(match[1]) for match in found if match]
    return _BY_Q850.get(values[0], status) if values else status


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


_OURS_ALONE = {401: 403, 407: 403, 408: 480, 481: 480, 487: 480, 491: 480, 494: 403}


def told(status: int) -> int:
    """The status that a caller is told when the far side refused with `status`.

    Redirections, challenges and dialog faults concern us and the far side alone
    (RFC 3261 §16.7 step 6, RFC 7092 §3.1).
    """
    return 480 if status < 400 else _OURS_ALONE.get(status, status)
