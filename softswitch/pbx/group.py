"""`group:office`: a hunt group (P3, D4, D5, D6).

Its members ring all at once, one after another, or one more with every turn; who is in a
call is left in peace, and who has left by `*48` is not rung until he comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from config.groups import Group
from config.targets import Target
from softswitch.calls.call import Call
from softswitch.calls.causes import UNKNOWN_NUMBER
from softswitch.calls.dial import Place, ring
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.extension import connect
from softswitch.pbx.peers import Phone
from softswitch.pbx.reach import member_target, places, reachable
from softswitch.pbx.targets import serve
from softswitch.pbx.voice import Voice
from softswitch.sip.types import Seconds
from softswitch.store.state import State

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

BUSY, UNAVAILABLE = 486, 480
SPACE = "groups"
"""Where in the store it stands who has left his groups: one key an extension."""


async def group(switch: Switch, call: Call, target: Target) -> None:
    """Connect the caller with a member; goes to `overflow`, or raises NotAnswered, where none
    takes the call."""
    settings = switch.settings.groups.get(target.name)
    if settings is None:
        raise Refused(UNKNOWN_NUMBER)
    call.record.learn(group=target.name)
    quiet = await _entertain(switch, call, settings)
    try:
        leg = await _hunt(switch, call, settings, quiet)
    except NotAnswered:
        if not settings.overflow:
            raise
        call.record.event("overflow", group=target.name)
        await serve(switch, call, settings.overflow)
    else:
        await connect(switch, call, leg)


def members_of(switch: Switch, settings: Group) -> list[Target]:
    """Who belongs to the group and has not left it."""
    return [
        member_target(member)
        for member in settings.members
        if has_joined(switch.store.state, member.rpartition(":")[2])
    ]


def has_joined(state: State, number: str) -> bool:
    return not state.get(SPACE, number, False)


def set_joined(switch: Switch, number: str, joined: bool) -> None:
    """Have `number` leave its hunt groups, or come back to them; lasts over a restart."""
    if joined:
        switch.store.state.remove(SPACE, number)
    else:
        switch.store.state.set(SPACE, number, True)
    switch.tell("group.joined" if joined else "group.left", extension=number)


async def group_login(switch: Switch, call: Call, phone: Phone, _: str) -> None:
    """`*48`: leave one's hunt groups, or come back to them."""
    leaves = has_joined(switch.store.state, phone.number)
    set_joined(switch, phone.number, not leaves)
    call.record.event("group-left" if leaves else "group-joined", by=phone.number)
    call.leg.answer()
    await Voice(switch, call).say("deactivated" if leaves else "activated")


async def _entertain(switch: Switch, call: Call, settings: Group) -> bool:
    """Greet the caller and give him music; whether he is to hear nothing of the ringing."""
    if settings.greeting is not None:
        call.leg.answer()
        await Voice(switch, call).say(settings.greeting)
    if settings.music is None:
        return False
    call.leg.answer()
    call.leg.hear(switch.sounds.music(settings.music))
    return True


async def _hunt(switch: Switch, call: Call, settings: Group, quiet: bool) -> Leg:
    """Ring the members by the group's rule; who answered first.

    One round, in which each has his turn; where there is no overflow, rounds go on until
    the group's time is up or nobody is free.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + settings.max_time
    while True:
        try:
            return await _round(switch, call, settings, quiet, ends - loop.time())
        except NotAnswered as failure:
            tired = failure.status == BUSY or loop.time() >= ends
            if settings.overflow or tired or not members_of(switch, settings):
                raise


async def _round(switch: Switch, call: Call, settings: Group, quiet: bool, left: Seconds) -> Leg:
    members = members_of(switch, settings)
    shown = _prefixed(call.leg.party, settings.name)

    def turn(*whose: Target) -> list[Place]:
        free = reachable(switch, whose, skip_busy=settings.skip_busy)
        return [place for member in free for place in places(switch, call, member, shown=shown)]

    if not turn(*members):
        raise NotAnswered(BUSY if members else UNAVAILABLE)
    together = partial(ring, call, quiet=quiet, early=False, one_person=False)
    step = settings.ring_time
    if settings.ring == "in-turn":
        return await _one_by_one(together, [partial(turn, one) for one in members], step, left)
    if settings.ring == "memory":
        waves = [(number * step, partial(turn, one)) for number, one in enumerate(members)]
        return await together((), later=waves, ring_time=min(left, len(members) * step))
    return await together(turn(*members), ring_time=min(left, step))


async def _one_by_one(
    ring_one: Callable[..., Awaitable[Leg]],
    turns: Sequence[Callable[[], Sequence[Place]]],
    step: Seconds,
    left: Seconds,
) -> Leg:
    """Each for `step` seconds; who is not free when his turn comes is passed over."""
    loop = asyncio.get_running_loop()
    ends, failure = loop.time() + left, NotAnswered(UNAVAILABLE)
    for turn in turns:
        if loop.time() < ends:
            try:
                return await ring_one(turn(), ring_time=min(step, ends - loop.time()))
            except NotAnswered as error:
                failure = error
    raise failure


def _prefixed(caller: Party, prefix: str) -> Party:
    """The caller as members see him: for which group he calls stands before his name."""
    if not prefix:
        return caller
    return Party(caller.number, f"{prefix}: {caller.name or caller.number}")
