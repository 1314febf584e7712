"""Where calls go: each kind of target and the feature that serves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from config.targets import Kind, Target
from softswitch.calls.call import Call
from softswitch.calls.causes import LOOP, UNKNOWN_NUMBER
from softswitch.calls.dial import Place
from softswitch.calls.errors import NotAnswered, Refused
from softswitch.calls.events import Asked, Commanded, Digit
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.pbx.peers import Phone

if TYPE_CHECKING:
    from softswitch.pbx.conversation import Conversation
    from softswitch.pbx.switch import Switch

Feature: TypeAlias = Callable[["Switch", Call, Target], Awaitable[None]]
"""Serves `call.leg` until it is over or handed on.

Raises NotAnswered where nobody took it, so that the next target of a list is tried.
"""
CodeFeature: TypeAlias = Callable[["Switch", Call, Phone, str], Awaitable[None]]
"""Serves an extension that dialled a feature code; the text is what it dialled behind it."""
Service: TypeAlias = Callable[["Switch"], Coroutine[Any, Any, None]]
"""What a feature does beside calls, for as long as the switch serves."""
DuringTalk: TypeAlias = Callable[["Conversation", Asked | Digit | Commanded], Awaitable[bool]]
"""What a party wants in mid-call; True where the conversation is over by it."""


InCall: TypeAlias = Callable[["Conversation", Leg], Awaitable[bool]]
"""What a party asks for by a code of `[in_call]`; True where the conversation is over by it."""
Outside: TypeAlias = Callable[["Switch", Call, str, Party | None], Sequence[Place]]
"""Ways to ring a number outside as one place among others; none where that may not be."""


def nobody_outside(switch: Switch, call: Call, number: str, shown: Party | None) -> Sequence[Place]:
    """An office without trunks."""
    return ()


class Features(NamedTuple):
    """Everything the switch can do, by what leads to it."""

    targets: Mapping[Kind, Feature]
    codes: Mapping[str, CodeFeature]
    """By name as in `[codes]`; also `slot` and `mode`."""
    during_talk: DuringTalk
    services: Sequence[Service] = ()
    outside: Outside = nobody_outside
    in_call: Mapping[str, InCall] = {}
    """By name as in `[in_call]`."""


async def serve(switch: Switch, call: Call, targets: Sequence[Target]) -> None:
    """Try the targets in order until one takes the call; the last one's refusal counts."""
    failure: NotAnswered | Refused = Refused(UNKNOWN_NUMBER)
    for target in targets:
        call.hops += 1
        if call.hops > switch.settings.limits.forwards + 1:
            raise Refused(LOOP, f"more than {switch.settings.limits.forwards} forwards")
        call.doing = str(target)
        call.record.event("target", target=call.doing)
        try:
            await switch.features.targets[target.kind](switch, call, target)
        except NotAnswered as error:
            failure = error
        else:
            if target.kind is not Kind.PLAY or target is targets[-1]:
                return  # an announcement is only heard on the way to the next
    raise failure


def one(kind: Kind, name: str) -> tuple[Target, ...]:
    """A list of one target."""
    return (Target(kind, name),)
