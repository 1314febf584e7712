"""A live ladder of SIP messages: who sent what to whom, a line a message."""

import json
from typing import Any

Json = Any

WIDTH = 24


class Ladder:
    """Draws events of `/v1/trace` as they come.

    An event has `at` (ISO time), `from` and `to` (host:port; ours is "switch"), `summary` (start
    line) and `call_id`.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._parties: list[str] = []

    def show(self, event: Json) -> None:
        if self._as_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            return
        source, destination = str(event.get("from", "?")), str(event.get("to", "?"))
        if not {source, destination} <= set(self._parties):
            self._add(source, destination)
        print(self._line(event, source, destination), flush=True)

    def _add(self, *parties: str) -> None:
        """A new party opens a column; the heading is said anew."""
        self._parties += [party for party in dict.fromkeys(parties) if party not in self._parties]
        print(" " * 13 + "".join(f"{party:^{WIDTH}}" for party in self._parties))

    def _line(self, event: Json, source: str, destination: str) -> str:
        left, right = sorted((self._parties.index(source), self._parties.index(destination)))
        span = max((right - left) * WIDTH - 2, 1)
        text = f" {event.get('summary', '')} "[:span].center(span, "─")
        rightwards = self._parties.index(source) == left
        arrow = text[:-1] + "►" if rightwards else "◄" + text[1:]
        bars = [" " * (WIDTH // 2 - 1) + "│" + " " * (WIDTH // 2)] * len(self._parties)
        line = "".join(bars)
        start = left * WIDTH + WIDTH // 2
        return f"{_clock(event):<13}{line[:start]}{arrow}{line[start + len(arrow) :]}".rstrip()


def _clock(event: Json) -> str:
    """12:30:01.123 of an ISO time."""
    return str(event.get("at", "")).partition("T")[2][:12]
