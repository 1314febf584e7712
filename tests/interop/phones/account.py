"""What a phone is told of its registrar."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One extension at one switch; `host` is an IP literal without brackets."""

    user: str
    password: str
    host: str = "127.0.0.1"
    port: int = 5060
    transport: str = "udp"

    @property
    def server(self) -> str:
        """host:port as URIs write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def uri(self, user: str) -> str:
        """The SIP URI of `user` at the same switch."""
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{user}@{self.server}{suffix}"
