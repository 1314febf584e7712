"""One contact of an address of record, and how it is written down and read back.

Knows how a bound phone is reached; knows neither its password nor its calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from softswitch.sip.headers import NO_PARAMS, format_params
from softswitch.sip.route import is_behind_nat, next_hop
from softswitch.sip.types import Destination, Flow, Instant
from softswitch.sip.uri import SipUri


class Binding(NamedTuple):
    """A contact bound to an address of record (RFC 3261 §10.3).

    `key` tells it from the other contacts of its address: instance and reg-id of an
    outbound contact (RFC 5626 §6), else the URI as first registered.  `flow` is how the
    last REGISTER came; None once that stream is closed.  `path` holds the Path URIs,
    the nearest to us first (RFC 3327).
    """

    aor: str
    key: str
    uri: str
    flow: Flow | None
    expires_at: Instant
    call_id: str
    cseq: int
    q: float = 1.0
    path: tuple[str, ...] = ()
    params: Mapping[str, str] = NO_PARAMS
    """Contact parameters as registered, but for q and expires."""
    outbound: bool = False
    """Whether it is reached over its flow and nothing else (RFC 5626)."""
    user_agent: str = ""

    @property
    def destination(self) -> Destination | None:
        """Where a request for this contact is sent first; None where only DNS could tell.

        The flow, where there is a stream or NAT between us; else where the first Path,
        or the contact itself, says.
        """
        if self.flow is None:
            return None
        if self.outbound:
            return self.flow
        first = self.path[0] if self.path else self.uri
        behind_nat = is_behind_nat(SipUri.parse(first).host, self.flow)
        return next_hop(first, self.flow, behind_nat=behind_nat)

    @property
    def routes(self) -> tuple[str, ...]:
        """The Route values of a request for this contact (RFC 3327 §5.2)."""
        return tuple([f"<{hop}>" for hop in self.path])

    def contact(self, now: Instant) -> str:
        """The Contact value that a 200 to REGISTER lists."""
        params = format_params(self.params) if self.params else ""
        q = f";q={self.q:.3g}" if self.q != 1.0 else ""
        return f"<{self.uri}>{params}{q};expires={max(round(self.expires_at - now), 0)}"

    def stored(self, epoch: float) -> dict[str, Any]:
        """As JSON values.  `epoch` is what wall-clock time is ahead of `Instant`."""
        return {
            "aor": self.aor,
            "key": self.key,
            "uri": self.uri,
            "flow": self.flow,
            "expires_at": self.expires_at + epoch,
            "call_id": self.call_id,
            "cseq": self.cseq,
            "q": self.q,
            "path": list(self.path),
            "params": dict(self.params),
            "outbound": self.outbound,
            "user_agent": self.user_agent,
        }

    @staticmethod
    def restored(stored: Mapping[str, Any], epoch: float) -> Binding:
        """The reverse of `stored`.  A stream did not survive the process that had it."""
        return Binding(
            **{
                **stored,
                "flow": _restored_flow(stored["flow"]),
                "expires_at": stored["expires_at"] - epoch,
                "path": tuple(stored["path"]),
            }
        )


def _restored_flow(flow: Sequence[Any] | None) -> Flow | None:
    if flow is None or flow[0] != "udp":
        return None
    transport, local, remote, connection = flow
    return Flow(transport, tuple(local), tuple(remote), connection)
