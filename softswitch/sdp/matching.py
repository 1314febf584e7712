"""Which formats two sides share, and under which numbers (RFC 3264 §6.1).

Every leg has its own payload types: what we send carries the peer's number, what we
receive carries ours, and the two may differ.  Results are remembered: offices are full
of equal phones.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from softswitch.sdp.codecs import (
    COMFORT_NOISE,
    FIRST_DYNAMIC,
    LAST_PAYLOAD_TYPE,
    TELEPHONE_EVENT,
    Codec,
    telephone_event,
)

FIRST_EVENT = 101
"""The number that most phones give to telephone-event, and simple ones take for granted."""


class Pair(NamedTuple):
    """One format as both sides wrote it."""

    send: Codec
    """The peer's: number and fmtp for what we send."""
    receive: Codec
    """Ours: number and fmtp for what the peer sends."""


class Common(NamedTuple):
    """What both sides know, in order of preference."""

    sound: tuple[Pair, ...]
    events: tuple[Pair, ...]
    """telephone-event, the one at the clock of the first sound codec in front."""
    noise: tuple[Pair, ...]
    received: tuple[Codec, ...]
    """All of it under our numbers, as an answer lists it; sound comes first."""


@lru_cache(maxsize=512)
def own_formats(
    codecs: tuple[Codec, ...], dtmf: bool, noise: bool, bound: tuple[Codec, ...] = ()
) -> tuple[Codec, ...]:
    """Everything we can take: `codecs`, telephone-event at each of their clocks, CN.

    A number that `bound` gave away keeps its meaning for the rest of the session
    (RFC 3264 §8.3.2).  8000 Hz events come always, since phones send them beside Opus.
    """
    wanted = list(codecs)
    if dtmf:
        clocks = dict.fromkeys([8000, *(codec.clock_rate for codec in codecs)])
        wanted += [telephone_event(FIRST_EVENT, clock) for clock in clocks]
    if noise and any(codec.clock_rate == 8000 for codec in codecs):
        wanted.append(Codec(COMFORT_NOISE, 13))
    return tuple(_numbered(wanted, bound))


def _numbered(wanted: Iterable[Codec], bound: tuple[Codec, ...]) -> Iterable[Codec]:
    """Give each dynamic codec its bound number, else its own if free, else any free one."""
    numbers = {codec.key: codec.payload_type for codec in bound}
    taken = set(numbers.values())
    for codec in wanted:
        number: int | None = numbers.get(codec.key, codec.payload_type)
        if codec.key not in numbers and number in taken:
            number = _free(taken)
        if number is None:
            continue
        numbers[codec.key] = number
        taken.add(number)
        yield codec._replace(payload_type=number)


def _free(taken: set[int]) -> int | None:
    """The next number from 101 up, then from 96; None when all 32 are in use."""
    candidates = [*range(FIRST_EVENT, LAST_PAYLOAD_TYPE + 1), *range(FIRST_DYNAMIC, FIRST_EVENT)]
    return next((number for number in candidates if number not in taken), None)


@lru_cache(maxsize=512)
def match(theirs: tuple[Codec, ...], ours: tuple[Codec, ...], answering: bool) -> Common:
    """What `theirs` and `ours` share.

    Answering, the order is ours and the numbers are theirs, as RFC 3264 §6.1 would
    have it; reading an answer, the order is theirs and each side keeps its numbers.
    """
    if answering:
        first = {codec.key: codec for codec in reversed(theirs)}
        pairs = [
            Pair(send, codec._replace(payload_type=send.payload_type))
            for codec in ours
            if (send := first.get(codec.key)) is not None
        ]
    else:
        known = {codec.key: codec for codec in reversed(ours)}
        pairs = [Pair(codec, known[codec.key]) for codec in theirs if codec.key in known]
    return _sorted(pairs)


def _sorted(pairs: list[Pair]) -> Common:
    """Part sound from what accompanies it."""
    events = [pair for pair in pairs if pair.send.key[0] == TELEPHONE_EVENT]
    noise = [pair for pair in pairs if pair.send.key[0] == COMFORT_NOISE.lower()]
    sound = [pair for pair in pairs if pair not in events and pair not in noise]
    clocks = list(dict.fromkeys(pair.send.clock_rate for pair in sound))
    fitting = [pair for pair in events if pair.send.clock_rate in clocks]
    fitting.sort(key=lambda pair: clocks.index(pair.send.clock_rate))
    kept = [*sound, *(fitting or events[:1]), *noise]
    return Common(
        tuple(sound),
        tuple(fitting or events[:1]),
        tuple(noise),
        tuple([pair.receive for pair in kept]),
    )
