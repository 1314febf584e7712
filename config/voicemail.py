"""`[voicemail]`, `[boxes.NAME]`, `[mail]`: messages, and how they reach their owner."""

from typing import Annotated, Literal

from pydantic import Field

from config.base import Names, Positive, Prompt, Seconds, Table, Words
from config.passwords import Secret


class VoicemailTable(Table):
    """`[voicemail]`: what holds for every box."""

    max_length: Positive = 180.0
    """Longest message."""
    min_length: Annotated[Seconds, Field(ge=0)] = 1.0
    """A shorter one is thrown away."""
    silence: Positive = 10.0
    """Silence that ends a message."""
    max_messages: Annotated[int, Field(gt=0)] = 100
    """In one box; then callers are told it is full."""
    keep_days: Annotated[int, Field(gt=0)] | None = 90
    """Age at which heard messages are deleted; absent: never."""
    greeting: Prompt = "vm-leave-message"
    pin_tries: Annotated[int, Field(ge=1, le=10)] = 3
    operator_key: bool = True
    """Whether `0` during the greeting leaves to the box's `operator`."""


class Box(Table):
    """`[boxes.NAME]`: a shared box, or more about an extension's own one."""

    name: Words = ""
    members: Names = ()
    """Extensions that see its lamp and may open it."""
    pin: Secret | None = None
    """Absent: the extension's."""
    email: tuple[str, ...] = ()
    """Where new messages are sent."""
    attach: bool = True
    """Whether the recording goes with the e-mail."""
    delete_after_mail: bool = False
    greeting: Prompt | None = None
    operator: str | None = None
    """Extension that `0` leads to."""
    language: str | None = None
    max_messages: Annotated[int, Field(gt=0)] | None = None
    distribute: str | None = None
    """Queue whose agents are given its messages, each to one of them, as callbacks to make."""


class MailTable(Table):
    """`[mail]`: the server that e-mail leaves by."""

    server: str
    port: Annotated[int, Field(gt=0, le=65535)] = 587
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: Secret | None = None
    sender: str = "softswitch@localhost"
    timeout: Positive = 30.0
    retry_every: Positive = 300.0
    give_up: Positive = 86_400.0
    """How long a message is tried."""
