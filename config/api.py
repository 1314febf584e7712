"""`[api]` and `[log]`: the HTTP interface, and what is told while running."""

from typing import Literal, Self

from pydantic import model_validator

from config.addresses import HostPort, is_loopback
from config.base import FilePath, Positive, Table
from config.passwords import Secret


class ApiTable(Table):
    """`[api]`: HTTP; the Unix socket in the data folder is always there."""

    listen: HostPort | Literal["off"] = HostPort("127.0.0.1", 8080)
    """TCP listener; "off" leaves the Unix socket alone."""
    token: Secret | None = None
    """What `Authorization: Bearer …` must carry; required off the loopback."""
    certificate: FilePath | None = None
    """PEM file; with it HTTPS is spoken."""
    key: FilePath | None = None
    events_kept: int = 10_000
    """Events that a client of the stream may resume from."""
    request_time: Positive = 30.0
    """Longest time one request may take."""

    @model_validator(mode="after")
    def _token_off_the_loopback(self) -> Self:
        if self.listen != "off" and not is_loopback(self.listen.host) and self.token is None:
            raise ValueError(
                f"others can reach {self.listen}, so a token is needed;"
                ' add token = "${API_TOKEN}" or listen on 127.0.0.1'
            )
        return self


class LogTable(Table):
    """`[log]`: structured lines on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "human", "json"] = "auto"
    """`auto`: for people on a terminal, JSON otherwise."""
