"""Commands are carried out in order, but not all before the sound that is due."""

from __future__ import annotations

import socket
import time

from media import commands, events
from media.engine import Engine
from media.stream import Stream
from media.wire import Framer, encode
from tests.media.test_engine_process import settings


def test_what_is_due_is_not_held_up_by_many_commands() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        engine = Engine(theirs, commands.Configure(settings("epoll", pairs=4), 0))
        ours.send(encode([commands.Open(1, 0), commands.Connect(1, Stream(("127.0.0.1", 9)))]))
        ours.send(encode([commands.Ask(7, 1), commands.Close(1)]))
        assert engine._hear()
        for left in (3, 2, 1, 0):
            engine._obey(time.monotonic(), due=0.0)
            assert len(engine._commands) == left
        engine._tell()
        told = Framer().feed(ours.recv(1 << 16))
        assert [type(event) for event in told] == [events.Ready, events.Told, events.Closed]
        ours.close()
        assert not engine._hear()
        engine.close()
