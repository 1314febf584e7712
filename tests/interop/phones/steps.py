"""SIPp scenarios put together from steps, so that a test reads like the call that it makes."""

from xml.sax.saxutils import escape

SDP = """v=0
o=sipp 1 {version} IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] {address}
t=0 0
m=audio {port} RTP/AVP {formats}
a={direction}"""


def scenario(*steps: str) -> str:
    """The XML of a scenario."""
    body = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="steps">\n{body}\n</scenario>\n'


def sdp(
    *,
    formats: str = "8 0",
    direction: str = "sendrecv",
    version: int = 1,
    address: str = "[media_ip]",
    port: str = "[media_port]",
) -> str:
    return SDP.format(
        formats=formats, direction=direction, version=version, address=address, port=port
    )


def send(
    message: str,
    body: str = "",
    *,
    retrans: bool = False,
    headers: str = "",
    content_type: str = "application/sdp",
) -> str:
    """Send a message."""
    lines = [line.strip() for line in (message + "\n" + headers).strip().splitlines()]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines += ["Content-Length: [len]", "", *([body] if body else [])]
    attribute = ' retrans="500"' if retrans else ""
    text = "\n".join(lines)
    return f"<send{attribute}><![CDATA[\n{text}\n\n]]></send>"


def recv(status: int, *, optional: bool = False, auth: bool = False) -> str:
    """Wait for a response."""
    words = f'response="{status}"'
    words += ' optional="true"' if optional else ' rrs="true"'
    words += ' auth="true"' if auth else ""
    return f"<recv {words}></recv>"


def expect(method: str, *, matching: str = "") -> str:
    """Wait for a request; `matching` is a regular expression that it must contain."""
    if not matching:
        return f'<recv request="{method}" rrs="true"></recv>'
    return (
        f'<recv request="{method}" rrs="true"><action>'
        f'<ereg regexp="{escape(matching)}" search_in="msg" check_it="true" assign_to="1"/>'
        "</action></recv>"
    )


REFERENCE = '<Reference variables="1"/>'
"""Needed at the end of a scenario that uses `matching`."""


def pause(ms: int) -> str:
    return f'<pause milliseconds="{ms}"/>'


def request(method: str, number: int, *, dialog: bool = True, extra: str = "") -> str:
    """A request of the caller's; inside the dialog it goes to the answerer's Contact."""
    uri = "[next_url]" if dialog else "sip:[service]@[remote_ip]:[remote_port]"
    tag = "[peer_tag_param]" if dialog else ""
    return f"""{method} {uri} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
    From: <sip:[field0]@office.test>;tag=[pid]caller[call_number]
    To: <sip:[service]@office.test>{tag}
    Call-ID: [call_id]
    CSeq: {number} {method}
    Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    {extra}"""


AUTHORIZED = "[field1]"
"""The bracketed keyword comes from the injection file: name and password differ by call."""


def credentials(user: str) -> list[str]:
    """A row of the injection file for a caller that is extension `user`."""
    return [user, f"[authentication username={user} password=secret-{user}]"]


def invited(
    body: str | None = None, *, extra: str = "", content_type: str = "application/sdp"
) -> list[str]:
    """INVITE, the 401, and INVITE again with the digest; `body` "" makes no offer."""

    def invite(number: int, extra: str) -> str:
        message = request("INVITE", number, dialog=False, extra=extra)
        offer = sdp() if body is None else body
        return send(message, offer, retrans=True, content_type=content_type)

    return [
        invite(1, extra),
        recv(100, optional=True),
        recv(401, auth=True),
        ack_refusal(1),
        invite(2, f"{AUTHORIZED}\n{extra}"),
        recv(100, optional=True),
    ]


def hang_up(number: int = 3) -> list[str]:
    return [send(request("BYE", number), retrans=True), recv(200)]


def ack(number: int = 2, body: str = "") -> str:
    return send(request("ACK", number), body)


def ack_refusal(number: int = 2) -> str:
    """The ACK for a final response that is no 2xx: the Via of the INVITE (RFC 3261 §17.1.1.3)."""
    return send(
        f"""ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
        [last_Via:]
        [last_From:]
        [last_To:]
        Call-ID: [call_id]
        CSeq: {number} ACK
        Max-Forwards: 70"""
    )


def answer(status: int, reason: str, body: str = "", *, extra: str = "") -> str:
    """A response of the callee's to the request that came last."""
    return send(
        f"""SIP/2.0 {status} {reason}
        [last_Via:]
        [last_From:]
        [last_To:];tag=[pid]callee[call_number]
        [last_Call-ID:]
        [last_CSeq:]
        Contact: <sip:[local_ip]:[local_port];transport=[transport]>
        {extra}""",
        body,
    )


CANCELLABLE = (
    '<recv request="INVITE" rrs="true"><action>'
    '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="9"/></action></recv>'
)
"""An INVITE whose number is remembered for `terminated`."""


def terminated(*, matching: str = "") -> list[str]:
    """The caller gives up: 200 to the CANCEL, 487 to the INVITE (RFC 3261 §9.2)."""
    refused = answer(487, "Request Terminated").replace("[last_CSeq:]", "CSeq: [$9] INVITE")
    return [expect("CANCEL", matching=matching), done(), refused, expect("ACK")]


def accept_bye() -> list[str]:
    return [expect("BYE"), done()]


def done(*, extra: str = "") -> str:
    """200 to a request inside the dialog: its To has our tag already."""
    return send(
        f"""SIP/2.0 200 OK
        [last_Via:]
        [last_From:]
        [last_To:]
        [last_Call-ID:]
        [last_CSeq:]
        Contact: <sip:[local_ip]:[local_port];transport=[transport]>
        {extra}"""
    )
