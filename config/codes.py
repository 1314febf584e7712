"""`[codes]` and `[in_call]`: what is dialled to use a feature.  "" switches a code off."""

from typing import Annotated, TypeAlias

from config.base import Positive, Table, matching

Code: TypeAlias = Annotated[str, matching(r"[0-9*#]{0,8}", "a code: up to 8 of digits, * and #")]

TAKE_NUMBER = frozenset(
    [
        "agent_more_time",
        "any_voicemail",
        "callback",
        "directed_pickup",
        "forward_on",
        "intercom",
        "leave_message",
    ]
)
"""Codes after which a number is dialled at once: `**101`, `*80102`."""


class CodesTable(Table):
    """`[codes]`: dialled as a number."""

    voicemail: Code = "*97"
    """Own box."""
    any_voicemail: Code = "*98"
    """Any box, asked for or dialled after the code."""
    pickup: Code = "*8"
    """Takes the oldest call that rings in one's pickup groups."""
    directed_pickup: Code = "**"
    """`**101` takes the call that rings at 101."""
    park: Code = "*68"
    """Parks the call that is transferred to it."""
    forward_on: Code = "*72"
    """`*72102` forwards always to 102; alone it asks for the number."""
    forward_off: Code = "*73"
    dnd_on: Code = "*78"
    dnd_off: Code = "*79"
    intercom: Code = "*80"
    """`*80102` speaks from 102's loudspeaker."""
    echo: Code = "*43"
    time: Code = "*60"
    agent_login: Code = "*45"
    """Logs in or out."""
    agent_pause: Code = "*46"
    """Pauses or resumes."""
    agent_wrap_up: Code = "*47"
    """Ends after-call work early."""
    agent_more_time: Code = "*49"
    """After-call work lasts until it is ended; `*495`: five minutes more."""
    group_login: Code = "*48"
    """Leaves or joins one's hunt groups."""
    leave_message: Code = "*99"
    """`*99102` leaves a message for 102 without ringing; callers may be transferred there."""
    greeting: Code = "*96"
    """Records the own voicemail greeting."""
    callback: Code = "*66"
    """`*66102` rings back when 102, busy now, is free."""
    callback_off: Code = "*67"
    last_caller: Code = "*69"
    mode: Code = "*90"
    """Tells and sets the mode (day, night, …)."""


class InCallTable(Table):
    """`[in_call]`: pressed during a call."""

    blind_transfer: Code = "#"
    attended_transfer: Code = "*2"
    record: Code = "*1"
    conference: Code = "*3"
    """Joins the consulted third party to the call."""
    park: Code = ""
    hang_up: Code = ""
    digit_time: Positive = 2.0
    """Pause that ends a code or number."""
    outside: bool = False
    """Whether the party from outside may use these codes too."""
