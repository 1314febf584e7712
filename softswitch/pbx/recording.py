"""Recording of conversations: who wishes it, who is told of it, which files it makes (R2, R8).

A call's file is named by the call: `recordings/YYYY/MM/DD/ID.wav`, a further part of it
(another party, a second request) `ID-2.wav`.  A disk that refuses is an alarm, never the
end of a call.  Stereo: the served party left, the other one right.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import structlog

from config.queues import Queue
from config.settings import Settings
from config.targets import Kind
from media import client, events
from media.items import Item, Silence, Tone
from softswitch.calls.call import Call
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.pbx.archive import home
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.pbx.conversation import Conversation
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("recording")

ALARM: Final = "recording"
BEEP: Final = Tone("confirm")
LONGEST_NOTICE: Seconds = 30.0
ROOM_RATE: Final = 8000


@dataclass(slots=True)
class Tape:
    """What is recorded of one call."""

    why: str = ""
    """Whose wish it is: `extension:101`, `line:7495…`, `queue:sales`; "" nobody's."""
    notice: str | None = None
    """The prompt that tells of it, where it is not that of `[recording]`."""
    told: bool = False
    paused: bool = False
    parts: list[str] = field(default_factory=list)
    recorder: client.Recorder | None = None
    reminder: client.Player | None = None
    """The tone that both hear from time to time."""
    legs: tuple[Leg, ...] = ()


class Recordings:
    """All recordings of the switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._tapes: WeakKeyDictionary[Call, Tape] = WeakKeyDictionary()

    def tape(self, call: Call) -> Tape:
        return self._tapes.setdefault(call, Tape())

    # -- conversations ---------------------------------------------------------------

    async def announce(self, talk: Conversation) -> None:
        """Before two are joined: tell both that they are recorded, if they are to be (R8)."""
        tape = self.tape(talk.call)
        tape.why = tape.why or wish(self._switch.settings, talk.call, talk.a, talk.b)
        if not tape.why:
            self._tapes.pop(talk.call)
            return
        queue = queue_of(self._switch.settings, talk.call)
        tape.notice = queue.record_notice if queue is not None else None
        name = self._notice_of(tape)
        if tape.told or name is None:
            return
        self._note_told(talk.call, tape)
        await both_hear(talk, *await Voice(self._switch, talk.call).items(name))

    def follow(self, talk: Conversation) -> None:
        """The two who talk are these now: record them if that is wished."""
        tape = self._tapes.get(talk.call)
        legs = (talk.a, talk.b)
        if tape is None or not tape.why or any(leg.ended for leg in legs):
            return
        if tape.legs != legs:
            self._stop(tape)
            self._start(talk.call, tape, legs)
        if tape.reminder is not None and not any(leg.held for leg in legs):
            for leg in legs:
                leg.hear(talk.other(leg), tape.reminder)

    def rest(self, call: Call) -> None:
        """The two have parted; who talks next in this call is another part."""
        if (tape := self._tapes.get(call)) is not None:
            self._stop(tape)

    # -- by command and by key -------------------------------------------------------

    def pause(self, call: Call, paused: bool) -> bool:
        """Leave out what is said from now on, or go on; False where nothing is recorded."""
        tape = self._tapes.get(call)
        if tape is None or tape.recorder is None:
            return False
        if tape.paused is not paused:
            tape.paused = paused
            (tape.recorder.pause if paused else tape.recorder.resume)()
            call.record.event("recording-paused" if paused else "recording-resumed")
        return True

    async def toggle(self, talk: Conversation, leg: Leg) -> None:
        """`*1`: begin or end a recording on demand, which both hear; pause one that is a rule's.

        Without effect for one whose extension is never recorded, or who is not of ours.
        """
        person = self._switch.settings.extensions.get(leg.owner or "")
        if person is None or person.record == "never":
            return
        tape = self.tape(talk.call)
        if not tape.why or tape.why.startswith("demand:"):
            await self.demand(talk, leg.owner or "")
        else:
            self.pause(talk.call, not tape.paused)
            await self._tell(talk, "recording-paused" if tape.paused else "recording-resumed")

    async def demand(self, talk: Conversation, by: str) -> None:
        """Begin or end a recording on demand of extension `by`, which both hear."""
        tape = self.tape(talk.call)
        if not tape.why:
            await self._tell(talk, BEEP, "recording-started")
            self._note_told(talk.call, tape)
            tape.why = f"demand:{by}"
            self.follow(talk)
        else:
            tape.why = ""
            self._stop(tape)
            await self._tell(talk, BEEP, "recording-stopped")

    async def _tell(self, talk: Conversation, *what: str | Item) -> None:
        await both_hear(talk, *await Voice(self._switch, talk.call).items(*what))
        talk.join()

    # -- rooms -----------------------------------------------------------------------

    def of_room(self, name: str, room: client.Room) -> client.Recorder:
        """Record all of a conference into one file."""
        path = self._folder() / f"conference-{name}-{time.time():.0f}{self._suffix}"
        return self._switch.board.media.record(
            str(path),
            room,
            rate=ROOM_RATE,
            stereo=False,
            format=self._switch.settings.recording.format,
            on_event=self._on_recorded,
        )

    # -- inside ----------------------------------------------------------------------

    def _start(self, call: Call, tape: Tape, legs: tuple[Leg, Leg]) -> None:
        part = f"-{len(tape.parts) + 1}" if tape.parts else ""
        path = self._folder() / f"{call.id}{part}{self._suffix}"
        settings = self._switch.settings.recording
        tape.recorder = self._switch.board.media.record(
            str(path),
            legs[0].sound.port,
            legs[1].sound.port,
            stereo=settings.stereo,
            format=settings.format,
            on_event=self._on_recorded,
        )
        tape.legs, tape.paused = legs, False
        if settings.tone_every:
            pause = Silence(round(settings.tone_every * 1000))
            tape.reminder = self._switch.board.media.player(pause, BEEP, loop=True)
        tape.parts.append(str(path))
        call.record.learn(recording=tape.parts[0], recordings=tape.parts[:])
        call.record.event("recording", why=tape.why, path=str(path))

    def _stop(self, tape: Tape) -> None:
        if tape.recorder is not None:
            tape.recorder.stop()
        if tape.reminder is not None:
            tape.reminder.close()
        tape.recorder, tape.reminder, tape.legs = None, None, ()

    def _on_recorded(self, event: events.Event) -> None:
        assert isinstance(event, events.Recorded)
        if event.error is not None:
            self._switch.alarms.raise_(ALARM, f"a recording is torn: {event.error}")
        else:
            self._switch.alarms.clear(ALARM)

    def _notice_of(self, tape: Tape) -> str | None:
        return tape.notice or self._switch.settings.recording.notice

    def _note_told(self, call: Call, tape: Tape) -> None:
        """The proof that the notice was given."""
        tape.told = True
        call.record.event("recording-notice", prompt=self._notice_of(tape))

    def _folder(self) -> Path:
        settings = self._switch.settings
        return home(settings) / f"{dt.datetime.now(settings.switch.zone):%Y/%m/%d}"

    @property
    def _suffix(self) -> str:
        return f".{self._switch.settings.recording.format}"


async def on_demand(talk: Conversation, leg: Leg) -> bool:
    """`*1` in mid-call."""
    await talk.switch.recordings.toggle(talk, leg)
    return False


async def both_hear(talk: Conversation, *items: Item) -> None:
    """Play `items` to both who talk, instead of each other; `join` puts that right again."""
    if not items:
        return
    done: Inbox[events.Event] = Inbox()
    player = talk.switch.board.media.player(*items, on_event=done.put)
    for leg in (talk.a, talk.b):
        leg.hear(player)
    try:
        await done.get(LONGEST_NOTICE)
    except TimeoutError:
        log.warning("a notice did not end", call=talk.call.id)
    finally:
        player.close()


def wish(settings: Settings, call: Call, a: Leg, b: Leg) -> str:
    """Whose settings want this conversation recorded; "" for nobody's."""
    queue = queue_of(settings, call)
    if queue is not None and queue.record:
        return call.doing
    line = settings.lines.get(call.line or "")
    if line is not None and line.record:
        return f"line:{call.line}"
    for leg in (a, b):
        person = settings.extensions.get(leg.owner or "")
        direction = "outgoing" if leg.incoming else "incoming"
        if person is not None and person.record in ("always", direction):
            return f"extension:{leg.owner}"
    return ""


def queue_of(settings: Settings, call: Call) -> Queue | None:
    """The queue that the call came through last."""
    kind, _, name = call.doing.partition(":")
    return settings.queues.get(name) if kind == Kind.QUEUE else None
