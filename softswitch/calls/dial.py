"""Ringing: several ways to somebody at once, the first answer wins."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from softswitch.calls.causes import CANCELLED, ELSEWHERE, NO_ANSWER
from softswitch.calls.errors import NotAnswered
from softswitch.calls.events import Answered, Ended, Event, Failed, Replaced, Ringing
from softswitch.calls.inbox import Inbox
from softswitch.calls.leg import Leg
from softswitch.sip.types import Seconds

if TYPE_CHECKING:
    from softswitch.calls.call import Call

Place: TypeAlias = Callable[[], Leg]
"""Starts one outgoing leg; called once."""
Redirect: TypeAlias = Callable[[Leg, tuple[str, ...]], Awaitable[Sequence[Place]]]
"""Where a 302 of this leg leads; an empty answer refuses to follow it."""
Wave: TypeAlias = tuple[Seconds, Callable[[], Sequence[Place]]]
"""Places that begin to ring so many seconds after the first ones, beside those; asked for then."""
Accept: TypeAlias = Callable[[Leg], Awaitable[bool]]
"""Asks who answered whether he takes the call; the others ring on meanwhile."""

NO_ANSWER_STATUS = 480


async def ring(
    call: "Call",
    places: Sequence[Place],
    *,
    ring_time: Seconds,
    redirect: Redirect | None = None,
    quiet: bool = False,
    early: bool = True,
    later: Sequence[Wave] = (),
    accept: Accept | None = None,
    one_person: bool = True,
) -> Leg:
    """Ring all `places` at once; the leg that answered first, both its ends still apart.

    Those of `later` join in their time, or as soon as nobody rings any more.  A 6xx refuses
    for all places that are phones of `one_person`, else for its own only.

    The served party hears of it: 180 while it was not answered, ring-back tone after.
    With `quiet` it hears nothing of the ringing (a queue's music goes on), without `early`
    our own ring-back tone rather than sound that comes before the answer.  Raises
    NotAnswered with the best final status of all; whoever still rings is let go.
    """
    ringing = _Ringing(call, quiet, early, later, accept, one_person)
    try:
        async with asyncio.timeout(ring_time):
            ringing.start(places)
            return await ringing.winner(redirect)
    except TimeoutError:
        raise NotAnswered(NO_ANSWER_STATUS, "No Answer") from None
    finally:
        ringing.stop()


class _Ringing:
    """The legs of one `ring`, and the best refusal so far."""

    def __init__(
        self,
        call: "Call",
        quiet: bool,
        early: bool,
        later: Sequence[Wave],
        accept: Accept | None,
        one_person: bool,
    ) -> None:
        self._call, self._quiet, self._early = call, quiet, early
        self._one_person = one_person
        self._accept, self._accepted = accept, set[Leg]()
        self._asked: dict[Leg, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        began = self._loop.time()
        self._waves = deque((began + after, places_then) for after, places_then in later)
        self._inbox: Inbox[Event] = Inbox()
        self._legs: list[Leg] = []
        self._won: Leg | None = None
        self._best: Failed | None = None
        self._over = False

    def start(self, places: Sequence[Place]) -> None:
        for place in places:
            leg = place()
            self._call.add(leg)
            self._legs.append(leg)
            leg.divert(self._inbox, replaceable=not self._quiet)
            if leg.answered and not leg.ended:  # begun a moment ago, and taken at once
                self._inbox.put(Answered(leg))

    async def winner(self, redirect: Redirect | None) -> Leg:
        while self._somebody_rings() and not self._over:
            match await self._next_event():
                case Answered(leg) if leg in self._legs:
                    if self._is_taken(leg):
                        self._won = leg
                        self._over = True
                        return leg
                case Replaced(leg, by) if leg in self._legs:
                    self._won = by
                    self._over = True
                    return by
                case Ringing(leg, _, early):
                    self._tell(leg, early and self._early and len(self._legs) == 1)
                case Failed(leg) as failure:
                    self._drop(leg)
                    if failure.contacts and redirect is not None:
                        self.start(await redirect(leg, failure.contacts))
                    self._note(failure)
                case Ended(leg):  # by us: what it answered is of no use
                    self._drop(leg)
                    self._note(Failed(leg, leg.cause.status, leg.cause.word))
                case _:  # digits, hold and the like mean nothing before the answer
                    pass
        best = self._best
        raise NotAnswered(best.status, best.reason) if best else NotAnswered(NO_ANSWER_STATUS)

    def _somebody_rings(self) -> bool:
        """Start those whose turn has come, or whoever is next where all the others are gone."""
        now = self._loop.time()
        while self._waves and (not self._legs or self._waves[0][0] <= now):
            self.start(self._waves.popleft()[1]())
        return bool(self._legs)

    async def _next_event(self) -> Event | None:
        """What happens next; None when it is time for others to ring."""
        if not self._waves:
            return await self._inbox.get()
        try:
            return await self._inbox.get(max(self._waves[0][0] - self._loop.time(), 0.0))
        except TimeoutError:
            return None

    def _is_taken(self, leg: Leg) -> bool:
        """Whether an answer counts; one that has to be confirmed is heard of again."""
        if self._accept is None or leg in self._accepted:
            return True
        self._asked[leg] = self._loop.create_task(self._ask(leg, self._accept))
        return False

    async def _ask(self, leg: Leg, accept: Accept) -> None:
        if await accept(leg):
            self._accepted.add(leg)
            self._inbox.put(Answered(leg))
        else:
            leg.hang_up()

    def stop(self) -> None:
        cause = ELSEWHERE if self._won else NO_ANSWER if not self._call.leg.ended else CANCELLED
        for task in self._asked.values():
            task.cancel()
        for late in self._inbox.drain():
            if isinstance(late, Replaced):  # a pickup that came a moment after an answer
                late.by.hang_up(ELSEWHERE)
        for leg in self._legs:
            if leg is not self._won:
                leg.hang_up(cause)
                self._call.release(leg)

    def _tell(self, leg: Leg, early: bool) -> None:
        if not self._quiet:
            self._call.leg.hear_ringing(leg if early else None)

    def _drop(self, leg: Leg) -> None:
        if leg in self._asked:
            self._asked.pop(leg).cancel()
        if leg in self._legs:
            self._legs.remove(leg)
            self._call.release(leg)

    def _note(self, failure: Failed) -> None:
        """Keep the refusal that tells the caller most (RFC 3261 §16.7 step 6, bent to phones)."""
        if failure.status >= 600 and self._one_person:  # "stop now": nothing may ring on
            self._over = True
        if self._best is None or _rank(failure.status) < _rank(self._best.status):
            self._best = failure


def _rank(status: int) -> tuple[int, int]:
    """Order of refusals, the most telling first: 6xx, busy, then by class and number."""
    if status >= 600:
        return 0, status
    if status == 486:
        return 1, status
    return 2 + (status // 100 != 4), status
