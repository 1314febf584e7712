"""Session timers: a peer that vanished is noticed by a refresh that fails (RFC 4028).

Knows Session-Expires, Min-SE, who refreshes and when.  Refuses to know how a refresh is
sent and how a session ends: it calls `refresh` and `expire`.
"""

from __future__ import annotations

from collections.abc import Callable

from softswitch.sip.headers import parse_params, parse_seconds
from softswitch.sip.message import Message, Request, Response
from softswitch.sip.timers import NEVER, Alarm, TimerHeap
from softswitch.sip.types import Instant, ParseError, Seconds

LEAST: Seconds = 90
"""What a Min-SE means that is absent (§5)."""


def session_expires(message: Message) -> tuple[int | None, str]:
    """(interval in seconds, refresher) of a Session-Expires; None if absent or senseless."""
    text = message.headers.get("Session-Expires")
    if text is None:
        return None, ""
    interval, _, params = text.partition(";")
    try:
        refresher = parse_params(f";{params}").get("refresher", "") if params else ""
    except ParseError:
        refresher = ""
    return parse_seconds(interval.strip()), refresher.lower()


def min_se(message: Message) -> int:
    """The least interval that the others on the way accept, in seconds."""
    return parse_seconds((message.headers.get("Min-SE") or "").partition(";")[0].strip()) or 0


def is_too_small(request: Request, least: Seconds) -> bool:
    """Whether the request is owed 422 (§8.1): only a peer that knows timers can raise it."""
    interval, _ = session_expires(request)
    return interval is not None and interval < least and "timer" in request.supported


class SessionTimer(Alarm):
    """The timer of one session: at half the interval the refresher refreshes, and
    min(32 s, a third) before its end whoever saw no refresh ends the session (§10).

    `wanted` is our own interval, 0 if we do not ask for one.
    """

    __slots__ = ("_expire", "_expires_at", "_heap", "_least", "_refresh", "_we_refresh", "wanted")

    def __init__(
        self,
        wanted: Seconds,
        heap: TimerHeap,
        refresh: Callable[[], None],
        expire: Callable[[], None],
    ) -> None:
        self.due = self.queued = NEVER
        self.wanted, self._heap, self._refresh, self._expire = wanted, heap, refresh, expire
        self._we_refresh: bool | None = None
        self._least = 0
        self._expires_at = NEVER

    def request_lines(self) -> str:
        """What our INVITE or UPDATE asks for; roles once agreed are kept (§7.4)."""
        if not self.wanted:
            return ""
        role = {True: ";refresher=uac", False: ";refresher=uas", None: ""}[self._we_refresh]
        least = f"Min-SE: {self._least}\r\n" if self._least > LEAST else ""
        return f"Session-Expires: {int(self.wanted)}{role}\r\n{least}"

    def raise_to(self, refusal: Response) -> bool:
        """Take the Min-SE of a 422 (§7.3); whether that makes another attempt worthwhile."""
        least = min_se(refusal)
        if not self.wanted or least <= self.wanted:
            return False
        self._least = least
        self.wanted = least
        return True

    def answer_lines(self, request: Request, now: Instant) -> list[tuple[str, str]]:
        """Agree to an INVITE or UPDATE of the peer, start, and say so in the 2xx (§9)."""
        asked, refresher = session_expires(request)
        if asked is None and not self.wanted:
            self.stop()
            return []
        least = max(min_se(request), LEAST)
        interval = min(asked or NEVER, max(self.wanted or NEVER, least))
        if "timer" not in request.supported:
            refresher = "uas"
        elif refresher not in ("uac", "uas"):
            refresher = "uac"
        self._start(interval, now, we_refresh=refresher == "uas")
        lines = [("Session-Expires", f"{int(interval)};refresher={refresher}")]
        return [*lines, ("Require", "timer")] if refresher == "uac" else lines

    def learn(self, response: Response, now: Instant) -> None:
        """Start as a 2xx to our request says; a peer without timers is refreshed by us."""
        interval, refresher = session_expires(response)
        if interval is not None:
            self._start(interval, now, we_refresh=refresher != "uas")
        elif self.wanted:
            self._start(self.wanted, now, we_refresh=True)
        else:
            self.stop()

    def stop(self) -> None:
        self._heap.disarm(self)

    def close(self) -> None:
        """Stop for good, and let go of the session."""
        self._heap.disarm(self)
        self._refresh = self._expire = _nobody

    def ring(self, now: Instant) -> None:
        if now >= self._expires_at:
            self._expire()
            return
        self._heap.arm(self, self._expires_at)
        self._refresh()

    def _start(self, interval: Seconds, now: Instant, *, we_refresh: bool) -> None:
        self.wanted, self._we_refresh = interval, we_refresh
        self._expires_at = now + interval - min(32.0, interval / 3)
        self._heap.arm(self, now + interval / 2 if we_refresh else self._expires_at)


def _nobody() -> None:
    """The session is over."""
