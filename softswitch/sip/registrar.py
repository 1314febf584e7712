"""Which contacts stand behind an address of record (RFC 3261 §10.3, RFC 3327, RFC 5626).

A REGISTER is carried out whole or not at all; what changed comes back as data, to be
written down before the 200 leaves.  Who may register what was decided before: knows no
password, no socket, no store.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from softswitch.sip.binding import Binding
from softswitch.sip.headers import PARTIES, NameAddr
from softswitch.sip.memory import remembered
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.types import Address, Flow, Instant, ParseError, SwitchError
from softswitch.sip.uri import SipUri


@dataclass(frozen=True, slots=True)
class RegistrarLimits:
    """Bounds of a registration, in seconds, and of an address of record."""

    min_expires: int = 30
    max_expires: int = 7200
    default_expires: int = 3600
    contacts: int = 10
    """Contacts of one address; one more displaces that which was refreshed longest ago."""


class Cause(StrEnum):
    """Why a binding ended."""

    REMOVED = "removed"
    EXPIRED = "expired"
    DISPLACED = "displaced"
    FLOW_CLOSED = "flow closed"


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding is new, or `refreshed`."""

    binding: Binding
    refreshed: bool


@dataclass(frozen=True, slots=True)
class Unbound:
    """A binding has ended."""

    binding: Binding
    cause: Cause


Change: TypeAlias = Bound | Unbound


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer to a REGISTER and what it changed: write down the latter, then send."""

    response: Response
    changes: list[Change]


class _RefusedError(SwitchError):
    """This REGISTER changes nothing; caught in `register`."""

    def __init__(self, status: int, reason: str | None = None, *fields: tuple[str, str]) -> None:
        super().__init__(status, reason)
        self.status, self.reason, self.fields = status, reason, fields


def aor_of(request: Request) -> str:
    """The address of record that a REGISTER is about: its To, without parameters (§10.3 step 5).

    ParseError (400) where it is no SIP address.
    """
    return _aor(request.to.uri)


def _canonical_aor(text: str) -> str:
    uri = _sip_uri(text)
    return str(SipUri(uri.scheme, uri.user, uri.host.lower(), uri.port))


class Registrar:
    """All bindings of the switch.  Times are Instants; nothing here reads a clock."""

    def __init__(self, limits: RegistrarLimits = RegistrarLimits()) -> None:
        self.limits = limits
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._count = 0
        self._remotes: dict[Address, set[tuple[str, str]]] = {}
        self._expiries: list[tuple[Instant, str, str]] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Binding]:
        return (binding for mine in self._bindings.values() for binding in mine.values())

    def register(
        self,
        request: Request,
        flow: Flow,
        now: Instant,
        aor: str | None = None,
        *,
        contacts: int | None = None,
    ) -> Registered:
        """Carry out an authenticated REGISTER that came over `flow`.

        `aor` is the key to file it under, by default the address in To; `contacts` is how
        many this address may have, where that is not what all may.
        """
        try:
            aor = aor_of(request) if aor is None else aor
            changes = self._changes(request, flow, now, aor, contacts or self.limits.contacts)
        except ParseError as fault:
            return Registered(reply(request, fault.status, fault.reason), [])
        except _RefusedError as refusal:
            fields = refusal.fields
            return Registered(reply(request, refusal.status, refusal.reason, headers=fields), [])
        for change in changes:
            self._apply(change)
        return Registered(self._ok(request, aor, now), changes)

    def lookup(self, aor: str, now: Instant) -> list[Binding]:
        """The contacts of an address that are alive, the preferred and then the newest first."""
        alive = [b for b in self._bindings.get(aor, {}).values() if b.expires_at > now]
        if len(alive) < 2:
            return alive
        return sorted(alive, key=lambda binding: (-binding.q, -binding.expires_at))

    def knows(self, remote: Address) -> bool:
        """Whether a contact is registered from this very address and port."""
        return remote in self._remotes

    def unbind(self, binding: Binding, cause: Cause = Cause.REMOVED) -> list[Change]:
        """End a binding, for example by an administrator's order; one that is gone is fine."""
        if self._bindings.get(binding.aor, {}).get(binding.key) is None:
            return []
        ended = Unbound(self._bindings[binding.aor][binding.key], cause)
        self._apply(ended)
        return [ended]

    def flow_closed(self, flow: Flow) -> list[Change]:
        """A stream is gone: its outbound contacts end (RFC 5626 §5.3), others await a new one."""
        changes: list[Change] = []
        for aor, key in list(self._remotes.get(flow.remote, ())):
            binding = self._bindings[aor][key]
            if binding.flow != flow:
                continue
            if binding.outbound:
                changes += self.unbind(binding, Cause.FLOW_CLOSED)
            else:
                self._apply(Bound(binding._replace(flow=None), refreshed=True))
        return changes

    def restore(self, bindings: Iterable[Binding]) -> None:
        """Take back what was bound before a restart."""
        for binding in bindings:
            self._apply(Bound(binding, refreshed=False))

    def next_timeout(self) -> Instant | None:
        """When the next binding may expire."""
        return self._expiries[0][0] if self._expiries else None

    def handle_timer(self, now: Instant) -> list[Change]:
        """End what has expired.  Calling early, late or twice is harmless."""
        changes: list[Change] = []
        while self._expiries and self._expiries[0][0] <= now:
            _, aor, key = heapq.heappop(self._expiries)
            binding = self._bindings.get(aor, {}).get(key)
            if binding is not None and binding.expires_at <= now:
                changes += self.unbind(binding, Cause.EXPIRED)
        return changes

    def _changes(
        self, request: Request, flow: Flow, now: Instant, aor: str, most: int
    ) -> list[Change]:
        mine = dict(self._bindings.get(aor, {}))
        if request.wildcard:
            return self._remove_all(request, mine)
        contacts = request.contacts
        _check_outbound(request, contacts)
        changes: list[Change] = []
        for contact in contacts:
            binding = self._binding(request, contact, flow, now, aor, mine)
            old = mine.pop(binding.key, None)
            _check_order(request, old)
            if binding.expires_at <= now:
                changes += [Unbound(old, Cause.REMOVED)] if old else []
                continue
            mine[binding.key] = binding
            changes.append(Bound(binding, refreshed=old is not None))
        return changes + _displaced(mine, most)

    def _remove_all(self, request: Request, mine: dict[str, Binding]) -> list[Change]:
        """§10.3 step 6: `*` must be alone and with Expires: 0."""
        if request.expires != 0:
            raise _RefusedError(400, "Contact * needs Expires 0")
        for old in mine.values():
            _check_order(request, old)
        return [Unbound(old, Cause.REMOVED) for old in mine.values()]

    def _binding(
        self,
        request: Request,
        contact: NameAddr,
        flow: Flow,
        now: Instant,
        aor: str,
        mine: dict[str, Binding],
    ) -> Binding:
        outbound = _is_outbound(request, contact)
        params = {n: v for n, v in contact.params.items() if n not in ("q", "expires")}
        path = request.addresses("Path") if "Path" in request.headers.fields else ()
        return Binding(
            aor,
            _outbound_key(contact) if outbound else _key(contact.uri, mine),
            contact.uri,
            flow,
            now + self._lifetime(request, contact),
            request.call_id,
            request.cseq.number,
            contact.q,
            tuple([hop.uri for hop in path]),
            params,
            outbound,
            request.headers.get("User-Agent") or "",
        )

    def _lifetime(self, request: Request, contact: NameAddr) -> int:
        """Seconds granted; 0 removes (§10.3 step 7)."""
        limits = self.limits
        wanted = contact.expires if contact.expires is not None else request.expires
        if wanted is None:
            return limits.default_expires
        if 0 < wanted < limits.min_expires:
            raise _RefusedError(423, None, ("Min-Expires", str(limits.min_expires)))
        return min(wanted, limits.max_expires)

    def _apply(self, change: Change) -> None:
        binding = change.binding
        mine = self._bindings.setdefault(binding.aor, {})
        old = mine.pop(binding.key, None)
        if old is not None:
            self._count -= 1
            self._leave(old)
        if isinstance(change, Bound):
            mine[binding.key] = binding  # at the end: the first was refreshed longest ago
            self._count += 1
            if binding.flow is not None:
                self._remotes.setdefault(binding.flow.remote, set()).add((binding.aor, binding.key))
            self._watch(binding)
        if not mine:
            del self._bindings[binding.aor]

    def _leave(self, binding: Binding) -> None:
        if binding.flow is not None:
            here = self._remotes[binding.flow.remote]
            here.discard((binding.aor, binding.key))
            if not here:
                del self._remotes[binding.flow.remote]

    def _watch(self, binding: Binding) -> None:
        """Every refresh leaves its former deadline behind; too many of them are swept out."""
        heapq.heappush(self._expiries, (binding.expires_at, binding.aor, binding.key))
        if len(self._expiries) > 4 * self._count + 1000:
            self._expiries = [(b.expires_at, b.aor, b.key) for b in self]
            heapq.heapify(self._expiries)

    def _ok(self, request: Request, aor: str, now: Instant) -> Response:
        """§10.3 step 8: every contact that is bound now."""
        current = self.lookup(aor, now)
        response = reply(request, 200)
        response.headers.replace("Contact", [binding.contact(now) for binding in current])
        if "Path" in request.headers:
            response.headers.replace("Path", request.headers.all("Path"))
        if any(binding.outbound and binding.call_id == request.call_id for binding in current):
            response.headers.set("Require", "outbound")
        return response


def _displaced(mine: dict[str, Binding], most: int) -> list[Change]:
    """Those that were refreshed longest ago make room."""
    surplus = max(len(mine) - most, 0)
    return [Unbound(old, Cause.DISPLACED) for old in list(mine.values())[:surplus]]


def _sip_uri(text: str) -> SipUri:
    """An address of record, and what we bind to it, must be SIP: 400 (§10.3 step 5)."""
    if text.partition(":")[0].lower() not in ("sip", "sips"):
        raise ParseError(f"{text[:60]!r} is no sip or sips URI")
    return SipUri.parse(text)


_aor = remembered(_canonical_aor, PARTIES)


def _key(text: str, mine: dict[str, Binding]) -> str:
    """The key of the contact that is equal by §19.1.4, else the text itself."""
    if text in mine:
        return text
    uri = _sip_uri(text)
    for key, binding in mine.items():
        if not binding.outbound and SipUri.parse(binding.uri) == uri:
            return key
    return text


def _is_outbound(request: Request, contact: NameAddr) -> bool:
    """RFC 5626 §6: reg-id counts only with an instance and a phone that knows outbound."""
    named = "reg-id" in contact.params and "+sip.instance" in contact.params
    return named and "outbound" in request.supported


def _outbound_key(contact: NameAddr) -> str:
    return f"{contact.params['+sip.instance']};{contact.params['reg-id']}"


def _check_outbound(request: Request, contacts: list[NameAddr]) -> None:
    """RFC 5626 §6: one flow a REGISTER, and the first hop must know outbound."""
    outbound = [contact for contact in contacts if _is_outbound(request, contact)]
    if len(outbound) > 1:
        raise _RefusedError(400, "More than one reg-id")
    if outbound and len(request.vias) > 1:
        path = request.addresses("Path")
        if not path or "ob" not in path[-1].sip_uri.params:
            raise _RefusedError(439)


def _check_order(request: Request, old: Binding | None) -> None:
    """§10.3 step 7: within one Call-ID, CSeq must grow."""
    if old and old.call_id == request.call_id and request.cseq.number <= old.cseq:
        raise _RefusedError(500, "CSeq out of order")
