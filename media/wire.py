"""How switch and engine talk over their socketpair: lists of dataclasses, a length before each.

    | length of what follows, 4 | form: `m` or `p`, 1 | objects |

What every call needs travels as bare tuples, each with the number of its class, written by
marshal in a tenth of pickle's time; a list that holds anything else is pickled whole.  Both ends
are the same program and the socket has no name, so either is safe here: nobody else can write to
it.  Knows the fields of the frequent classes; nothing of what they mean.
"""

from __future__ import annotations

import marshal
import pickle
import struct
from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias

from media import commands, events
from media.stream import SrtpKey, Stream

_LENGTH = struct.Struct("<I")
_MARSHALLED, _PICKLED = b"mp"

Values: TypeAlias = tuple[Any, ...]


class _Form(NamedTuple):
    """How objects of one class become a tuple, and come back."""

    values: Callable[[Any], Values]
    made: Callable[..., Any]


def _plain(kind: type) -> _Form:
    """A class whose fields are numbers, texts and the like."""
    names = [each.name for each in fields(kind)]
    if len(names) > 1:
        return _Form(attrgetter(*names), kind)
    get = attrgetter(names[0])
    return _Form(lambda thing: (get(thing),), kind)


def _holding(kind: type, inner: _Form) -> _Form:
    """A class of two fields, of which the second is an object of `inner`."""
    first, second = (attrgetter(each.name) for each in fields(kind))

    def values(thing: Any) -> Values:
        return first(thing), inner.values(second(thing))

    def made(number: int, within: Values) -> Any:
        return kind(number, inner.made(*within))

    return _Form(values, made)


def _key(key: SrtpKey | None) -> Values | None:
    return None if key is None else (key.suite, key.key)


def _stream_values(stream: Stream) -> Values:
    """The two keys are the only fields that are objects themselves."""
    names = _STREAM.values(stream)
    return *names, _key(stream.srtp_send), _key(stream.srtp_receive)


def _stream(*values: Any) -> Stream:
    *plain, send, receive = values
    known = dict(zip(_STREAM_NAMES, plain, strict=True))
    known["srtp_send"] = None if send is None else SrtpKey(*send)
    known["srtp_receive"] = None if receive is None else SrtpKey(*receive)
    return Stream(**known)


_STREAM_NAMES: Final = [
    each.name for each in fields(Stream) if each.name not in ("srtp_send", "srtp_receive")
]
_STREAM: Final = _Form(attrgetter(*_STREAM_NAMES), Stream)
_STATS: Final = _plain(events.LegStats)
_FORMS: Final[dict[type, _Form]] = {
    **{
        kind: _plain(kind)
        for kind in (commands.Open, commands.Hear, commands.Detect, commands.Ask, commands.Close)
    },
    commands.Connect: _holding(commands.Connect, _Form(_stream_values, _stream)),
    **{kind: _holding(kind, _STATS) for kind in (events.Closed, events.Told, events.Quality)},
    **{
        kind: _plain(kind)
        for kind in (events.Played, events.Dtmf, events.SourceChanged, events.Features)
    },
}
_NUMBERED: Final = {
    kind: (number, form.values) for number, (kind, form) in enumerate(_FORMS.items())
}
_MADE: Final = [form.made for form in _FORMS.values()]


def encode(objects: Sequence[object]) -> bytes:
    """One frame that carries all `objects`, in order."""
    try:
        flat = []
        for thing in objects:
            number, values = _NUMBERED[type(thing)]
            flat.append((number, values(thing)))
        body = b"m" + marshal.dumps(flat)
    except (KeyError, ValueError):  # a class that is seldom sent, or a field of one
        body = b"p" + pickle.dumps(objects, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def _decode(body: memoryview) -> list[Any]:
    if body[0] == _PICKLED:
        objects: list[Any] = pickle.loads(body[1:])
        return objects
    return [_MADE[number](*values) for number, values in marshal.loads(body[1:])]


class Framer:
    """Gives back whole frames from a stream of octets."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Objects of every frame that `data` completes, in order."""
        buffer = self._buffer
        buffer += data
        objects: list[Any] = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            with memoryview(buffer) as view, view[start + _LENGTH.size : end] as body:
                objects += _decode(body)
            start = end
        del buffer[:start]
        return objects
