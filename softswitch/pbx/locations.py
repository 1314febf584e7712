"""Where extensions are: their registered phones, and legs to them.

Knows bindings and how a leg to one is placed.  The registrar's rules are sip's; that
bindings outlive the process is store's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from softswitch.calls.dial import Place
from softswitch.calls.leg import Leg
from softswitch.calls.party import Party
from softswitch.calls.profile import Profile
from softswitch.calls.switchboard import Headers, Switchboard
from softswitch.sip.binding import Binding
from softswitch.sip.message import Request, Response
from softswitch.sip.registrar import Change, Registrar
from softswitch.sip.types import Flow, Instant
from softswitch.store.registrations import Registrations


class Locations:
    """The phones of all extensions.  Addresses of record are extension numbers."""

    def __init__(
        self, registrar: Registrar, stored: Registrations, clock: Callable[[], Instant]
    ) -> None:
        self.registrar, self._stored, self._clock = registrar, stored, clock
        self.watchers: list[Callable[[str], None]] = []
        """Told the extension whose phones changed."""

    def restore(self) -> int:
        """Take back what was bound before the restart; how many bindings that are."""
        epoch = self.epoch
        known = self._stored.restore(time.time())
        self.registrar.restore(
            Binding.restored(each, epoch) for mine in known.values() for each in mine
        )
        return len(self.registrar)

    @property
    def epoch(self) -> float:
        """What wall-clock time is ahead of the monotonic one, now."""
        return time.time() - self._clock()

    def of(self, number: str) -> list[Binding]:
        """The phones of an extension that can be reached, the preferred first."""
        bound = self.registrar.lookup(number, self._clock())
        return [binding for binding in bound if binding.destination is not None]

    def register(self, request: Request, flow: Flow, number: str, devices: int) -> Response:
        """Carry out a REGISTER for `number`, which may have so many phones.

        What it changed is safe when this returns.
        """
        now = self._clock()
        outcome = self.registrar.register(request, flow, now, number, contacts=devices)
        self._keep(outcome.changes)
        return outcome.response

    def forget_flow(self, flow: Flow) -> None:
        """A stream is closed."""
        self._keep(self.registrar.flow_closed(flow))

    def expire(self) -> Instant | None:
        """End what has expired; when to call again."""
        self._keep(self.registrar.handle_timer(self._clock()))
        return self.registrar.next_timeout()

    def unbind(self, number: str) -> int:
        """By order of the administrator: no phone answers for `number` any more."""
        ended = [self.registrar.unbind(each) for each in self.registrar.lookup(number, 0.0)]
        for changes in ended:
            self._keep(changes)
        return len(ended)

    def places(
        self,
        number: str,
        party: Party,
        manner: Profile,
        caller: Leg | None,
        board: Switchboard,
        *,
        shown: Party,
        headers: Headers = (),
    ) -> list[Place]:
        """A leg to each phone of `number`, ready to be started, showing `shown` as the caller."""
        return [
            partial(_place, binding, party, manner, caller, board, shown, headers)
            for binding in self.of(number)
        ]

    def _keep(self, changes: Sequence[Change]) -> None:
        now, epoch = self._clock(), self.epoch
        for number in {change.binding.aor for change in changes}:
            bound = self.registrar.lookup(number, now)
            self._stored.save(number, [binding.stored(epoch) for binding in bound])
            for watcher in self.watchers:
                watcher(number)


def _place(
    binding: Binding,
    party: Party,
    manner: Profile,
    caller: Leg | None,
    board: Switchboard,
    shown: Party,
    headers: Headers,
) -> Leg:
    destination = binding.destination
    assert destination is not None  # `of` leaves out those that only DNS could find
    leg = board.place(
        binding.uri,
        destination,
        caller=shown,
        party=party,
        profile=manner,
        prefer=caller.sound.codecs if caller else (),
        routes=binding.routes,
        headers=headers,
        beside=caller,
    )
    leg.owner = binding.aor
    return leg
