"""One call: the party it is for, the legs it gathered, the coroutine that carries it.

The served leg's end cancels the coroutine; whatever way it ends, no leg is left behind
and the record is closed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

import structlog

from softswitch.calls.causes import CANCELLED, FAILED, NORMAL, Cause, told
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.entropy import ENTROPY
from softswitch.sip.types import Seconds

log = structlog.get_logger("calls")


class Record(Protocol):
    """What a call tells whoever keeps records; every method is cheap and never raises."""

    def learn(self, **facts: Any) -> None:
        """Facts of the whole call: `route`, `queue`, `agent`, …"""

    def leg(self, leg: str, **facts: Any) -> None:
        """Something became known of a leg: when it rang, answered, ended, its codec and quality."""

    def event(self, kind: str, **facts: Any) -> None:
        """Something happened to the call: routed, forwarded, transferred, held, queued."""

    def end(self, cause: str, **facts: Any) -> None:
        """The call is over."""


CLOSE_PATIENCE: Seconds = 2.0
"""How long the record of a call waits for the statistics of its legs' sound."""

Script: TypeAlias = Callable[["Call"], Awaitable[None]]


class Call:
    """A call in progress.

    `leg` is the party being served; a transfer may put another in its place (`serve`).
    `legs` holds every leg that belongs to the call and is not over.  `fields` keeps what
    menus collected and look-ups found (I7); `hops` counts forwards against loops.
    """

    def __init__(self, leg: Leg, record: Record, *, call_id: str | None = None) -> None:
        self.id = call_id or ENTROPY.token(8)
        self.leg = leg
        self.legs: list[Leg] = []
        self.record = record
        self.fields: dict[str, str] = {}
        self.diversions: list[tuple[str, str]] = []
        """Who sent the call on, and why, the latest last (RFC 5806)."""
        self.hops = 0
        self.line: str | None = None
        """The number that was called from outside, as settings name it."""
        self.priority = 0
        """In queues; set by lines, rules and look-ups, as are language, skills and tags."""
        self.language: str | None = None
        self.skills: dict[str, int] = {}
        """Least level of each skill that whoever serves the call must have."""
        self.music: str | None = None
        self.ruled: list[str] = []
        """Rules that decided where it goes, in order."""
        self.tags: tuple[str, ...] = ()
        self.urgent = False
        """An emergency: no limit of ours holds it up."""
        self.dialled = ""
        self.doing = ""
        """Which target has the call now, as the settings write it."""
        self.cause: Cause | None = None
        self.task: asyncio.Task[None] | None = None
        self._running = self._closing = False
        self.add(leg)
        self.serve(leg)

    def add(self, leg: Leg) -> None:
        """`leg` belongs to this call from now on; another call that had it lets go."""
        if leg.call is not None and leg.call is not self:
            leg.call.give_away(leg)
        leg.call = self
        self.legs.append(leg)

    def remove(self, leg: Leg) -> None:
        """`leg` is over, or went to another call."""
        if leg in self.legs:
            self.legs.remove(leg)
        if leg.call is self:
            leg.call = None

    def release(self, leg: Leg) -> None:
        """`leg` is over before the call is: keep what is known of it."""
        self.record.leg(leg.id, **leg.facts())
        self.remove(leg)
        leg.part()

    def give_away(self, leg: Leg) -> None:
        """`leg` goes to another call, alive: here it is over."""
        leg.on_end = None
        facts = {**leg.facts(), "cause": "moved", "ended_at": time.time()}
        self.record.leg(leg.id, **facts)
        self.remove(leg)

    def diverted(self, number: str, why: str) -> None:
        """`number` sent the call elsewhere; phones rung from now on are told so."""
        self.diversions.append((number, why))

    def serve(self, leg: Leg, *, vital: bool = True) -> None:
        """From now on the call is for `leg`: its end is the call's end, unless not `vital`.

        A leg that moved to another call meanwhile keeps what that call wants of it.
        """
        if self.leg.call is self:
            self.leg.on_end = None
        self.leg = leg
        leg.on_end = self._served_leg_ended if vital else None
        if leg.ended and vital:
            self._served_leg_ended(leg)

    def end(self, cause: Cause = NORMAL) -> None:
        """End the call from outside: by command, for want of time, at shutdown."""
        self.cause = self.cause or cause
        self._stop()

    async def run(self, script: Script) -> None:
        """Carry the call by `script` until it returns, the party leaves, or it fails."""
        self.task, self._running = asyncio.current_task(), True
        try:
            if not self._closing:
                await script(self)
        except asyncio.CancelledError:
            if not self._closing:  # the switch itself is stopping
                raise
        except NotAnswered as failure:
            failure.__traceback__ = None  # its frames hold the failure, and the whole call
            self._refuse(told(failure.status), failure.cause)
        except Refused as refusal:
            refusal.__traceback__ = None
            self._refuse(refusal.cause.status, refusal.cause)
        except Exception:
            log.exception("call crashed", call=self.id)
            self._refuse(500, FAILED)
        finally:
            self._running, self._closing = False, True
            await self._close()

    def _refuse(self, status: int, cause: Cause) -> None:
        self.cause = self.cause or cause
        self.leg.refuse(status, None, self.cause)

    async def _close(self) -> None:
        cause = self.cause or NORMAL
        legs = self.legs[:]
        for leg in legs:
            leg.hang_up(cause)
        with suppress(TimeoutError):  # an engine died with its legs: then they have none
            async with asyncio.timeout(CLOSE_PATIENCE):
                for leg in legs:
                    await leg.sound.closed()
        for leg in legs:
            self.record.leg(leg.id, **leg.facts())
        self.record.end(cause.word, by=self._who_ended(), status=self.leg.status)
        self.legs.clear()
        for leg in legs:
            leg.part()

    def _who_ended(self) -> str:
        legs = (self.leg, *self.legs)
        return next((leg.id for leg in legs if leg.ended_by_peer), "")

    def _served_leg_ended(self, leg: Leg) -> None:
        if self.cause is None:
            self.cause = leg.cause if leg.answered else CANCELLED
        self._stop()

    def _stop(self) -> None:
        """Interrupt the script where it waits; `_close` is never interrupted.

        A script that hangs up the party itself goes on until it waits next.
        """
        if self._closing:
            return
        self._closing = True
        if asyncio.current_task() is self.task:
            asyncio.get_running_loop().call_soon(self._interrupt)
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        if self._running and self.task is not None:
            self.task.cancel()
