"""What every request is asked before anybody acts on it (RFC 3261 §8.2, in its order).

Knows methods, schemes, extensions and body types.  Refuses to know transactions, dialogs
and who may do what.
"""

from __future__ import annotations

from softswitch.sip.bodies import SDP
from softswitch.sip.message import Request, Response, reply
from softswitch.sip.parser import METHODS
from softswitch.sip.settings import UaSettings
from softswitch.sip.types import ParseError

_PLAIN_SDP = [SDP]
_SDP_METHODS = frozenset(("INVITE", "UPDATE", "PRACK"))


class Inspector:
    """The checks of one user agent; `refusal` returns the response that a request is owed."""

    def __init__(self, settings: UaSettings) -> None:
        self._allow = frozenset(settings.allow)
        self._allow_text = settings.allow_text
        self._required = frozenset(settings.supported + settings.tolerated)

    def refusal(self, request: Request) -> Response | None:
        """None where nothing speaks against the request."""
        if request.method not in self._allow:
            return self._method_refusal(request)
        fields = request.headers.fields
        if request.uri[:4] != "sip:" and (fault := _scheme_refusal(request)) is not None:
            return fault
        if "Require" in fields and (fault := self._extension_refusal(request)) is not None:
            return fault
        if request.body or "Accept" in fields:
            return _content_refusal(request)
        return None

    def _method_refusal(self, request: Request) -> Response:
        """405 for what we know and do not do, 501 for what nobody knows (§21.4.6, §21.5.2)."""
        status = 405 if request.method in METHODS else 501
        return reply(request, status, headers=[("Allow", self._allow_text)])

    def _extension_refusal(self, request: Request) -> Response | None:
        """420 names what we do not understand (§8.2.2.3)."""
        unknown = [tag for tag in request.require if tag not in self._required]
        if not unknown:
            return None
        return reply(request, 420, headers=[("Unsupported", ", ".join(unknown))])


def _scheme_refusal(request: Request) -> Response | None:
    """416 for a URI of a scheme that we do not route (§8.2.2.1)."""
    try:
        request.request_uri  # noqa: B018 — parsing is the check
    except ParseError as fault:
        return reply(request, fault.status)
    return None


def _content_refusal(request: Request) -> Response | None:
    """415 for a body that we must read and cannot, 406 for a peer that cannot read ours."""
    headers = request.headers
    if request.body and request.method in _SDP_METHODS and not _is_readable(request):
        return reply(request, 415, headers=[("Accept", SDP), ("Accept-Encoding", "identity")])
    if request.method in _SDP_METHODS and "Accept" in headers.fields:
        accepted = {text.partition(";")[0].strip().lower() for text in headers.values("Accept")}
        if not accepted & {SDP, "application/*", "*/*"}:
            return reply(request, 406)
    return None


def _is_readable(request: Request) -> bool:
    """An SDP body, or one around it, or one that may be ignored (§8.2.3, §20.11)."""
    fields = request.headers.fields
    if fields.get("Content-Type") == _PLAIN_SDP and "Content-Encoding" not in fields:
        return True
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    kind = request.content_type
    if encoding == "identity" and (kind in (None, SDP) or kind.startswith("multipart/")):
        return True
    disposition = request.headers.get("Content-Disposition") or ""
    return "handling=optional" in disposition.lower().replace(" ", "")
