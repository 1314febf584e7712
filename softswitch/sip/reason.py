"""The Reason header: why a call was refused, cancelled or ended (RFC 3326).

Knows its syntax.  Refuses to know what a cause means to a feature.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """One reason, e.g. `SIP;cause=200;text="Call completed elsewhere"`.

    `protocol` is "SIP" (cause: a status code) or "Q.850" (cause: an ISDN cause value).
    """

    protocol: str
    cause: int
    text: str = ""

    def __str__(self) -> str:
        if not self.text:
            return f"{self.protocol};cause={self.cause}"
        text = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.protocol};cause={self.cause};text="{text}"'
