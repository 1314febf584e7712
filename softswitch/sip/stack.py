"""What sessions and subscriptions stand on: names, addresses, sending, the books of the stack.

Knows what is alive and how a request leaves.  Refuses to know what messages mean; that
is the user agent's (ua.py) and the sessions'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from softswitch.sip.dialog import Dialog, DialogId
from softswitch.sip.draft import Draft, lines
from softswitch.sip.exchange import Credentials, Exchange
from softswitch.sip.headers import MAGIC_COOKIE
from softswitch.sip.layer import Transactions
from softswitch.sip.message import Response
from softswitch.sip.outbox import Outbox
from softswitch.sip.settings import UaSettings
from softswitch.sip.timers import TimerHeap
from softswitch.sip.transaction import (
    ClientTransaction,
    OnResponse,
    Transmit,
)
from softswitch.sip.types import Address, Destination, Flow, Instant

if TYPE_CHECKING:
    from softswitch.sip.session import Session

OnCrash: TypeAlias = Callable[[Exception, "Session | None"], None]


class Stack:
    """Transactions, dialogs and sessions, and the services that they share.

    `counters` counts by name; what is forgiven begins with "forgiven_".  `flow` is where
    the message came from that is being handled.
    """

    flow: Flow

    def __init__(self, settings: UaSettings, rng: Random, clock: Callable[[], Instant]) -> None:
        self.settings, self.rng, self.clock = settings, rng, clock
        self.timers = settings.timers
        self.counters: Counter[str] = Counter()
        self.heap = TimerHeap()
        self.output: Outbox[Transmit] = Outbox()
        self.transactions = Transactions(
            settings.timers, self.heap, self.output, self._via, settings.udp_limit
        )
        self.dialogs: dict[DialogId, Dialog] = {}
        self.sessions: set[Session] = set()
        self.on_crash: OnCrash = _report_nowhere
        self.advertise: Callable[[Destination], Address] = self._advertised
        self._unacknowledged: dict[tuple[str, str, int], list[Session]] = {}
        self._vias: dict[tuple[str, Address], str] = {}
        self._contacts: dict[tuple[str, Address], str] = {}
        agent = [("User-Agent", settings.product)] if settings.product else []
        self.capabilities: list[tuple[str, str]] = [
            ("Allow", settings.allow_text),
            ("Supported", ", ".join(settings.supported)),
            *agent,
        ]
        """What a 2xx to INVITE or OPTIONS says of us (§11.2)."""
        self.session_lines = lines(self.capabilities)
        """The same for requests of a session."""

    # -- names and addresses ---------------------------------------------------------------

    def new_tag(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"

    def new_call_id(self) -> str:
        return f"{self.rng.getrandbits(128):032x}"

    def contact(self, destination: Destination) -> str:
        """Our Contact value for peers at `destination`."""
        transport, address = destination.transport, self.advertise(destination)
        known = self._contacts.get((transport, address))
        if known is None:
            host = bracketed(address[0])
            suffix = "" if transport == "udp" else f";transport={transport}"
            known = f"<sip:{host}:{address[1]}{suffix}>"
            self._contacts[transport, address] = known
        return known

    def _via(self, destination: Destination, branch: str) -> str:
        """Our Via value; `rport` asks for answers to where we sent from (RFC 3581)."""
        transport, address = destination.transport, self.advertise(destination)
        known = self._vias.get((transport, address))
        if known is None:
            asks = ";rport" if transport == "udp" else ""
            host = bracketed(address[0])
            known = f"SIP/2.0/{transport.upper()} {host}:{address[1]}{asks};branch="
            self._vias[transport, address] = known
        return known + branch

    def _advertised(self, destination: Destination) -> Address:
        if isinstance(destination, Flow):
            return destination.local
        return self.settings.address

    # -- sending ---------------------------------------------------------------------------

    def start(
        self, draft: Draft, destination: Destination, on_response: OnResponse, now: Instant
    ) -> ClientTransaction:
        """Send a request in a client transaction of its own."""
        branch = f"{MAGIC_COOKIE}{self.rng.getrandbits(64):016x}"
        return self.transactions.send(draft, destination, branch, on_response, now)

    def exchange(
        self,
        draft: Draft,
        destination: Destination,
        on_response: OnResponse,
        credentials: Credentials | None,
        next_number: Callable[[], int] | None = None,
    ) -> ClientTransaction:
        """Send a non-INVITE request and answer the challenges that it meets."""
        if credentials is None:
            return self.start(draft, destination, _finals(on_response), self.clock())
        return Exchange(self, draft, destination, on_response, credentials, next_number).start()

    def cancel(self, client: ClientTransaction, extra: str) -> None:
        """CANCEL an INVITE of ours; what is answered to the CANCEL itself says nothing."""
        draft = client.draft.cancel(extra)
        self.transactions.send(draft, client.destination, client.branch, _ignore, self.clock())

    def send_ack(self, draft: Draft, destination: Destination) -> bytes:
        """Send the ACK for a 2xx, which no transaction repeats; its octets, to repeat them."""
        branch = f"{MAGIC_COOKIE}{self.rng.getrandbits(64):016x}"
        wire = draft.wire(self._via(destination, branch))
        self.transmit(wire, destination)
        return wire

    def transmit(self, data: bytes, destination: Destination) -> None:
        self.output.append(Transmit(data, destination))

    # -- the books -------------------------------------------------------------------------

    def remember(self, dialog: Dialog) -> None:
        self.dialogs[dialog.id] = dialog

    def forget_dialog(self, dialog: Dialog) -> None:
        """The dialog is over; what still comes for it gets 481."""
        self.dialogs.pop(dialog.id, None)
        dialog.release()

    def forget(self, session: Session) -> None:
        """The session is over."""
        self.sessions.discard(session)
        if session.dialog is not None:
            self.forget_dialog(session.dialog)

    def expect_ack(self, session: Session, number: int) -> None:
        """A 2xx was sent: its ACK is found even with a wrong To tag, if only one fits."""
        assert session.dialog is not None
        key = session.call_id, session.dialog.remote_tag, number
        self._unacknowledged.setdefault(key, []).append(session)

    def forget_ack(self, session: Session, number: int) -> None:
        assert session.dialog is not None
        key = session.call_id, session.dialog.remote_tag, number
        waiting = self._unacknowledged[key]
        waiting.remove(session)
        if not waiting:
            del self._unacknowledged[key]

    def crashed(self, fault: Exception, session: Session | None) -> None:
        """A fault of ours, or of a hook: the call that it hit is over, and no other."""
        self.counters["crashes"] += 1
        if session is not None:
            session.abort()
        self.on_crash(fault, session)

    def overview(self) -> dict[str, int]:
        """How much is alive: all zero once every call is over and 32 s have passed."""
        return {
            "clients": len(self.transactions.clients),
            "servers": len(self.transactions.servers),
            "dialogs": len(self.dialogs),
            "sessions": len(self.sessions),
            "unacknowledged": len(self._unacknowledged),
            "arrivals": len(self.transactions.arrivals),
            "destinations": len(self.transactions.waiting),
            "alarms": len(self.heap),
        }


def bracketed(host: str) -> str:
    """An IP literal as it stands in a URI or Via."""
    return f"[{host}]" if ":" in host else host


def _finals(on_response: OnResponse) -> OnResponse:
    def receive(response: Response | None) -> None:
        if response is None or response.status >= 200:
            on_response(response)

    return receive


def _ignore(response: Response | None) -> None:
    """Nobody waits for this answer."""


def _report_nowhere(fault: Exception, session: Session | None) -> None:
    """Until the composition root sets `on_crash`; `counters` tell."""
